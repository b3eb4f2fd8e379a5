// The current address, and the ways to another. Back undoes a thought and not a keystroke: what changes while one types
// or drags replaces its own entry.

import { type Address, formatAddress, parseAddress } from './address.js';

/** How one goes to an address. */
export interface GoOptions {
  /** Instead of the current entry, so that Back does not return to it. */
  replace?: boolean;
}

class Router {
  #address = $state.raw<Address>(parseAddress(location.hash, location.search));

  constructor() {
    // What the search page had before the # is behind it now.
    if (location.search !== '') history.replaceState(null, '', location.pathname + formatAddress(this.#address));
    addEventListener('popstate', () => {
      this.#address = parseAddress(location.hash);
    });
  }

  /** What is shown. */
  get address(): Address {
    return this.#address;
  }

  /** Goes to what is named; what is left out stays, but that another page or collection begins with an empty state. */
  go(to: Partial<Address>, { replace = false }: GoOptions = {}): void {
    const hash = this.link(to);
    if (hash === formatAddress(this.#address)) return;
    history[replace ? 'replaceState' : 'pushState'](null, '', hash);
    this.#address = parseAddress(hash);
  }

  /** The same as something to put into `href`. */
  link(to: Partial<Address>): string {
    const now = this.#address;
    const moves = (['page', 'source', 'collection'] as const).some((part) => to[part] !== undefined && to[part] !== now[part]);
    const source = to.source ?? now.source;
    // Another database has other collections.
    const kept = source === now.source ? now.collection : null;
    const collection = to.collection === undefined ? kept : to.collection;
    return formatAddress({ page: to.page ?? now.page, source, collection, state: to.state ?? (moves ? {} : now.state) });
  }
}

export const router = new Router();
