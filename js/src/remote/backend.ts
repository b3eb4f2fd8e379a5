// The server as an engine: each call is a request to `/v1`.

import { idOf } from '../encode.js';
import type { Answer, BackendCollection, BackendDatabase, Call, JobKind } from '../engine/backend.js';
import { KithError, type Report } from '../errors.js';
import { PACKED, readPacked, writePacked } from './packed.js';
import { type Ask, type Http, noAnswer } from './http.js';

const JSON_TYPE = 'application/json';
const FILE_TYPE = 'application/octet-stream';

/** A server's database. */
export class RemoteDatabase implements BackendDatabase {
  readonly #ways: Ways;

  constructor(http: Http) {
    this.#ways = new Ways(http);
  }

  async create(name: string, config: string, call?: Call): Promise<BackendCollection> {
    await this.#ways.change('POST', 'collections', joined(config, `"name":${JSON.stringify(name)}`), call);
    return new RemoteCollection(this.#ways, name);
  }

  collection(name: string): BackendCollection {
    return new RemoteCollection(this.#ways, name);
  }

  async collections(call?: Call): Promise<string> {
    const { collections, unopenable = [] } = await this.#ways.ask<{ collections: unknown[]; unopenable?: Report[] }>(
      'GET',
      'collections',
      undefined,
      call,
    );
    const [damaged] = unopenable;
    if (damaged) throw new KithError(damaged);
    return JSON.stringify(collections);
  }

  async drop(name: string, call?: Call): Promise<void> {
    await this.#ways.nothing('DELETE', pathOf(name), call);
  }

  async import(name: string, file: Uint8Array | Blob, call?: Call): Promise<BackendCollection> {
    await this.#ways.sendFile(`${pathOf(name)}/import`, file, call);
    return new RemoteCollection(this.#ways, name);
  }

  async kvGet(key: string, call?: Call): Promise<string | null> {
    try {
      const body = JSON.stringify({ key });
      return (await this.#ways.ask<{ value: string }>('POST', 'kv/get', body, call)).value;
    } catch (error) {
      if (error instanceof KithError && error.code === 'unknown_key') return null;
      throw error;
    }
  }

  async kvSet(key: string, value: string, options?: string, call?: Call): Promise<boolean> {
    const body = joined(options, JSON.stringify({ key, value }).slice(1, -1));
    return (await this.#ways.change<{ replaced: number }>('POST', 'kv/set', body, call)).replaced > 0;
  }

  async kvDelete(key: string, options?: string, call?: Call): Promise<boolean> {
    const body = joined(options, `"key":${JSON.stringify(key)}`);
    return (await this.#ways.change<{ deleted: number }>('POST', 'kv/delete', body, call)).deleted > 0;
  }

  async kvList(request: string, call?: Call): Promise<string> {
    return this.#ways.text('GET', `kv${query(request)}`, undefined, call);
  }

  stats(call?: Call): Promise<string> {
    return this.#ways.text('GET', 'stats', undefined, call);
  }

  verify(call?: Call): Promise<string> {
    return this.#ways.once('POST', 'verify', undefined, call);
  }

  async flush(call?: Call): Promise<void> {
    // Doing it twice does no more than once.
    await this.#ways.ask('POST', 'flush', undefined, call);
  }

  async close(): Promise<void> {
    this.closeSync();
  }

  closeSync(): void {
    this.#ways.http.close();
  }
}

class RemoteCollection implements BackendCollection {
  readonly #ways: Ways;
  readonly #name: string;

  constructor(ways: Ways, name: string) {
    this.#ways = ways;
    this.#name = name;
  }

  info(call?: Call): Promise<string> {
    return this.#ways.text('GET', this.#at(''), undefined, call);
  }

  async write(
    ids: string[],
    vectors: (Float32Array | undefined)[],
    metadata: (string | undefined)[],
    lives: (string | undefined)[],
    upsert: boolean,
    options?: string,
    call?: Call,
  ): Promise<number> {
    const documents = ids.map((id, i) => {
      const fields = `"id":${JSON.stringify(idOf(id))}`;
      const told = metadata[i];
      return joined(lives[i], told === undefined ? fields : `${fields},"metadata":${told}`);
    });
    const body = joined(options, `"mode":"${upsert ? 'upsert' : 'insert'}","documents":[${documents.join(',')}]`);
    const answer = await this.#ways.packed<{ replaced: number }>(this.#at('/documents'), body, vectors, {
      accept: JSON_TYPE,
      reads: false,
      call,
      read: async (response) => (await response.json()) as { replaced: number },
    });
    return answer.replaced;
  }

  async delete(ids: string[], options?: string, call?: Call): Promise<number> {
    const body = joined(options, listed(ids));
    const path = this.#at('/documents/delete');
    return (await this.#ways.change<{ deleted: number }>('POST', path, body, call)).deleted;
  }

  async touch(ids: string[], options?: string, call?: Call): Promise<number> {
    const body = joined(options, listed(ids));
    const path = this.#at('/documents/touch');
    return (await this.#ways.change<{ touched: number }>('POST', path, body, call)).touched;
  }

  touches(ids: string[], call?: Call): Promise<string> {
    return this.#ways.text('POST', this.#at('/documents/touches'), joined(undefined, listed(ids)), call);
  }

  async link(edges: string, call?: Call): Promise<number> {
    return (await this.#ways.change<{ linked: number }>('POST', this.#at('/graph/link'), edges, call)).linked;
  }

  async unlink(edges: string, call?: Call): Promise<number> {
    return (await this.#ways.change<{ unlinked: number }>('POST', this.#at('/graph/unlink'), edges, call)).unlinked;
  }

  graph(verb: string, question: string, call?: Call): Promise<string> {
    const path = this.#at(`/graph/${encodeURIComponent(verb)}`);
    return verb === 'components' ? this.#ways.once('POST', path, question, call) : this.#ways.text('POST', path, question, call);
  }

  async get(ids: string[], options?: string, call?: Call): Promise<Answer> {
    const answer = await this.#ways.columns('POST', this.#at('/documents/get'), joined(options, listed(ids)), call);
    return answer;
  }

  versions(id: string, call?: Call): Promise<Answer> {
    return this.#ways.columns('POST', this.#at('/documents/versions'), JSON.stringify({ id: idOf(id) }), call);
  }

  scan(request: string, call?: Call): Promise<Answer> {
    return this.#ways.columns('GET', `${this.#at('/documents')}${query(request)}`, undefined, call);
  }

  async search(request: string, vector?: Float32Array, call?: Call): Promise<Answer> {
    return this.#ways.packed<Answer>(this.#at('/search'), request, [vector], {
      accept: PACKED,
      reads: true,
      call,
      read: onePacked,
    });
  }

  async searchMany(requests: string[], vectors: (Float32Array | undefined)[], call?: Call): Promise<Answer[]> {
    const answers = await this.#ways.packed<Answer[]>(this.#at('/search/batch'), `{"searches":[${requests.join(',')}]}`, vectors, {
      accept: PACKED,
      reads: true,
      call,
      read: async (response) => readPacked(await response.arrayBuffer()),
    });
    if (answers.length !== requests.length) throw noAnswer(`${requests.length} packed bodies`, `${answers.length}`);
    return answers;
  }

  async run(kind: JobKind, call?: Call): Promise<boolean> {
    return (await this.#ways.change<{ done: boolean }>('POST', this.#at(`/${kind}`), undefined, call)).done;
  }

  async relink(call?: Call): Promise<string> {
    return JSON.stringify(await this.#ways.change('POST', this.#at('/relink'), undefined, call));
  }

  async job(call?: Call): Promise<string | null> {
    const { job } = await this.#ways.ask<{ job: unknown }>('GET', this.#at('/job'), undefined, call);
    return job === null ? null : JSON.stringify(job);
  }

  async cancelJob(call?: Call): Promise<boolean> {
    const path = this.#at('/job');
    return (await this.#ways.change<{ cancelled: boolean }>('DELETE', path, undefined, call)).cancelled;
  }

  estimate(request: string, call?: Call): Promise<string> {
    return this.#ways.once('POST', this.#at('/estimate'), request, call);
  }

  async configure(change: string, call?: Call): Promise<void> {
    await this.#ways.change('PATCH', this.#at(''), change, call);
  }

  export(call?: Call): Promise<Uint8Array> {
    return this.#ways.file(this.#at('/export'), call, async (response) => new Uint8Array(await response.arrayBuffer()));
  }

  exportStream(call?: Call): Promise<ReadableStream<Uint8Array>> {
    return this.#ways.file(this.#at('/export'), call, async ({ body }) => {
      if (!body) throw noAnswer('a file', 'nothing');
      return body;
    });
  }

  #at(path: string): string {
    return pathOf(this.#name) + path;
  }
}

/** The few forms that requests have. */
class Ways {
  readonly http: Http;

  constructor(http: Http) {
    this.http = http;
  }

  /** Reads JSON; what it does twice does no more than once. */
  ask<T>(method: 'GET' | 'POST', path: string, body: string | undefined, call: Call | undefined): Promise<T> {
    return this.#json(method, path, body, true, call, async (response) => (await response.json()) as T);
  }

  /** Changes something. */
  change<T>(
    method: 'POST' | 'PATCH' | 'DELETE',
    path: string,
    body: string | undefined,
    call: Call | undefined,
  ): Promise<T> {
    return this.#json(method, path, body, false, call, async (response) => (await response.json()) as T);
  }

  /** Reads JSON that somebody else parses. */
  text(method: 'GET' | 'POST', path: string, body: string | undefined, call: Call | undefined): Promise<string> {
    return this.#json(method, path, body, true, call, (response) => response.text());
  }

  /** As `text`, what takes long: it is not asked again while a server may still be at work on it. */
  once(method: 'POST', path: string, body: string | undefined, call: Call | undefined): Promise<string> {
    return this.#json(method, path, body, false, call, (response) => response.text());
  }

  #json<T>(
    method: Ask<T>['method'],
    path: string,
    body: string | undefined,
    reads: boolean,
    call: Call | undefined,
    read: Ask<T>['read'],
  ): Promise<T> {
    return this.http.send({ method, path, body: jsonBody(body), accept: JSON_TYPE, reads, call, read: whole(read) });
  }

  /** Changes something and is answered nothing. */
  nothing(method: 'DELETE', path: string, call: Call | undefined): Promise<undefined> {
    return this.http.send({ method, path, reads: false, call, read: async () => undefined });
  }

  /** Reads documents with their vectors. */
  columns(method: 'GET' | 'POST', path: string, body: string | undefined, call: Call | undefined): Promise<Answer> {
    return this.http.send({ method, path, body: jsonBody(body), accept: PACKED, reads: true, call, read: onePacked });
  }

  /** Sends vectors beside JSON; without one vector it is JSON alone. */
  packed<T>(
    path: string,
    json: string,
    vectors: readonly (Float32Array | undefined)[],
    rest: Pick<Ask<T>, 'reads' | 'call' | 'read'> & { accept: string },
  ): Promise<T> {
    const hasVectors = vectors.some((vector) => vector !== undefined);
    const body = hasVectors ? { type: PACKED, bytes: writePacked(json, vectors) } : jsonBody(json);
    return this.http.send({ method: 'POST', path, body, ...rest, read: whole(rest.read) });
  }

  /** Reads a file. */
  file<T>(path: string, call: Call | undefined, read: Ask<T>['read']): Promise<T> {
    return this.http.send({ method: 'GET', path, accept: FILE_TYPE, reads: true, call, read });
  }

  /** Sends a file. */
  sendFile(path: string, file: Uint8Array | Blob, call: Call | undefined): Promise<unknown> {
    const body = { type: FILE_TYPE, bytes: file as BodyInit };
    const read = (response: Response) => response.json() as Promise<unknown>;
    return this.http.send({ method: 'POST', path, body, accept: JSON_TYPE, reads: false, call, read: whole(read) });
  }
}

/** A body that cannot be parsed is no answer of ours; one that breaks off is told apart by what reads it. */
function whole<T>(read: Ask<T>['read']): Ask<T>['read'] {
  return async (response) => {
    try {
      return await read(response);
    } catch (error) {
      throw error instanceof SyntaxError ? noAnswer('JSON', error.message) : error;
    }
  };
}

async function onePacked(response: Response): Promise<Answer> {
  const answers = readPacked(await response.arrayBuffer());
  if (answers.length !== 1) throw noAnswer('one packed body', `${answers.length}`);
  return answers[0]!;
}

function jsonBody(json: string | undefined): Ask<unknown>['body'] {
  return json === undefined ? undefined : { type: JSON_TYPE, bytes: json };
}

/** The JSON of an object with more fields. */
function joined(json: string | undefined, fields: string): string {
  return json === undefined || json === '{}' ? `{${fields}}` : `${json.slice(0, -1)},${fields}}`;
}

function listed(ids: string[]): string {
  return `"ids":${JSON.stringify(ids.map(idOf))}`;
}

/** The path of a collection. Names that no path can hold are those of none. */
function pathOf(name: string): string {
  if (name !== '' && name !== '.' && name !== '..' && !/\p{Surrogate}/u.test(name)) {
    return `collections/${encodeURIComponent(name)}`;
  }
  const hint = 'create the collection first, or list the collections to see their names';
  throw new KithError({ code: 'unknown_collection', message: `collection ${JSON.stringify(name)} not found`, hint });
}

/** The query string of a request; what is null or left out is not in it. */
function query(request: string): string {
  const fields = Object.entries(JSON.parse(request) as Record<string, unknown>);
  const given = fields.filter(([, value]) => value !== null).map(([name, value]) => [name, String(value)]);
  return given.length === 0 ? '' : `?${new URLSearchParams(given)}`;
}
