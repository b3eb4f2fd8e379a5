// Which point is under the pointer, and which points have room for a label: plain passes over typed arrays, which take a
// fraction of a millisecond for 50,000 points and need no index that moving points would make stale.

/** The shown point nearest to a place, within a distance; -1 for none. */
export function nearestPoint(xy: Float32Array, shown: Uint8Array, x: number, y: number, reach: number): number {
  let best = reach * reach;
  let found = -1;
  for (let point = 0; point < shown.length; point += 1) {
    if (!shown[point]) continue;
    const dx = (xy[2 * point] as number) - x;
    const dy = (xy[2 * point + 1] as number) - y;
    const distance = dx * dx + dy * dy;
    if (distance > best) continue;
    best = distance;
    found = point;
  }
  return found;
}

/** A piece of the plane. */
export interface Bounds {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

/** The smallest piece that holds all shown points; null when there is none. */
export function boundsOf(xy: Float32Array, shown: Uint8Array): Bounds | null {
  let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity];
  for (let point = 0; point < shown.length; point += 1) {
    if (!shown[point]) continue;
    const [x, y] = [xy[2 * point] as number, xy[2 * point + 1] as number];
    if (x < left) left = x;
    if (x > right) right = x;
    if (y < top) top = y;
    if (y > bottom) bottom = y;
  }
  return left <= right ? { left, right, top, bottom } : null;
}

/**
 * The points that get a label: of each cell of the view the one that counts most, and the most important of all those.
 * `first` always have one, where they are in view.
 */
export function labelled(
  xy: Float32Array,
  shown: Uint8Array,
  importance: Float32Array,
  view: Bounds,
  cell: number,
  most: number,
  first: readonly number[],
): number[] {
  // Labels are wide and low.
  const low = cell / 4;
  const columns = Math.max(1, Math.ceil((view.right - view.left) / cell));
  const rows = Math.max(1, Math.ceil((view.bottom - view.top) / low));
  const best = new Int32Array(columns * rows).fill(-1);
  for (let point = 0; point < shown.length; point += 1) {
    if (!shown[point]) continue;
    const column = Math.floor(((xy[2 * point] as number) - view.left) / cell);
    const row = Math.floor(((xy[2 * point + 1] as number) - view.top) / low);
    if (column < 0 || column >= columns || row < 0 || row >= rows) continue;
    const at = row * columns + column;
    const there = best[at] as number;
    if (there < 0 || (importance[point] as number) > (importance[there] as number)) best[at] = point;
  }
  const always = first.filter((point) => shown[point] && isIn(view, xy, point));
  const taken = new Set(always);
  const others = Array.from(best).filter((point) => point >= 0 && isIn(view, xy, point) && !taken.has(point));
  others.sort((a, b) => (importance[b] as number) - (importance[a] as number) || a - b);
  return [...always, ...others].slice(0, Math.max(most, always.length));
}

function isIn(view: Bounds, xy: Float32Array, point: number): boolean {
  const [x, y] = [xy[2 * point] as number, xy[2 * point + 1] as number];
  return x >= view.left && x <= view.right && y >= view.top && y <= view.bottom;
}
