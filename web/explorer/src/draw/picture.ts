// What is drawn, as typed arrays that the page fills and the drawings read; and what a drawing is.

import type { Camera } from './camera.js';

export interface Picture {
  nodes: number;
  /** x and y of each node. */
  xy: Float32Array;
  /** Red, green, blue and opacity of each; 0 of that for what is not shown. */
  nodeColours: Uint8Array;
  /** In pixels. */
  radii: Float32Array;
  edges: number;
  /** Source and target of each edge. */
  ends: Uint32Array;
  edgeColours: Uint8Array;
  /** In pixels. */
  widths: Float32Array;
}

export const EMPTY: Picture = {
  nodes: 0,
  xy: new Float32Array(0),
  nodeColours: new Uint8Array(0),
  radii: new Float32Array(0),
  edges: 0,
  ends: new Uint32Array(0),
  edgeColours: new Uint8Array(0),
  widths: new Float32Array(0),
};

/** Draws pictures on canvases of its own. */
export interface Drawing {
  readonly kind: 'webgl' | 'canvas';
  /** Takes another picture, or the same with other nodes, edges, colours or sizes. */
  take(picture: Picture): void;
  /** The places of the same picture have changed. */
  takePlaces(): void;
  /** `part` of the edges is drawn, 0 to 1, at once; false when more of the picture is to come with the next calls. */
  draw(camera: Camera, part: number): boolean;
  /** In pixels of the page, and how many of the screen one of them is. */
  resize(width: number, height: number, ratio: number): void;
  /** Calls back when what it held was lost and taken anew, or cannot be: then another drawing is wanted. */
  onLost(again: () => void, refused: () => void): void;
  /** Draws all of it into a canvas of the same size. */
  copyTo(context: CanvasRenderingContext2D, camera: Camera): void;
  end(): void;
}
