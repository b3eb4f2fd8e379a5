// Which piece of the plane is in view. A camera is a value; moving it makes another. y grows downwards, as on the page.

import type { Bounds } from '../compute/pick.js';

export interface Camera {
  /** The place in the middle of the view. */
  x: number;
  y: number;
  /** Pixels a unit. */
  scale: number;
  /** The size of the view in pixels. */
  width: number;
  height: number;
  /** How large discs are drawn, of 1: smaller where they are so many that they would cover one another. */
  disc: number;
}

const SCALE_MIN = 1e-4;
const SCALE_MAX = 1e4;
/** What is left free around what is fitted, in pixels. */
const MARGIN = 48;
/** Pixels between points from which on discs are as large as they can be, and how small they can be. */
const APART = 14;
const DISC_MIN = 0.35;

export const START: Camera = { x: 0, y: 0, scale: 1, width: 1, height: 1, disc: 1 };

export const toScreen = (camera: Camera, x: number, y: number): [x: number, y: number] => [
  (x - camera.x) * camera.scale + camera.width / 2,
  (y - camera.y) * camera.scale + camera.height / 2,
];

export const toPlane = (camera: Camera, x: number, y: number): [x: number, y: number] => [
  (x - camera.width / 2) / camera.scale + camera.x,
  (y - camera.height / 2) / camera.scale + camera.y,
];

/** Moves what is seen by pixels. */
export const moved = (camera: Camera, dx: number, dy: number): Camera => ({
  ...camera,
  x: camera.x - dx / camera.scale,
  y: camera.y - dy / camera.scale,
});

/** Zooms by a factor; the place under a pixel stays there. */
export function zoomed(camera: Camera, factor: number, atX = camera.width / 2, atY = camera.height / 2): Camera {
  const [x, y] = toPlane(camera, atX, atY);
  const scale = Math.min(SCALE_MAX, Math.max(SCALE_MIN, camera.scale * factor));
  return {
    ...camera,
    scale,
    x: x - (atX - camera.width / 2) / scale,
    y: y - (atY - camera.height / 2) / scale,
  };
}

/** Shows all of a piece, at no more than `most` pixels a unit. */
export function fitted(camera: Camera, bounds: Bounds | null, most = 6): Camera {
  if (!bounds) return { ...camera, x: 0, y: 0, scale: 1 };
  const free = (length: number) => Math.max(length - 2 * MARGIN, length / 2, 1);
  const wide = free(camera.width) / Math.max(bounds.right - bounds.left, 1e-9);
  const high = free(camera.height) / Math.max(bounds.bottom - bounds.top, 1e-9);
  const scale = Math.min(SCALE_MAX, most, Math.max(SCALE_MIN, Math.min(wide, high)));
  return { ...camera, scale, x: (bounds.left + bounds.right) / 2, y: (bounds.top + bounds.bottom) / 2 };
}

/** With discs for points that are `spacing` units apart on average. */
export const withDiscs = (camera: Camera, spacing: number): Camera => ({
  ...camera, disc: Math.min(1, Math.max(DISC_MIN, (spacing * camera.scale) / APART)),
});

/** The piece that is in view, and so many pixels around it. */
export function inView(camera: Camera, around = 0): Bounds {
  const [left, top] = toPlane(camera, -around, -around);
  const [right, bottom] = toPlane(camera, camera.width + around, camera.height + around);
  return { left, right, top, bottom };
}
