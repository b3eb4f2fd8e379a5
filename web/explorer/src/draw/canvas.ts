// Draws on a 2-D canvas, where there is no WebGL. A large picture takes many milliseconds: it is drawn in slices, one a frame,
// into a canvas that is not seen, so that the page answers meanwhile; until it is whole, what was drawn last is shown where the
// camera has moved it.

import { type Camera, START } from './camera.js';
import { type Drawing, EMPTY, type Picture } from './picture.js';

/** How long one slice may take, in milliseconds, and how much is drawn between two looks at the clock. */
const SLICE_MS = 5;
const AT_ONCE = 400;
/** Discs that are smaller, in pixels, are squares. */
const SQUARE_BELOW = 2.5;

/** A drawing in a canvas; null where there is no canvas either. */
export function canvasDrawing(canvas: HTMLCanvasElement): Drawing | null {
  const seen = canvas.getContext('2d');
  const work = document.createElement('canvas').getContext('2d');
  return seen && work ? new CanvasDrawing(seen, work) : null;
}

class CanvasDrawing implements Drawing {
  readonly kind = 'canvas';
  readonly #seen: CanvasRenderingContext2D;
  readonly #work: CanvasRenderingContext2D;
  #picture: Picture = EMPTY;
  #ratio = 1;
  /** What is being drawn, how far it is, and with which camera what is seen was drawn. */
  #camera: Camera | null = null;
  #edge = 0;
  #node = 0;
  #shown: Camera = START;

  constructor(seen: CanvasRenderingContext2D, work: CanvasRenderingContext2D) {
    this.#seen = seen;
    this.#work = work;
  }

  take(picture: Picture): void {
    this.#picture = picture;
    this.#camera = null;
  }

  takePlaces(): void {
    this.#camera = null;
  }

  draw(camera: Camera, _part: number): boolean {
    if (this.#camera !== camera) this.#begin(camera);
    const end = performance.now() + SLICE_MS;
    let whole = false;
    do whole = this.#more(this.#work, camera, AT_ONCE);
    while (!whole && performance.now() < end);
    this.#show(whole ? this.#work.canvas : null, camera);
    return whole;
  }

  resize(width: number, height: number, ratio: number): void {
    this.#ratio = ratio;
    for (const { canvas } of [this.#seen, this.#work]) {
      canvas.width = Math.max(1, Math.round(width * ratio));
      canvas.height = Math.max(1, Math.round(height * ratio));
    }
    this.#camera = null;
  }

  onLost(): void {
    // A 2-D canvas keeps what it holds.
  }

  copyTo(context: CanvasRenderingContext2D, camera: Camera): void {
    this.#begin(camera);
    while (!this.#more(context, camera, AT_ONCE));
    this.#camera = null;
  }

  end(): void {
    this.#camera = null;
  }

  #begin(camera: Camera): void {
    this.#camera = camera;
    this.#edge = 0;
    this.#node = 0;
    this.#work.setTransform(1, 0, 0, 1, 0, 0);
    this.#work.clearRect(0, 0, this.#work.canvas.width, this.#work.canvas.height);
    this.#work.setTransform(this.#ratio, 0, 0, this.#ratio, 0, 0);
  }

  /** Draws some more; whether that was all. */
  #more(context: CanvasRenderingContext2D, camera: Camera, count: number): boolean {
    const { nodes, edges } = this.#picture;
    if (this.#edge < edges) {
      const end = Math.min(edges, this.#edge + count);
      this.#drawEdges(context, camera, this.#edge, end);
      this.#edge = end;
      return false;
    }
    const end = Math.min(nodes, this.#node + count);
    this.#drawNodes(context, camera, this.#node, end);
    this.#node = end;
    return end === nodes;
  }

  #drawEdges(context: CanvasRenderingContext2D, { x, y, scale, width, height }: Camera, from: number, to: number): void {
    const { xy, ends, edgeColours, widths } = this.#picture;
    let look = -1;
    for (let edge = from; edge < to; edge += 1) {
      if (edgeColours[4 * edge + 3] === 0) continue;
      const next = packed(edgeColours, edge) * 64 + Math.round((widths[edge] as number) * 8);
      if (next !== look) {
        if (look >= 0) context.stroke();
        context.beginPath();
        context.strokeStyle = cssAt(edgeColours, edge);
        context.lineWidth = widths[edge] as number;
        look = next;
      }
      const [a, b] = [2 * (ends[2 * edge] as number), 2 * (ends[2 * edge + 1] as number)];
      context.moveTo(((xy[a] as number) - x) * scale + width / 2, ((xy[a + 1] as number) - y) * scale + height / 2);
      context.lineTo(((xy[b] as number) - x) * scale + width / 2, ((xy[b + 1] as number) - y) * scale + height / 2);
    }
    if (look >= 0) context.stroke();
  }

  #drawNodes(context: CanvasRenderingContext2D, { x, y, scale, width, height, disc }: Camera, from: number, to: number): void {
    const { xy, nodeColours, radii } = this.#picture;
    let look = -1;
    for (let node = from; node < to; node += 1) {
      if (nodeColours[4 * node + 3] === 0) continue;
      const atX = ((xy[2 * node] as number) - x) * scale + width / 2;
      const atY = ((xy[2 * node + 1] as number) - y) * scale + height / 2;
      const radius = (radii[node] as number) * disc;
      if (atX < -radius || atY < -radius || atX > width + radius || atY > height + radius) continue;
      const next = packed(nodeColours, node);
      if (next !== look) {
        context.fillStyle = cssAt(nodeColours, node);
        look = next;
      }
      if (radius < SQUARE_BELOW) {
        context.fillRect(atX - radius, atY - radius, 2 * radius, 2 * radius);
        continue;
      }
      context.beginPath();
      context.arc(atX, atY, radius, 0, 2 * Math.PI);
      context.fill();
    }
  }

  /** Shows what was drawn now, or what was drawn before moved to where it belongs. */
  #show(drawn: HTMLCanvasElement | null, camera: Camera): void {
    const { canvas } = this.#seen;
    this.#seen.setTransform(1, 0, 0, 1, 0, 0);
    if (drawn) {
      this.#seen.clearRect(0, 0, canvas.width, canvas.height);
      this.#seen.drawImage(drawn, 0, 0);
      this.#shown = camera;
      return;
    }
    const before = this.#shown;
    const zoom = camera.scale / before.scale;
    if (zoom === 1 && camera.x === before.x && camera.y === before.y) return;
    const ratio = this.#ratio;
    const left = ((before.x - camera.x) * camera.scale + (camera.width - before.width * zoom) / 2) * ratio;
    const top = ((before.y - camera.y) * camera.scale + (camera.height - before.height * zoom) / 2) * ratio;
    this.#seen.globalCompositeOperation = 'copy';
    this.#seen.drawImage(canvas, left, top, canvas.width * zoom, canvas.height * zoom);
    this.#seen.globalCompositeOperation = 'source-over';
    this.#shown = camera;
  }
}

const packed = (colours: Uint8Array, at: number): number =>
  (colours[4 * at] as number) * 2 ** 24 + (colours[4 * at + 1] as number) * 2 ** 16 +
  (colours[4 * at + 2] as number) * 256 + (colours[4 * at + 3] as number);

const cssAt = (colours: Uint8Array, at: number): string =>
  `rgba(${colours[4 * at]}, ${colours[4 * at + 1]}, ${colours[4 * at + 2]}, ${(colours[4 * at + 3] as number) / 255})`;
