// The version of this package.

/** As its package.json says. */
export function version(): string {
  return (require('../../../../package.json') as { version: string }).version;
}
