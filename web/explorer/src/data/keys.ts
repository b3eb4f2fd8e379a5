// A server's access keys: over HTTP, as they belong to the server and not to the database that the interface is of.

import { send } from './http.js';
import type { Source } from './sources.js';

export type Role = 'read' | 'write' | 'admin';

/** A key, without its token. */
export interface AccessKey {
  id: string;
  description: string;
  role: Role;
  /** `*` for all. */
  collections: string[];
  created_at: string;
  expires_at: string | null;
}

/** A key to be made. */
export interface NewKey {
  role: Role;
  collections: string[];
  description: string;
  ttl?: string;
}

/** The keys there are; `forbidden` for who is no admin. */
export async function listKeys(source: Source, signal?: AbortSignal): Promise<AccessKey[]> {
  const response = await ask(source, 'GET', '', undefined, signal);
  return ((await response.json()) as { keys: AccessKey[] }).keys;
}

/** Makes one. Its token is told this once. */
export async function makeKey(source: Source, key: NewKey): Promise<{ token: string; key: AccessKey }> {
  const response = await ask(source, 'POST', '', key);
  return (await response.json()) as { token: string; key: AccessKey };
}

/** Whoever has it is let in no more. */
export async function revokeKey(source: Source, id: string): Promise<void> {
  await ask(source, 'DELETE', `/${encodeURIComponent(id)}`);
}

async function ask(source: Source, method: string, path: string, body?: NewKey, signal?: AbortSignal): Promise<Response> {
  return send(source, `v1/keys${path}`, {
    method,
    ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    ...(signal && { signal }),
  });
}
