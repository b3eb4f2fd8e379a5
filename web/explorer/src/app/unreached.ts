// Why a server does not answer a page, as far as a page can tell: a browser says of none of these what it was.

/**
 * `here`: it is the page's own. `mixed`: it is asked over http by a page of https. `policy`: the policy of the page does not let
 * it be asked. `unknown`: it does not run, or does not let the page ask.
 */
export type Cause = 'here' | 'mixed' | 'policy' | 'unknown';

/** The cause, of the address of a page, that of a server, and whether the page's policy was seen to refuse it. */
export function causeOf(page: string, server: string, isRefused: boolean): Cause {
  const [ours, theirs] = [new URL(page), new URL(server)];
  if (ours.origin === theirs.origin) return 'here';
  // Whatever policies say: it would not be asked with the right ones either.
  if (isMixed(ours, theirs)) return 'mixed';
  return isRefused ? 'policy' : 'unknown';
}

/** Whether a browser keeps a page from asking an address since the way there is not secure, as that of the page is. */
function isMixed(page: URL, { protocol, hostname }: URL): boolean {
  return page.protocol === 'https:' && protocol === 'http:' && !isThisMachine(hostname);
}

/** What leads to no other machine may be asked by any page (https://w3c.github.io/webappsec-secure-contexts/#is-origin-trustworthy). */
function isThisMachine(hostname: string): boolean {
  return /^(?:127\.\d+\.\d+\.\d+|\[::1\]|(?:.+\.)?localhost\.?)$/.test(hostname);
}
