// Which servers the policy of this page has kept it from asking: the browser tells nobody else why a request failed.

class Refused {
  #origins = $state.raw<ReadonlySet<string>>(new Set());

  constructor() {
    document.addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI }) => {
      if (effectiveDirective !== 'connect-src' || !URL.canParse(blockedURI)) return;
      this.#origins = new Set([...this.#origins, new URL(blockedURI).origin]);
    });
  }

  /** Whether it kept the page from asking this server. */
  has(address: string): boolean {
    return this.#origins.has(new URL(address).origin);
  }
}

export const refused = new Refused();
