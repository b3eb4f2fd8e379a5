// What servers know the reader by. A token is kept in memory, and until this tab is closed where the reader wants that;
// it is never part of an address, of what is copied, or of what is stored for longer.

const PREFIX = 'kithdb.token:';
const kept = new Map<string, string>();

/** The token for a server; undefined when none was given. */
export function tokenFor(server: string): string | undefined {
  return kept.get(server) ?? withStorage((storage) => storage.getItem(PREFIX + server)) ?? undefined;
}

/** Keeps a token, in this tab's storage too when it is to survive a reload. */
export function keepToken(server: string, token: string, untilTabCloses: boolean): void {
  kept.set(server, token);
  withStorage((storage) => (untilTabCloses ? storage.setItem(PREFIX + server, token) : storage.removeItem(PREFIX + server)));
}

/** Forgets it everywhere. */
export function forgetToken(server: string): void {
  kept.delete(server);
  withStorage((storage) => storage.removeItem(PREFIX + server));
}

/** A browser can be told to keep nothing; then nothing is kept. */
function withStorage<T>(use: (storage: Storage) => T): T | undefined {
  try {
    return use(sessionStorage);
  } catch {
    return undefined;
  }
}
