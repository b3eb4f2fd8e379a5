// The address of what is shown: #/page/source/collection?state. Pure functions. Nothing secret is ever part of it.

/** What a page keeps in the address: names with text. */
export type AddressState = Readonly<Record<string, string>>;

/** What is shown. */
export interface Address {
  page: string;
  source: string;
  collection: string | null;
  state: AddressState;
}

/** Where an empty address leads. */
export const START: Address = { page: 'overview', source: 'server', collection: null, state: {} };

/** Reads what stands behind the #, and of what stands before it, what the search page had there. What is missing is as at the start. */
export function parseAddress(hash: string, search = ''): Address {
  const isInTab = new URLSearchParams(search).get('in') === 'tab';
  if (/^#[^/]*=/.test(hash) || (isInTab && /^#?$/.test(hash))) return ofSearchPage(hash, isInTab ? TAB : START.source);
  const [path = '', query = ''] = splitOnce(hash.replace(/^#\/?/, ''), '?');
  const [page, source, collection] = path.split('/').map(decode);
  return {
    page: page || START.page,
    source: source || START.source,
    collection: collection || null,
    state: Object.fromEntries(new URLSearchParams(query)),
  };
}

/** Writes it. What is empty in the state is left out. */
export function formatAddress({ page, source, collection, state }: Address): string {
  const parts = [page, source, ...(collection === null ? [] : [collection])].map(encodeURIComponent);
  const query = new URLSearchParams(Object.entries(state).filter(([, value]) => value !== ''));
  return `#/${parts.join('/')}${query.size > 0 ? `?${query}` : ''}`;
}

/** The database of this browser that the search page had: what was asked there is asked of no server. */
const TAB = 'browser:page';

/** What the search page that was here before had in its links: `?in=tab#c=notes&q=words`, and the rest as the search has it now. */
function ofSearchPage(hash: string, source: string): Address {
  const { c, ...state } = Object.fromEntries(new URLSearchParams(hash.slice(1)));
  return { page: 'search', source, collection: c || null, state };
}

function splitOnce(text: string, at: string): [string, string] {
  const index = text.indexOf(at);
  return index < 0 ? [text, ''] : [text.slice(0, index), text.slice(index + 1)];
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
