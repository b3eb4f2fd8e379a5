// The two directions in which vectors differ most, and where each vector lies along them: principal components by block
// power iteration (Halko, Martinsson, Tropp, "Finding structure with randomness", 2011, algorithm 4.4), from a seed.

import { PCA } from './defaults.js';
import { seeded } from './random.js';

/** A projection into the plane. */
export interface Plane {
  /** x and y of each vector. */
  xy: Float32Array;
  /** What share of all variance each of the two axes holds. */
  shares: [number, number];
}

/**
 * Projects `rows`, which are `rows.length / dim` vectors one behind the other.
 *
 * The axes come from at most `PCA.fitMax` of them, evenly spread. Time is of `fitted * dim * block * rounds`.
 */
export function project(rows: Float32Array, dim: number): Plane {
  const count = dim === 0 ? 0 : rows.length / dim;
  if (count === 0) return { xy: new Float32Array(0), shares: [0, 0] };
  const sample = spread(rows, dim, PCA.fitMax);
  const mean = meanOf(sample, dim);
  const variance = centre(sample, dim, mean);
  const size = Math.min(PCA.block, dim);
  const { axes, values } = principal(sample, dim, size);
  const fitted = sample.length / dim;
  const share = (at: number) => (variance > 0 ? (values[at] ?? 0) / fitted / variance : 0);
  const xy = new Float32Array(2 * count);
  for (let row = 0; row < count; row += 1) {
    for (let axis = 0; axis < Math.min(2, size); axis += 1) {
      let sum = 0;
      for (let at = 0; at < dim; at += 1) {
        sum += ((rows[row * dim + at] as number) - (mean[at] as number)) * (axes[axis * dim + at] as number);
      }
      xy[2 * row + axis] = sum;
    }
  }
  return { xy, shares: [share(0), share(1)] };
}

/** Makes all vectors one long, in place: what compares directions sees no lengths. One of zeros stays. */
export function toUnits(rows: Float32Array, dim: number): void {
  for (let from = 0; from < rows.length; from += dim) {
    let sum = 0;
    for (let at = from; at < from + dim; at += 1) sum += (rows[at] as number) ** 2;
    if (sum === 0) continue;
    const factor = 1 / Math.sqrt(sum);
    for (let at = from; at < from + dim; at += 1) rows[at] = (rows[at] as number) * factor;
  }
}

/** At most `most` rows, evenly spread, in f64. */
function spread(rows: Float32Array, dim: number, most: number): Float64Array {
  const count = rows.length / dim;
  const taken = Math.min(count, most);
  const out = new Float64Array(taken * dim);
  for (let row = 0; row < taken; row += 1) {
    const from = Math.floor((row * count) / taken) * dim;
    out.set(rows.subarray(from, from + dim), row * dim);
  }
  return out;
}

function meanOf(rows: Float64Array, dim: number): Float64Array {
  const mean = new Float64Array(dim);
  const count = rows.length / dim;
  for (let at = 0; at < rows.length; at += 1) mean[at % dim]! += rows[at] as number;
  return mean.map((sum) => sum / count);
}

/** Moves the rows so that their mean is 0; answers their variance over all directions. */
function centre(rows: Float64Array, dim: number, mean: Float64Array): number {
  let sum = 0;
  for (let at = 0; at < rows.length; at += 1) {
    const moved = (rows[at] as number) - (mean[at % dim] as number);
    rows[at] = moved;
    sum += moved * moved;
  }
  return sum / (rows.length / dim);
}

/** The first directions of centred rows, and the sum of squares along each, the greatest first. */
function principal(rows: Float64Array, dim: number, size: number): { axes: Float64Array; values: Float64Array } {
  const random = seeded(PCA.seed);
  let axes: Float64Array = Float64Array.from({ length: size * dim }, () => random() - 0.5);
  orthonormal(axes, dim, size);
  for (let round = 0; round < PCA.rounds; round += 1) {
    axes = times(rows, dim, axes, size);
    orthonormal(axes, dim, size);
  }
  // Within what they span, the directions are those of a small matrix.
  const images = times(rows, dim, axes, size);
  const small = new Float64Array(size * size);
  for (let a = 0; a < size; a += 1) {
    for (let b = 0; b < size; b += 1) small[a * size + b] = dot(axes, a * dim, images, b * dim, dim);
  }
  const { vectors, values } = eigen(small, size);
  const turned = new Float64Array(size * dim);
  for (let axis = 0; axis < size; axis += 1) {
    for (let from = 0; from < size; from += 1) add(turned, axis * dim, axes, from * dim, dim, vectors[from * size + axis] as number);
    pointUp(turned, axis * dim, dim);
  }
  return { axes: turned, values };
}

/** What `rows` transposed times `rows` makes of each direction. */
function times(rows: Float64Array, dim: number, axes: Float64Array, size: number): Float64Array {
  const out = new Float64Array(size * dim);
  for (let row = 0; row < rows.length; row += dim) {
    for (let axis = 0; axis < size; axis += 1) {
      add(out, axis * dim, rows, row, dim, dot(rows, row, axes, axis * dim, dim));
    }
  }
  return out;
}

/** Gram and Schmidt, twice; a direction that vanishes stays 0. */
function orthonormal(axes: Float64Array, dim: number, size: number): void {
  for (let axis = 0; axis < size; axis += 1) {
    const before = Math.sqrt(dot(axes, axis * dim, axes, axis * dim, dim));
    for (let pass = 0; pass < 2; pass += 1) {
      for (let from = 0; from < axis; from += 1) {
        add(axes, axis * dim, axes, from * dim, dim, -dot(axes, axis * dim, axes, from * dim, dim));
      }
    }
    const length = Math.sqrt(dot(axes, axis * dim, axes, axis * dim, dim));
    const scale = length > 1e-12 * before ? 1 / length : 0;
    for (let at = axis * dim; at < (axis + 1) * dim; at += 1) axes[at]! *= scale;
  }
}

/** Eigenvectors in columns and eigenvalues of a small symmetric matrix, the greatest first: Jacobi's rotations. */
function eigen(matrix: Float64Array, size: number): { vectors: Float64Array; values: Float64Array } {
  const vectors = new Float64Array(size * size);
  for (let at = 0; at < size; at += 1) vectors[at * size + at] = 1;
  for (let sweep = 0; sweep < 30; sweep += 1) {
    for (let p = 0; p < size; p += 1) {
      for (let q = p + 1; q < size; q += 1) rotate(matrix, vectors, size, p, q);
    }
  }
  const values = Float64Array.from({ length: size }, (_, at) => matrix[at * size + at] as number);
  const order = Array.from(values.keys()).sort((a, b) => (values[b] as number) - (values[a] as number));
  const sorted = new Float64Array(size * size);
  for (const [to, from] of order.entries()) {
    for (let row = 0; row < size; row += 1) sorted[row * size + to] = vectors[row * size + from] as number;
  }
  return { vectors: sorted, values: Float64Array.from(order, (from) => Math.max(0, values[from] as number)) };
}

function rotate(matrix: Float64Array, vectors: Float64Array, size: number, p: number, q: number): void {
  const off = matrix[p * size + q] as number;
  if (off === 0) return;
  const theta = ((matrix[q * size + q] as number) - (matrix[p * size + p] as number)) / (2 * off);
  const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const c = 1 / Math.sqrt(t * t + 1);
  const s = t * c;
  const turn = (values: Float64Array, a: number, b: number) => {
    const [x, y] = [values[a] as number, values[b] as number];
    values[a] = c * x - s * y;
    values[b] = s * x + c * y;
  };
  for (let at = 0; at < size; at += 1) turn(matrix, at * size + p, at * size + q);
  for (let at = 0; at < size; at += 1) turn(matrix, p * size + at, q * size + at);
  for (let at = 0; at < size; at += 1) turn(vectors, at * size + p, at * size + q);
}

/** A direction and its opposite are as good: the one whose largest component is positive is taken. */
function pointUp(axes: Float64Array, from: number, dim: number): void {
  let largest = 0;
  for (let at = from; at < from + dim; at += 1) {
    if (Math.abs(axes[at] as number) > Math.abs(largest)) largest = axes[at] as number;
  }
  if (largest < 0) for (let at = from; at < from + dim; at += 1) axes[at] = -(axes[at] as number);
}

function dot(a: Float64Array, from: number, b: Float64Array, start: number, dim: number): number {
  let sum = 0;
  for (let at = 0; at < dim; at += 1) sum += (a[from + at] as number) * (b[start + at] as number);
  return sum;
}

function add(to: Float64Array, from: number, what: Float64Array, start: number, dim: number, factor: number): void {
  for (let at = 0; at < dim; at += 1) to[from + at]! += factor * (what[start + at] as number);
}
