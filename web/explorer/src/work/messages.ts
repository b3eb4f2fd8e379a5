// What goes between the page and its Workers. Buffers are handed over, never copied where they are large.

import type { Plane } from '../compute/pca.js';

export type LayoutRequest =
  | {
      kind: 'begin';
      run: number;
      xy: Float32Array;
      ends: Uint32Array;
      weights: Float32Array;
      fixed: Uint8Array;
      /** It ends after so many milliseconds, or earlier when nothing moves. */
      ms: number;
      /** Tell the end alone: for those who want nothing to move. */
      still: boolean;
    }
  | { kind: 'hold'; node: number; x: number; y: number; fixed: boolean }
  /** Places were drawn: their buffer comes back, and the next may be told. */
  | { kind: 'drawn'; xy: Float32Array }
  | { kind: 'end' };

export interface LayoutAnswer {
  run: number;
  /** None when the end is told and nothing has moved since. */
  xy: Float32Array | null;
  done: boolean;
  steps: number;
}

export interface CommunitiesRequest {
  nodes: number;
  ends: Uint32Array;
  weights: Float32Array;
}

export interface CommunitiesAnswer {
  of: Uint32Array;
  sizes: Uint32Array;
}

export interface ProjectRequest {
  rows: Float32Array;
  dim: number;
  /** Whether the metric compares directions alone. */
  isAngular: boolean;
}

export type ProjectAnswer = Plane;

/** A Worker's answer to one question: the answer, or what went wrong. */
export type Answer<T> = { answer: T } | { failed: string };
