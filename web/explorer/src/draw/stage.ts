// A picture on the page: its canvases, the camera, and one frame at a time. It draws with WebGL or, where that is missing, on a
// 2-D canvas, and only when something has changed.

import { LOOK } from '../compute/defaults.js';
import { type Bounds, boundsOf, labelled, nearestPoint } from '../compute/pick.js';
import { type Camera, START, fitted, inView, moved, toPlane, withDiscs, zoomed } from './camera.js';
import { canvasDrawing } from './canvas.js';
import { listen } from './gestures.js';
import { NO_OVERLAY, type Overlay, drawOverlay, labelText } from './overlay.js';
import { type Drawing, EMPTY, type Picture } from './picture.js';
import { svgOf } from './svg.js';
import { webglDrawing } from './webgl.js';

/** What a stage tells its page. */
export interface StageEvents {
  /** A click on a node, or -1 on none. */
  picked(node: number, held: boolean): void;
  opened(node: number): void;
  hovered(node: number): void;
  /** A node was dragged to another place. */
  moved(node: number, x: number, y: number, done: boolean): void;
  /** A line was drawn: x and y of each corner in the plane. */
  lassoed(polygon: number[]): void;
  /** A key that is not for the view. */
  key(name: string): boolean;
  labelOf(node: number): string;
  /** It goes on without WebGL, which the driver has refused. */
  fellBack?(): void;
  /** What part of the edges is drawn at rest, once that is another: not all on a machine that would take seconds for it. */
  drawn?(part: number): void;
}

export interface StageOptions {
  /** Never WebGL: for those whose driver draws it wrongly, and for tests of the other way. */
  plain?: boolean;
  /** Points of a map: they cannot be dragged, and are drawn as large as they are, however many. */
  isFixed?: boolean;
}

/** A frame that took longer than this while something moves means that there is too much to draw for this machine. */
const SLOW_MS = 60;
const QUICK_MS = 24;
/** The least part of the edges that is drawn while something moves, and how many are at first. */
const PART_MIN = 1 / 64;
const EDGES_FIRST = 40_000;
/** At rest a picture may take so many times longer than while something moves. */
const REST_FACTOR = 16;
/** After so long without a movement all is drawn. */
const REST_MS = 180;
/** For so long labels stay while a layout runs. */
const LABELS_MS = 300;
/** How far an arrow key moves the view, in pixels. */
const KEY_STEP = 60;

export class Stage {
  readonly #holder: HTMLElement;
  readonly #events: StageEvents;
  readonly #isFixed: boolean;
  #drawing: Drawing;
  readonly #above: CanvasRenderingContext2D;
  readonly #ends: (() => void)[] = [];
  #camera: Camera = START;
  #picture: Picture = EMPTY;
  #shown: Uint8Array = new Uint8Array(0);
  #importance: Float32Array = new Float32Array(0);
  #overlay: Overlay = NO_OVERLAY;
  #first: readonly number[] = [];
  #ratio = 1;
  #frame = 0;
  #lastFrame = 0;
  #movedAt = 0;
  #part = 1;
  #wasMoving = false;
  #resting = 1;
  #rest = 0;
  #held = -1;
  #line: number[] | null = null;
  #lassoing = false;
  #asked = false;
  #fitNext = true;
  /** Whether places are about to change, so that to draw everything now would be in vain. */
  isRestless = false;
  #spacing = 0;
  #kept: Overlay['labels'] = [];
  #labelledAt = 0;
  /** Whether all of it is kept in view while places change: until the reader looks somewhere himself. */
  follow = true;

  constructor(holder: HTMLElement, events: StageEvents, options: StageOptions = {}) {
    this.#holder = holder;
    this.#events = events;
    this.#isFixed = options.isFixed ?? false;
    this.#drawing = this.#makeDrawing(options.plain ?? false);
    const above = this.#canvas().getContext('2d');
    if (!above) throw new Error('this browser draws on no canvas');
    this.#above = above;
    this.#watch();
    const sizes = new ResizeObserver(() => this.#resize());
    sizes.observe(holder);
    this.#ends.push(() => sizes.disconnect(), this.#listen());
    this.#resize();
  }

  get kind(): 'webgl' | 'canvas' {
    return this.#drawing.kind;
  }

  get camera(): Camera {
    return this.#camera;
  }

  /** Shows a picture. `shown` are the nodes that can be pointed at, `importance` decides which of them have labels. */
  show(picture: Picture, shown: Uint8Array, importance: Float32Array): void {
    if (picture.edges !== this.#picture.edges) this.#part = Math.min(1, EDGES_FIRST / Math.max(1, picture.edges));
    this.#picture = picture;
    this.#shown = shown;
    this.#importance = importance;
    this.#labelledAt = 0;
    this.#measure();
    this.#drawing.take(picture);
    if (this.#fitNext && picture.nodes > 0) this.fit();
    this.redraw();
  }

  /** The places of the picture have changed. */
  places(): void {
    this.#drawing.takePlaces();
    this.#movedAt = performance.now();
    const bounds = this.#measure();
    if (this.follow) this.#fitTo(bounds);
    this.redraw();
  }

  /** What stands above it, but for its labels; `first` have a label wherever they are in view. */
  mark(overlay: Omit<Overlay, 'labels' | 'lasso'>, first: readonly number[]): void {
    this.#overlay = { ...overlay, labels: [], lasso: null };
    this.#first = first;
    this.redraw();
  }

  /** Whether a drag draws a line around nodes. */
  set lassoing(on: boolean) {
    this.#lassoing = on;
    this.#holder.style.cursor = on ? 'crosshair' : '';
  }

  /** Shows everything, now or as soon as there is something. */
  fit(): void {
    this.#fitTo(boundsOf(this.#picture.xy, this.#shown));
  }

  #fitTo(bounds: Bounds | null): void {
    this.#fitNext = bounds === null;
    this.#look(fitted(this.#camera, bounds));
  }

  /** Brings a node to the middle. */
  centre(node: number): void {
    this.follow = false;
    this.#look({ ...this.#camera, x: this.#picture.xy[2 * node] ?? 0, y: this.#picture.xy[2 * node + 1] ?? 0 });
  }

  zoom(factor: number): void {
    this.#turn(zoomed(this.#camera, factor));
  }

  redraw(): void {
    if (this.#asked) return;
    this.#asked = true;
    this.#frame = requestAnimationFrame((time) => this.#draw(time));
  }

  /** What is in view, as a PNG. */
  png(): Promise<Blob | null> {
    const { width, height } = this.#camera;
    const canvas = document.createElement('canvas');
    canvas.width = Math.round(width * this.#ratio);
    canvas.height = Math.round(height * this.#ratio);
    const context = canvas.getContext('2d');
    if (!context) return Promise.resolve(null);
    context.scale(this.#ratio, this.#ratio);
    context.fillStyle = this.#overlay.paper;
    context.fillRect(0, 0, width, height);
    this.#drawing.copyTo(context, this.#camera);
    drawOverlay(context, this.#camera, this.#picture, { ...this.#overlay, labels: this.#labels() });
    return new Promise((done) => { canvas.toBlob(done, 'image/png'); });
  }

  /** What is in view, as SVG. */
  svg(title: string): string {
    return svgOf(this.#picture, this.#camera, this.#labels(), { ink: this.#overlay.ink, paper: this.#overlay.paper, title });
  }

  end(): void {
    cancelAnimationFrame(this.#frame);
    clearTimeout(this.#rest);
    for (const end of this.#ends) end();
    this.#drawing.end();
    this.#holder.replaceChildren();
  }

  #makeDrawing(plain: boolean): Drawing {
    if (!plain) {
      const canvas = this.#canvas();
      const drawing = webglDrawing(canvas);
      if (drawing) return drawing;
      canvas.remove();
    }
    const drawing = canvasDrawing(this.#canvas());
    if (!drawing) throw new Error('this browser draws on no canvas');
    return drawing;
  }

  #watch(): void {
    this.#drawing.onLost(() => this.redraw(), () => this.#fallBack());
  }

  /** A canvas that had a WebGL context gives no other: the one that takes its place comes below what stands above it. */
  #fallBack(): void {
    this.#drawing.end();
    this.#holder.firstElementChild?.remove();
    this.#drawing = this.#makeDrawing(true);
    this.#holder.append(this.#above.canvas);
    this.#watch();
    this.#resize();
    this.#drawing.take(this.#picture);
    this.#events.fellBack?.();
    this.redraw();
  }

  #canvas(): HTMLCanvasElement {
    const canvas = document.createElement('canvas');
    canvas.setAttribute('aria-hidden', 'true');
    this.#holder.append(canvas);
    return canvas;
  }

  #resize(): void {
    const { width, height } = this.#holder.getBoundingClientRect();
    this.#ratio = Math.min(3, globalThis.devicePixelRatio || 1);
    this.#drawing.resize(width, height, this.#ratio);
    this.#above.canvas.width = Math.max(1, Math.round(width * this.#ratio));
    this.#above.canvas.height = Math.max(1, Math.round(height * this.#ratio));
    const first = this.#camera.width <= 1;
    this.#camera = { ...this.#camera, width: Math.max(1, width), height: Math.max(1, height) };
    if ((first || this.follow) && this.#picture.nodes > 0) this.fit();
    this.redraw();
  }

  /** How far nodes are apart, were they spread evenly; answers what they take. */
  #measure(): Bounds | null {
    const bounds = boundsOf(this.#picture.xy, this.#shown);
    const area = bounds ? (bounds.right - bounds.left) * (bounds.bottom - bounds.top) : 0;
    this.#spacing = this.#isFixed ? Number.POSITIVE_INFINITY : Math.sqrt(area / Math.max(1, this.#shown.length));
    this.#camera = withDiscs(this.#camera, this.#spacing);
    return bounds;
  }

  #look(camera: Camera): void {
    this.#camera = withDiscs(camera, this.#spacing);
    this.#movedAt = performance.now();
    this.redraw();
  }

  /** The reader looks somewhere. */
  #turn(camera: Camera): void {
    this.follow = false;
    this.#look(camera);
  }

  #draw(time: number): void {
    this.#asked = false;
    const now = performance.now();
    const moving = this.isRestless || now - this.#movedAt < REST_MS;
    this.#adapt(moving, time - this.#lastFrame);
    this.#lastFrame = time;
    const resting = Math.min(1, this.#part * REST_FACTOR);
    if (!moving && resting !== this.#resting) {
      this.#resting = resting;
      this.#events.drawn?.(resting);
    }
    const whole = this.#drawing.draw(this.#camera, moving ? this.#part : resting);
    const { width, height } = this.#above.canvas;
    this.#above.setTransform(1, 0, 0, 1, 0, 0);
    this.#above.clearRect(0, 0, width, height);
    this.#above.setTransform(this.#ratio, 0, 0, this.#ratio, 0, 0);
    drawOverlay(this.#above, this.#camera, this.#picture, { ...this.#overlay, labels: this.#keptLabels(now), lasso: this.#line });
    if (!whole) this.redraw();
    clearTimeout(this.#rest);
    if (moving && this.#part < 1) this.#rest = setTimeout(() => this.redraw(), REST_MS) as unknown as number;
  }

  /** Draws fewer edges while something moves on a machine for which they are too many. */
  #adapt(moving: boolean, took: number): void {
    const isNext = moving && this.#wasMoving;
    this.#wasMoving = moving;
    // Between two pictures nobody waited for there is no telling.
    if (!isNext) return;
    if (took > SLOW_MS) this.#part = Math.max(PART_MIN, this.#part * Math.max(0.125, SLOW_MS / took));
    else if (took < QUICK_MS) this.#part = Math.min(1, this.#part * 1.25);
  }

  /** While places change, labels stay with their nodes for a moment: who has one is looked for a few times a second. */
  #keptLabels(now: number): Overlay['labels'] {
    if (!this.isRestless || now - this.#labelledAt > LABELS_MS) {
      this.#kept = this.#labels();
      this.#labelledAt = now;
    }
    return this.#kept;
  }

  #labels(): Overlay['labels'] {
    const { xy } = this.#picture;
    const view = inView(this.#camera);
    const cell = LOOK.labelCell / this.#camera.scale;
    const nodes = labelled(xy, this.#shown, this.#importance, view, cell, LOOK.labels, this.#first);
    const strong = new Set(this.#first);
    return nodes.map((node) => ({ node, text: labelText(this.#events.labelOf(node)), strong: strong.has(node) }));
  }

  #nodeAt(x: number, y: number): number {
    const [atX, atY] = toPlane(this.#camera, x, y);
    return nearestPoint(this.#picture.xy, this.#shown, atX, atY, (LOOK.reach + LOOK.radius) / this.#camera.scale);
  }

  #listen(): () => void {
    return listen(this.#holder, {
      grab: (x, y) => {
        this.#held = this.#lassoing || this.#isFixed ? -1 : this.#nodeAt(x, y);
        if (this.#lassoing) this.#line = [...toPlane(this.#camera, x, y)];
        return this.#lassoing ? 'line' : this.#held >= 0 ? 'thing' : 'view';
      },
      drag: (what, x, y, dx, dy) => {
        if (what === 'view') return this.#turn(moved(this.#camera, dx, dy));
        const [atX, atY] = toPlane(this.#camera, x, y);
        if (what === 'thing') {
          this.follow = false;
          return this.#events.moved(this.#held, atX, atY, false);
        }
        this.#line?.push(atX, atY);
        this.redraw();
      },
      drop: (what) => {
        const line = this.#line;
        this.#line = null;
        if (what === 'line' && line && line.length >= 6) this.#events.lassoed(line);
        const { xy } = this.#picture;
        if (what === 'thing') this.#events.moved(this.#held, xy[2 * this.#held] ?? 0, xy[2 * this.#held + 1] ?? 0, true);
        this.redraw();
      },
      zoom: (factor, x, y) => this.#turn(zoomed(this.#camera, factor, x, y)),
      click: (x, y, held) => {
        this.#line = null;
        this.#events.picked(this.#nodeAt(x, y), held);
      },
      doubleClick: (x, y) => {
        const node = this.#nodeAt(x, y);
        if (node >= 0) this.#events.opened(node);
        else this.#turn(zoomed(this.#camera, 1.8, x, y));
      },
      hover: (x, y) => this.#events.hovered(this.#nodeAt(x, y)),
      leave: () => this.#events.hovered(-1),
      key: (name, held) => this.#key(name, held),
    });
  }

  #key(name: string, held: boolean): boolean {
    const step = held ? 4 * KEY_STEP : KEY_STEP;
    const ways: Record<string, [number, number]> = {
      ArrowLeft: [step, 0], ArrowRight: [-step, 0], ArrowUp: [0, step], ArrowDown: [0, -step],
    };
    const way = ways[name];
    if (way) this.#turn(moved(this.#camera, ...way));
    else if (name === '+' || name === '=') this.zoom(1.3);
    else if (name === '-') this.zoom(1 / 1.3);
    else if (name === '0') this.fit();
    else return this.#events.key(name);
    return true;
  }
}
