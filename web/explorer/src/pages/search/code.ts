// A search as something to paste: into a terminal, into a program in TypeScript or in Python. No token is ever part of it.

import type { Source } from '../../data/sources.js';
import { tokenFor } from '../../data/tokens.js';
import type { SearchRequest } from '../../data/types.js';

/** A search, and where it is asked. */
export interface Asked {
  source: Source;
  collection: string;
  request: SearchRequest;
}

/** The languages, with what their code is made by; a terminal or Python cannot ask a browser. */
export const LANGUAGES: readonly { name: string; hasBrowser: boolean; write: (asked: Asked) => string }[] = [
  { name: 'curl', hasBrowser: false, write: asCurl },
  { name: 'TypeScript', hasBrowser: true, write: asTypeScript },
  { name: 'Python', hasBrowser: false, write: asPython },
];

function asCurl({ source, collection, request }: Asked): string {
  const lines = [`curl -s ${quoted(addressOf(source, collection))}`, "-H 'content-type: application/json'"];
  if (isLocked(source)) lines.push('-H "authorization: Bearer $KITH_TOKEN"');
  return [...lines, `-d ${quoted(json(request))}`].join(' \\\n  ');
}

function asTypeScript({ source, collection, request }: Asked): string {
  const token = source.kind !== 'browser' && isLocked(source) ? ', { token: process.env.KITH_TOKEN }' : '';
  const where = source.kind === 'browser'
    ? ["import { open } from 'kithdb';", '', `const database = await open(${literal(source.name!)});`]
    : ["import { connect } from 'kithdb';", '', `const database = await connect(${literal(source.address!)}${token});`];
  const parts = Object.entries(plain(request)).map(([name, value]) => `  ${name}: ${JSON.stringify(value)},`);
  return [
    ...where,
    `const { hits } = await database.collection(${literal(collection)}).search({`,
    ...parts,
    '});',
    'for (const hit of hits) console.log(hit.score, hit.id);',
  ].join('\n');
}

function asPython({ source, collection, request }: Asked): string {
  const token = ['request.add_header("authorization", "Bearer " + os.environ["KITH_TOKEN"])'];
  const body = JSON.stringify(json(request)).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');
  return [
    'import json, os, urllib.request',
    '',
    `request = urllib.request.Request(${JSON.stringify(addressOf(source, collection))}, method="POST")`,
    'request.add_header("content-type", "application/json")',
    ...(isLocked(source) ? token : []),
    `body = ${body}`,
    'with urllib.request.urlopen(request, body.encode()) as answer:',
    '    for hit in json.load(answer)["hits"]:',
    '        print(hit["score"], hit["id"])',
  ].join('\n');
}

const addressOf = (source: Source, collection: string): string =>
  new URL(`v1/collections/${encodeURIComponent(collection)}/search`, source.address!).href;

/** Whether the server wanted a token, which is then in the environment of whoever pastes this. */
const isLocked = (source: Source): boolean => tokenFor(source.address!) !== undefined;

const plain = (request: SearchRequest): SearchRequest =>
  request.vector ? { ...request, vector: [...request.vector] } : request;

const json = (request: SearchRequest): string => JSON.stringify(plain(request));

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

const literal = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\n', '\\n')}'`;
