// Why a result came, in words: pure functions over an explanation.

import type { Explanation } from '../../data/types.js';
import { count, number, ordinal, percent, score, shorten } from '../../parts/format.js';
import type { Settings, Sides } from './query.js';

/** An id in a sentence. */
const ID_MAX = 60;

/** Why a result came. */
export interface Reason {
  /** What it is, without what comes of it. */
  short: string;
  /** The whole sentence. */
  long: string;
}

/** The sentences of a result, one for each part that was asked for. */
export function reasons(explanation: Explanation | undefined, sides: Sides, metric: string): Reason[] {
  if (!explanation) return [];
  const { vector, words, graph, decay } = explanation;
  const told: Reason[] = [];
  if (graph) told.push(byGraph(graph));
  const adds = graph ? 'alone that would be' : 'that adds';
  if (sides.vector) {
    told.push(vector
      ? reason(`By meaning it is the ${ordinal(vector.rank)}, at a ${metric} distance of ${number(vector.distance)}`, `${adds} ${score(vector.contribution)}.`)
      : reason('By meaning it is not among the nearest, so that adds nothing.'));
  }
  if (sides.words) {
    told.push(words
      ? reason(`By words it is the ${ordinal(words.rank)}, for ${list([...new Set(words.terms.map(({ term }) => `\u201c${term}\u201d`))])}`, `${adds} ${score(words.contribution)}.`)
      : reason('None of its words matched well enough, so they add nothing.'));
  }
  if (decay) {
    const touched = decay.touches === 0 ? '' : `, touched ${decay.touches.toLocaleString('en')} times`;
    told.push(reason(`Time leaves ${percent(decay.factor)} of the sum`, `it is counted from ${decay.since}${touched}.`));
  }
  return told;
}

const reason = (short: string, rest?: string): Reason => ({ short, long: rest === undefined ? short : `${short}: ${rest}` });

/** What a hit lent along edges. */
function byGraph({ hit, score: lent, damping, edges, contribution }: NonNullable<Explanation['graph']>): Reason {
  const way = edges.map(({ source, relation, target }) => `${shorten(source, ID_MAX)} \u2013${shorten(relation, ID_MAX)}\u2192 ${shorten(target, ID_MAX)}`);
  return reason(`By the graph it is linked with the hit ${shorten(hit, ID_MAX)}, which scores ${score(lent)}`,
    `each of ${count(edges.length, 'edge')} leaves ${percent(damping)}, so that ${score(contribution)} is lent along ${list(way)}.`);
}

/** How the two sides became one score. */
export function fusion(sides: Sides, settings: Settings): string {
  if (!sides.vector || !sides.words) return '';
  if (settings.rrf !== null) return `Each side adds 1 / (${settings.rrf} + place).`;
  return 'Each side\u2019s candidates are scaled from 0, the last, to 1, the first; then meaning counts '
    + `${percent(settings.alpha)} and words ${percent(1 - settings.alpha)}.`;
}

function list(all: string[]): string {
  return all.length < 2 ? all.join('') : `${all.slice(0, -1).join(', ')} and ${all.at(-1)}`;
}

/** What became of a result from one ranking to another. */
export type Move = { kind: 'same' } | { kind: 'up' | 'down'; by: number; from: number } | { kind: 'new' };

/** Where each of `now` was in `before`, by id. */
export function moves(before: readonly { id: string }[], now: readonly { id: string }[]): Map<string, Move> {
  const places = new Map(before.map(({ id }, i) => [id, i]));
  return new Map(now.map(({ id }, i) => [id, moveOf(places.get(id), i)]));
}

function moveOf(was: number | undefined, is: number): Move {
  if (was === undefined) return { kind: 'new' };
  if (was === is) return { kind: 'same' };
  return { kind: was > is ? 'up' : 'down', by: Math.abs(was - is), from: was + 1 };
}
