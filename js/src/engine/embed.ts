// Texts that come without a vector, given one by the caller's function: documents before they are written, queries before
// they are searched. What is embedded of them is what the core takes for an embedder of its own (core/src/collection/embedding.rs).

import { type EncodedDocuments, encodeVector } from '../encode.js';
import { cancelled, invalidRequest } from '../errors.js';
import type { AddOptions, CallOptions, CollectionInfo, Embed, SearchRequest, Vector } from '../types.js';
import type { EncodedSearch } from './answers.js';
import { heeding } from './backend.js';
import { BATCH_MAX, BULK_MAX, SEARCHES_MAX, checkCount } from './limits.js';

/** So many texts are given to the function at once, at the most. */
export const TEXTS_MAX = 256;

/** A function that embeds, or none. */
export function checkEmbed(embed: unknown): Embed | undefined {
  if (embed === undefined || embed === null) return undefined;
  if (typeof embed !== 'function') throw invalidRequest('embed that is a function', embed);
  return embed as Embed;
}

/** A function, and for whom: one of the database leaves collections alone that have an embedder of their own. */
export interface EmbedGiven {
  embed: Embed;
  isOfDatabase: boolean;
}

/** Of documents what a vector is made of, and where it goes. */
export type Fillable = Pick<EncodedDocuments, 'vectors' | 'metadata'>;

/** What decides what the function is given. */
type Fields = CollectionInfo['fields'];

/** The function of a collection. */
export class Embedding {
  readonly #given: EmbedGiven;
  readonly #info: () => Promise<CollectionInfo>;
  #asked: Promise<CollectionInfo> | undefined;

  /** `info` is asked once. */
  constructor(given: EmbedGiven, info: () => Promise<CollectionInfo>) {
    this.#given = given;
    this.#info = info;
  }

  /** Whether what comes without a vector is this function's to embed. */
  isFor({ embedder }: CollectionInfo): boolean {
    if (embedder === null) return true;
    if (this.#given.isOfDatabase) return false;
    throw invalidRequest('an embed function for a collection without an embedder of its own', embedder);
  }

  /**
   * Gives documents without a vector one, where they have texts; nothing to wait for where none is to be given. The other
   * vectors are the caller's, who may go on with them when this returns.
   */
  fill({ vectors, metadata }: Fillable, options: AddOptions | undefined): Promise<void> | undefined {
    const bare = vectors.flatMap((vector, i) => (vector === undefined && metadata[i] !== undefined ? [i] : []));
    if (bare.length === 0) return undefined;
    vectors.forEach((vector, i) => (vectors[i] = vector?.slice()));
    return heeding(async (signal) => {
      const fields = await this.#fields();
      if (fields === undefined) return;
      // Before anything is embedded, which may be paid for.
      checkCount('a batch', vectors.length, options?.bulk ? BULK_MAX : BATCH_MAX);
      const texts = bare.map((at) => textOf(JSON.parse(metadata[at]!), fields));
      const made = await this.#vectors(texts, 'documents', signal);
      bare.forEach((at, i) => (vectors[at] = made[i]));
    }, options);
  }

  /**
   * Gives queries with a text and no vector one; nothing to wait for where none is to be given. Where no words are searched,
   * the vector takes the place of the text. The other vectors are the caller's, as those of documents are.
   */
  ask(searches: EncodedSearch[], options: CallOptions | undefined): Promise<void> | undefined {
    const bare = searches.flatMap(([json, vector], at) => {
      if (vector) return [];
      const request = JSON.parse(json) as SearchRequest;
      return isBare(request) ? [{ at, request }] : [];
    });
    if (bare.length === 0) return undefined;
    for (const search of searches) search[1] = search[1]?.slice();
    return heeding(async (signal) => {
      const fields = await this.#fields();
      if (fields === undefined) return;
      checkCount('a batch of searches', searches.length, SEARCHES_MAX);
      const made = await this.#vectors(bare.map(({ request }) => aboutOf(request)), 'search', signal);
      bare.forEach(({ at, request }, i) => {
        const { text, ...rest } = request;
        if (made[i]) searches[at] = [JSON.stringify(fields === null ? rest : request), made[i]];
      });
    }, options);
  }

  /** A vector for each text that says anything. */
  async #vectors(texts: string[], what: 'documents' | 'search', signal: AbortSignal | undefined): Promise<(Float32Array | undefined)[]> {
    const vectors: (Float32Array | undefined)[] = texts.map(() => undefined);
    const some = texts.flatMap((text, at) => (NO_BLANK.test(text) ? [{ at, text }] : []));
    for (let from = 0; from < some.length; from += TEXTS_MAX) {
      // Who has given up pays no more.
      if (signal?.aborted) throw cancelled('the call', signal.reason);
      const part = some.slice(from, from + TEXTS_MAX);
      const made: readonly Vector[] = await this.#given.embed(part.map(({ text }) => text), { for: what, signal });
      if (!Array.isArray(made) || made.length !== part.length) {
        throw invalidRequest(`an embed function that answers an array of ${part.length} vectors`, Array.isArray(made) ? made.length : made);
      }
      // The function may fill one array again and again.
      part.forEach(({ at }, i) => (vectors[at] = encodeVector(made[i]).slice()));
    }
    return vectors;
  }

  /** The fields that are embedded; undefined where the engine does it. */
  async #fields(): Promise<Fields | undefined> {
    this.#asked ??= this.#info();
    try {
      const info = await this.#asked;
      return this.isFor(info) ? info.fields : undefined;
    } catch (error) {
      this.#asked = undefined;
      throw error;
    }
  }
}

/** Whether a query is to be embedded. */
export function isBare(request: Pick<SearchRequest, 'text' | 'vector'>): boolean {
  return typeof request?.text === 'string' && (request.vector === undefined || request.vector === null);
}

function aboutOf({ text, plain }: Pick<SearchRequest, 'text' | 'plain'>): string {
  return plain ? text! : positive(text!);
}

/** The texts of a document, by field, one a line; those at the top level where none are searched by words. */
export function textOf(metadata: Record<string, unknown>, fields: Fields): string {
  const texts: [string, string][] = [];
  const collect = (object: Record<string, unknown>, above: string) => {
    for (const [name, value] of Object.entries(object)) {
      if (typeof value === 'string') texts.push([above + name, value]);
      else if (isObject(value) && fields !== null && fields !== 'top_level') collect(value, `${above}${name}.`);
    }
  };
  collect(metadata, '');
  const wanted = Array.isArray(fields) ? texts.filter(([name]) => fields.includes(name)) : texts;
  wanted.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return wanted.map(([, text]) => text).join('\n');
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What a text that says anything has. */
const NO_BLANK = /\P{White_Space}/u;

/** A sign, a field, and a phrase or a word, as core/src/text/syntax.rs reads them, with Rust's letters, digits and blanks. */
const CLAUSE =
  /([+-](?=[\p{Alphabetic}\p{N}"“”„]))?(?:["“”„]([^"“”„]*)["“”„]|([^\p{White_Space}:]*:(?=[\p{Alphabetic}\p{N}"“”„]))?(?:["“”„]([^"“”„]*)["“”„]|(\P{White_Space}+)))/gu;

/** What a query is about: its words without signs, and without what must not be there. */
export function positive(text: string): string {
  let isPlain = true;
  const kept: string[] = [];
  for (const [, sign, phrase, field, fieldPhrase, word] of text.matchAll(CLAUSE)) {
    const bare = word?.replace(/(?<=[\p{Alphabetic}\p{N}])[*~]$/u, '');
    isPlain &&= sign === undefined && field === undefined && bare !== undefined && bare === word;
    if (sign !== '-') kept.push((phrase ?? fieldPhrase ?? bare)!);
  }
  return isPlain && kept.length > 0 ? text : kept.join(' ');
}
