// The cloud of points that the map shows, and what is done with it: read, projected, coloured, chosen, taken by a lasso.

import { lastSearch } from '../../data/last-search.js';
import { colourOf } from '../../app/theme.svelte.js';
import { cssOf, rgbOf } from '../../compute/colours.js';
import { MAP } from '../../compute/defaults.js';
import { type Description, describe } from '../../compute/describe.js';
import { type Legend, type Painted, fieldsOf, paint, valueAt } from '../../compute/fields.js';
import { within } from '../../compute/lasso.js';
import { isCancelled } from '../../data/problem.js';
import type { Collection, CollectionInfo } from '../../data/types.js';
import type { Ring } from '../../draw/overlay.js';
import { EMPTY, type Picture } from '../../draw/picture.js';
import { Stage } from '../../draw/stage.js';
import { askProjection } from '../../work/asking.js';
import { titleOf, usualTitle } from '../graph/titles.js';
import { type Sample, readSample, withIds } from './sample.js';

/** What of the sample is told. */
export interface Figures {
  points: number;
  without: number;
  isCut: boolean;
  /** What was asked for. */
  filter: string;
  spread: string;
  /** Shares of the variance along both axes. */
  shares: [number, number];
  hits: number;
}

/** Units of the plane that the longer side of the cloud takes. */
const EXTENT = 1000;

export class Cloud {
  readonly collection: Collection;
  readonly info: CollectionInfo;
  readonly #source: string;
  busy = $state<string | null>(null);
  error = $state.raw<unknown>(null);
  figures = $state.raw<Figures | null>(null);
  fields = $state.raw<readonly string[]>([]);
  colour = $state('');
  title = $state('');
  legend = $state.raw<Legend | null>(null);
  chosen = $state<string | null>(null);
  /** What the lasso holds, as numbers of points. */
  taken = $state.raw<Uint32Array>(new Uint32Array(0));
  isLassoing = $state(false);
  kind = $state<'webgl' | 'canvas' | null>(null);
  turn = $state(0);

  #sample: Sample | null = null;
  #byId = new Map<string, number>();
  #xy = new Float32Array(0);
  #mask = new Uint8Array(0);
  #painted: Painted | null = null;
  #hits = new Set<number>();
  #stage: Stage | null = null;
  #frame = 0;
  #reading = new AbortController();

  constructor(collection: Collection, info: CollectionInfo, source: string) {
    this.collection = collection;
    this.info = info;
    this.#source = source;
  }

  attach(holder: HTMLElement, plain: boolean): () => void {
    this.#stage = new Stage(holder, {
      picked: (point) => this.choose(point < 0 ? null : this.idAt(point)),
      opened: (point) => this.choose(this.idAt(point)),
      hovered: (point) => { holder.title = point >= 0 ? this.titleAt(point) : ''; },
      moved: () => {},
      lassoed: (polygon) => {
        this.isLassoing = false;
        if (this.#stage) this.#stage.lassoing = false;
        this.take(within(polygon, this.#xy, this.#mask));
      },
      key: (name) => {
        if (name !== 'Escape') return false;
        this.choose(null);
        this.take(new Uint32Array(0));
        return true;
      },
      labelOf: (point) => this.titleAt(point),
      fellBack: () => { this.kind = 'canvas'; },
    }, { plain, isFixed: true });
    this.kind = this.#stage.kind;
    this.#show();
    return () => {
      cancelAnimationFrame(this.#frame);
      this.#frame = 0;
      this.#stage?.end();
      this.#stage = null;
    };
  }

  end(): void {
    this.#reading.abort();
  }

  /** Reads and projects; what was read before is given up. */
  async read(filter: string, spread: string, most: number): Promise<void> {
    this.#reading.abort();
    const { signal } = (this.#reading = new AbortController());
    this.busy = 'Reading vectors';
    this.error = null;
    try {
      const { dim, metric } = this.info;
      if (dim === null) return;
      const told = (count: number) => { this.busy = `Reading vectors: ${count.toLocaleString('en')}`; };
      let sample = await readSample(this.collection, { filter, spread, most, dim }, told, signal);
      const hits = lastSearch(this.#source, this.info.name);
      if (sample.ids.length > 0) sample = await withIds(this.collection, sample, hits, signal);
      this.busy = `Projecting ${sample.ids.length.toLocaleString('en')} vectors`;
      const plane = await askProjection({ rows: sample.rows, dim, isAngular: metric === 'cosine' }, signal);
      this.#take(sample, plane.xy, hits);
      this.figures = {
        points: sample.ids.length, without: sample.without, isCut: sample.isCut, filter, spread, shares: plane.shares, hits: this.#hits.size,
      };
    } catch (error) {
      if (!signal.aborted && !isCancelled(error)) this.error = error;
    } finally {
      if (!signal.aborted) this.busy = null;
    }
  }

  setColour(field: string): void {
    this.colour = field;
    this.#paint();
    this.refresh();
  }

  setTitle(field: string): void {
    this.title = field;
    this.refresh();
  }

  /** Has the next drag draw a line around points. */
  lasso(on: boolean): void {
    this.isLassoing = on;
    if (this.#stage) this.#stage.lassoing = on;
  }

  take(points: Uint32Array): void {
    this.taken = points;
    this.refresh();
  }

  choose(id: string | null, isCentred = false): void {
    this.chosen = id;
    const point = id === null ? undefined : this.#byId.get(id);
    if (isCentred && point !== undefined) this.#stage?.centre(point);
    this.refresh();
  }

  fit(): void {
    this.#stage?.fit();
  }

  zoom(factor: number): void {
    this.#stage?.zoom(factor);
  }

  recolour(): void {
    this.refresh();
  }

  idAt(point: number): string {
    return this.#sample?.ids[point] ?? '';
  }

  titleAt(point: number): string {
    return titleOf(this.idAt(point), this.#sample?.metadata[point], this.title);
  }

  metadataFor(id: string): object | undefined {
    const point = this.#byId.get(id);
    return point === undefined ? undefined : this.#sample?.metadata[point];
  }

  /** The points whose id or title has a text. */
  withText(part: string): Uint32Array {
    const wanted = part.trim().toLowerCase();
    const found = (this.#sample?.ids ?? []).flatMap((id, point) =>
      wanted === '' || `${id}\n${this.titleAt(point)}`.toLowerCase().includes(wanted) ? [point] : []);
    return Uint32Array.from(found);
  }

  /** What the lasso holds, described by a field. */
  describe(field: string): Description | null {
    if (!this.#sample || this.taken.length === 0) return null;
    const selected = new Uint8Array(this.#sample.ids.length);
    for (const point of this.taken) selected[point] = 1;
    return describe(field, this.#sample.metadata.map((metadata) => valueAt(metadata, field)), selected);
  }

  refresh(): void {
    if (this.#frame === 0 && this.#stage) this.#frame = requestAnimationFrame(() => this.#show());
  }

  #take(sample: Sample, xy: Float32Array, hits: readonly string[]): void {
    let most = 0;
    for (const value of xy) most = Math.max(most, Math.abs(value));
    const scale = most > 0 ? EXTENT / 2 / most : 1;
    this.#xy = xy.map((value) => value * scale);
    // The Worker was given the vectors: nothing here needs them any more.
    this.#sample = { ...sample, rows: new Float32Array(0) };
    this.#byId = new Map(sample.ids.map((id, point) => [id, point]));
    this.#mask = new Uint8Array(sample.ids.length).fill(1);
    this.#hits = new Set(hits.map((id) => this.#byId.get(id)).filter((point) => point !== undefined));
    this.taken = new Uint32Array(0);
    this.fields = fieldsOf(sample.metadata);
    if (this.title === '') this.title = usualTitle(this.fields);
    if (this.chosen !== null && !this.#byId.has(this.chosen)) this.chosen = null;
    this.#paint();
    this.#show();
    this.#stage?.fit();
  }

  #paint(): void {
    const sample = this.#sample;
    const { colour } = this;
    this.#painted = sample && colour !== '' ? paint(sample.metadata.map((metadata) => valueAt(metadata, colour))) : null;
    this.legend = this.#painted?.legend ?? null;
  }

  #show(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    const nodes = this.#mask.length;
    if (!this.#stage) return;
    const plain = rgbOf(colourOf('--vector-fill'));
    const ink = rgbOf(colourOf('--ink'));
    const hit = rgbOf(colourOf('--words-fill'));
    const inside = new Uint8Array(nodes);
    for (const point of this.taken) inside[point] = 1;
    const isTaken = this.taken.length > 0;
    const colours = new Uint8Array(4 * nodes);
    const radii = new Float32Array(nodes).fill(nodes > 4000 ? 1.8 : 3);
    const importance = new Float32Array(nodes);
    for (let point = 0; point < nodes; point += 1) {
      const [red, green, blue] = this.#painted ? this.#painted.rgb.subarray(3 * point, 3 * point + 3) : plain;
      colours.set([red ?? 0, green ?? 0, blue ?? 0, isTaken && !inside[point] ? 50 : 210], 4 * point);
      if (this.#hits.has(point)) radii[point] = 6;
      importance[point] = (this.#hits.has(point) ? 2 : 0) + (inside[point] as number);
    }
    const rings: Ring[] = [...this.#hits].map((node) => ({ node, css: cssOf(hit), gap: 2 }));
    const chosen = this.chosen === null ? undefined : this.#byId.get(this.chosen);
    if (chosen !== undefined) {
      radii[chosen] = 6;
      rings.push({ node: chosen, css: cssOf(ink), gap: 3 });
    }
    const picture: Picture = { ...EMPTY, nodes, xy: this.#xy, nodeColours: colours, radii };
    const paper = cssOf(rgbOf(colourOf('--card')));
    const first = [...(chosen === undefined ? [] : [chosen]), ...[...this.#hits].slice(0, MAP.rows)];
    this.#stage.mark({ rings, told: [], ink: cssOf(ink), paper, accent: cssOf(hit) }, first);
    this.#stage.show(picture, this.#mask, importance);
    this.turn += 1;
  }
}
