// Which points lie within a line drawn around them.

/** Whether a point is inside a polygon (x and y of each corner), by the even-odd rule. */
export function isInside(polygon: ArrayLike<number>, x: number, y: number): boolean {
  let inside = false;
  const corners = polygon.length / 2;
  for (let at = 0, last = corners - 1; at < corners; last = at++) {
    const [ax, ay] = [polygon[2 * at] as number, polygon[2 * at + 1] as number];
    const [bx, by] = [polygon[2 * last] as number, polygon[2 * last + 1] as number];
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
  }
  return inside;
}

/** The numbers of the points inside, of those whose mask is not 0. */
export function within(polygon: ArrayLike<number>, xy: Float32Array, mask: Uint8Array): Uint32Array {
  let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity];
  for (let at = 0; at < polygon.length; at += 2) {
    [left, right] = [Math.min(left, polygon[at] as number), Math.max(right, polygon[at] as number)];
    [top, bottom] = [Math.min(top, polygon[at + 1] as number), Math.max(bottom, polygon[at + 1] as number)];
  }
  const found: number[] = [];
  for (let point = 0; point < mask.length; point += 1) {
    if (!mask[point]) continue;
    const [x, y] = [xy[2 * point] as number, xy[2 * point + 1] as number];
    if (x < left || x > right || y < top || y > bottom) continue;
    if (isInside(polygon, x, y)) found.push(point);
  }
  return Uint32Array.from(found);
}
