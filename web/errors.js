// The one error of the page: what the core, the engine in the tab or this page itself has to say, with a stable code.

/** An error with the core's code; `position` counts bytes of UTF-8 in `filter`, where that is not the filter's box. */
export class KithError extends Error {
  constructor({ code, message, expected, got, position, hint, filter }) {
    super(message);
    this.name = 'KithError';
    Object.assign(this, { code, expected, got, position, hint, filter });
  }
}

const FACTS = ['code', 'message', 'expected', 'got', 'position', 'hint', 'filter'];

/** Any error as plain data, which can be posted from one thread to another. */
export function reportOf(error) {
  if (typeof error?.code === 'string') {
    return Object.fromEntries(FACTS.map((name) => [name, error[name]]).filter(([, fact]) => fact !== undefined));
  }
  if (error?.name === 'AbortError') return { code: 'cancelled', message: 'it was cancelled' };
  if (error?.name === 'QuotaExceededError') return { code: 'disk_full', message: 'the browser has no room left for this page' };
  return { code: 'internal', message: error?.message || String(error) };
}
