// The graph that is shown and what is done with it: what was asked and expanded, what is hidden, chosen and coloured. The page
// calls it and shows its fields; it fills the stage.

import { type Rgb, rgbOf } from '../../compute/colours.js';
import { GRAPH } from '../../compute/defaults.js';
import { type Legend, type Painted, fieldsOf, paint, paintGroups, valueAt } from '../../compute/fields.js';
import { changes, edgesOverTime, shownEdges, shownNodes } from '../../compute/moments.js';
import { type Added, CUT, EXPANDED, NEAREST, Network, PINNED, START } from '../../compute/network.js';
import { colourOf, prefersStillness } from '../../app/theme.svelte.js';
import { isCancelled } from '../../data/problem.js';
import type { Collection, CollectionInfo } from '../../data/types.js';
import { Stage } from '../../draw/stage.js';
import { LayoutRunner, askCommunities } from '../../work/asking.js';
import * as asks from './asks.js';
import { type Listed, jsonOf, relationName } from './lists.js';
import { Looks, type Theme } from './looks.js';
import { marksOf } from './marks.js';
import { titleOf, usualTitle } from './titles.js';

/** What colours nodes: nothing, what hangs together, or the path of a field. */
export const PLAIN = '';
export const COMMUNITY = '*';

/** A path that is shown. */
export interface ShownPath {
  source: string;
  target: string;
  ids: string[];
  cost: number | null;
  isWeighted: boolean;
  truncated: boolean;
}

/** When the edges that are known began and ended. */
export interface History {
  stops: Float64Array;
  from: number;
  to: number;
  counts: Uint32Array;
}

const BINS = 80;

export class GraphView {
  readonly collection: Collection;
  readonly info: CollectionInfo;
  /** How many nodes and edges are known, and shown. */
  nodes = $state(0);
  edges = $state(0);
  nodesShown = $state(0);
  edgesShown = $state(0);
  /** What was cut off or had no room, in sentences. */
  notes = $state.raw<readonly string[]>([]);
  busy = $state<string | null>(null);
  error = $state.raw<{ what: string; error: unknown } | null>(null);
  selected = $state<string | null>(null);
  path = $state.raw<ShownPath | null>(null);
  pathFrom = $state<string | null>(null);
  relations = $state.raw<readonly { name: string; count: number; isShown: boolean; number: number }[]>([]);
  weights = $state.raw<{ from: number; to: number; min: number; max: number }>({ from: 0, to: 0, min: -Infinity, max: Infinity });
  history = $state.raw<History | null>(null);
  at = $state(Number.POSITIVE_INFINITY);
  fields = $state.raw<readonly string[]>([]);
  colour = $state(PLAIN);
  title = $state('');
  legend = $state.raw<Legend | null>(null);
  isLaidOut = $state(true);
  /** Counts every change of what is shown, for what is derived from the network. */
  turn = $state(0);
  kind = $state<'webgl' | 'canvas' | null>(null);
  /** The part of the edges that is drawn: less than 1 where drawing is slow. */
  drawnPart = $state(1);

  #network = new Network(GRAPH);
  readonly #looks = new Looks();
  #stage: Stage | null = null;
  #layout: LayoutRunner | null = null;
  #laidOut = 0;
  #painted: Painted | null = null;
  #hidden = new Set<string>();
  #nodeMask = new Uint8Array(0);
  #edgeMask = new Uint8Array(0);
  #degrees: Uint32Array = new Uint32Array(0);
  #frame = 0;
  #theme: Theme | null = null;
  #asking = new AbortController();
  /** How many questions wait for their answers. */
  #waiting = 0;
  #painting = new AbortController();
  readonly #ending = new AbortController();
  #isTitled = false;

  constructor(collection: Collection, info: CollectionInfo) {
    this.collection = collection;
    this.info = info;
  }

  /** Draws into an element until the returned function is called. */
  attach(holder: HTMLElement, plain: boolean): () => void {
    this.#stage = new Stage(holder, {
      picked: (node, held) => this.#picked(node, held),
      opened: (node) => void this.toggle(this.#network.ids[node] as string),
      hovered: (node) => { holder.title = node >= 0 ? this.titleAt(node) : ''; },
      moved: (node, x, y, done) => this.#drag(node, x, y, done),
      lassoed: () => {},
      key: (name) => this.#key(name),
      labelOf: (node) => this.titleAt(node),
      drawn: (part) => { this.drawnPart = part; },
      fellBack: () => { this.kind = 'canvas'; },
    }, { plain });
    this.kind = this.#stage.kind;
    this.#layout = new LayoutRunner((xy) => this.#placed(xy), (error) => {
      this.#rest();
      if (error) this.error = { what: 'The layout stopped', error };
    });
    this.recolour();
    if (this.#network.nodes > 0) this.layOut();
    return () => {
      cancelAnimationFrame(this.#frame);
      this.#frame = 0;
      this.#layout?.end();
      this.#stage?.end();
      this.#stage = null;
      this.#layout = null;
    };
  }

  /** Ends what is asked; for a page that goes. */
  end(): void {
    this.#asking.abort();
    this.#ending.abort();
  }

  /** Begins anew with what is around documents. */
  async start(ids: readonly string[], depth: number, limit: number): Promise<void> {
    await this.#ask('Reading what is around', 'The graph could not be read', async (signal) => {
      const { at } = this;
      const found = await asks.around(this.collection, ids, { depth, limit: Math.min(limit, GRAPH.nodesMax), at }, signal);
      this.#network = new Network(GRAPH);
      this.selected = ids.length === 1 ? (ids[0] as string) : null;
      this.path = null;
      this.pathFrom = null;
      this.notes = [];
      this.#painted = null;
      this.#hidden.clear();
      const added = this.#network.add(found.nodes, found.edges);
      for (const id of ids) {
        const node = this.#network.find(id);
        if (node >= 0) this.#network.mark(node, START | (found.truncated ? CUT : EXPANDED));
      }
      this.#noteAdded(added);
      if (found.truncated) this.#note(`There is more around: at most ${limit.toLocaleString('en')} documents were asked for.`);
      if (this.#stage) this.#stage.follow = true;
      this.#grew();
      if (this.history) await this.#readHistories(signal);
    }, true);
  }

  /** Expands a node, or collapses it when it was expanded. */
  async toggle(id: string): Promise<void> {
    const node = this.#network.find(id);
    if (node < 0) return;
    this.selected = id;
    const brought = this.#network.has(node, EXPANDED) && this.#network.broughtBy(node).length > 0;
    if (brought) this.collapse(id);
    else await this.expand(id);
  }

  async expand(id: string): Promise<void> {
    await this.#ask('Reading its edges', 'The edges could not be read', async (signal) => {
      const history = this.history !== null;
      const found = await asks.edgesOf(this.collection, id, { history, at: this.at }, signal);
      const node = this.#network.find(id);
      if (node < 0) return;
      const added = this.#network.add(found.nodes, found.edges, node);
      this.#network.mark(node, EXPANDED);
      this.#network.mark(node, CUT, found.truncated);
      this.#noteAdded(added);
      const name = this.titleAt(node);
      if (found.truncated) this.#note(`${name} has more edges: ${GRAPH.expand} were asked for.`);
      this.#grew(added.nodes > 0);
    });
  }

  /** Takes away what came through a node. */
  collapse(id: string): void {
    const node = this.#network.find(id);
    if (node < 0) return;
    const gone = this.#network.broughtBy(node);
    this.#network.mark(node, EXPANDED | CUT, false);
    this.#network.remove(gone);
    if (this.selected !== null && this.#network.find(this.selected) < 0) this.selected = id;
    if (this.path && this.path.ids.some((one) => this.#network.find(one) < 0)) this.path = null;
    this.#grew(false);
  }

  pin(id: string, on: boolean): void {
    const node = this.#network.find(id);
    if (node < 0) return;
    this.#network.mark(node, PINNED, on);
    const { xy } = this.#network;
    this.#layout?.hold(node, xy[2 * node] as number, xy[2 * node + 1] as number, on);
    this.refresh();
  }

  has(id: string, mark: number): boolean {
    const node = this.#network.find(id);
    return node >= 0 && this.#network.has(node, mark);
  }

  /** Whether a collapse would take something away. */
  canCollapse(id: string): boolean {
    const node = this.#network.find(id);
    return node >= 0 && this.#network.broughtBy(node).length > 0;
  }

  select(id: string | null, isCentred = false): void {
    this.selected = id;
    const node = id === null ? -1 : this.#network.find(id);
    if (isCentred && node >= 0) this.#stage?.centre(node);
    this.refresh();
  }

  async findPath(source: string, target: string, isWeighted: boolean): Promise<void> {
    await this.#ask('Looking for a path', 'The path could not be looked for', async (signal) => {
      const found = await asks.pathBetween(this.collection, source, target, { weighted: isWeighted, at: this.at }, signal);
      const ids = found.nodes.map(({ id }) => id);
      const added = this.#network.add(found.nodes, found.edges);
      for (const id of ids.length > 0 ? [source, target] : []) this.#network.mark(this.#network.find(id), START);
      this.path = { source, target, ids, cost: found.cost, isWeighted, truncated: found.truncated };
      this.pathFrom = null;
      this.#noteAdded(added);
      this.#grew(added.nodes > 0);
    });
  }

  clearPath(): void {
    this.path = null;
    this.pathFrom = null;
    this.refresh();
  }

  /** Overlays the documents whose vectors are nearest to one. */
  async showNearest(id: string): Promise<void> {
    await this.#ask('Looking for near vectors', 'What is near could not be read', async (signal) => {
      const found = await asks.nearestTo(this.collection, id, this.at, signal);
      const node = this.#network.find(id);
      if (node < 0) return;
      if (!found) return this.#note(`${this.titleAt(node)} has no vector, so that nothing is near it.`);
      const added = this.#network.addNearest(node, found);
      this.#noteAdded(added);
      this.#grew(added.nodes > 0);
    });
  }

  hideNearest(): void {
    this.#network.removeNearest();
    this.#grew(false);
  }

  setRelation(number: number, isShown: boolean): void {
    const name = this.#network.relations[number] as string;
    if (isShown) this.#hidden.delete(keyOf(number, name));
    else this.#hidden.add(keyOf(number, name));
    this.#listRelations();
    this.refresh();
  }

  setWeights(min: number, max: number): void {
    this.weights = { ...this.weights, min, max };
    this.refresh();
  }

  /** Shows a moment; Infinity for now. */
  setAt(at: number): void {
    this.at = at;
    this.refresh();
  }

  /** Reads the versions of the edges at what is shown, so that time can be played. */
  async openHistory(): Promise<void> {
    await this.#ask('Reading the history of the edges', 'The history could not be read', (signal) => this.#readHistories(signal));
  }

  closeHistory(): void {
    this.history = null;
    this.setAt(Number.POSITIVE_INFINITY);
  }

  async setColour(colour: string): Promise<void> {
    this.colour = colour;
    await this.#repaint();
  }

  setTitle(field: string): void {
    this.#isTitled = true;
    this.title = field;
    this.refresh();
  }

  /** Lays the graph out for a while, or ends that. */
  layOut(): void {
    const network = this.#network;
    if (!this.#layout || network.nodes === 0) return;
    this.isLaidOut = false;
    if (this.#stage) this.#stage.isRestless = true;
    this.#laidOut = network.nodes;
    const fixed = new Uint8Array(network.nodes);
    for (let node = 0; node < network.nodes; node += 1) fixed[node] = network.has(node, PINNED) ? 1 : 0;
    const { ends, weights } = this.#edgesToLayOut();
    this.#layout.begin({
      xy: network.xy.slice(0, 2 * network.nodes), ends, weights, fixed, ms: GRAPH.layoutMs, still: prefersStillness(),
    });
  }

  stopLayout(): void {
    this.#layout?.stop();
    this.#rest();
  }

  fit(): void {
    this.#stage?.fit();
  }

  zoom(factor: number): void {
    this.#stage?.zoom(factor);
  }

  /** Reads the colours of the page anew. */
  recolour(): void {
    const rgb = (name: string): Rgb => rgbOf(colourOf(name));
    this.#theme = {
      ink: rgb('--ink'), paper: rgb('--card'), edge: rgb('--edge'), chosen: rgb('--vector-fill'), near: rgb('--here'),
      path: rgb('--words-fill'),
    };
    this.refresh();
  }

  titleAt(node: number): string {
    return titleOf(this.#network.ids[node] ?? '', this.#network.metadata[node], this.title);
  }

  titleFor(id: string): string {
    const node = this.#network.find(id);
    return node < 0 ? id : this.titleAt(node);
  }

  metadataFor(id: string): object | null | undefined {
    const node = this.#network.find(id);
    return node < 0 ? undefined : this.#network.metadata[node];
  }

  /** What is shown, for lists and files. */
  listed(): Listed {
    return { network: this.#network, nodeMask: this.#nodeMask, edgeMask: this.#edgeMask, degrees: this.#degrees, titleField: this.title };
  }

  png(): Promise<Blob | null> {
    return this.#stage?.png() ?? Promise.resolve(null);
  }

  svg(): string {
    return this.#stage?.svg(`The graph of ${this.info.name}`) ?? '';
  }

  /** What is shown, for programs. */
  json(): string {
    return jsonOf(this.listed(), this.info.name, this.at);
  }

  /** Draws anew with the next frame. */
  refresh(): void {
    if (this.#frame === 0 && this.#stage) this.#frame = requestAnimationFrame(() => this.#show());
  }

  /** Asks something; a start gives up whatever was asked of the graph before. */
  async #ask(busy: string, what: string, work: (signal: AbortSignal) => Promise<void>, isStart = false): Promise<void> {
    if (isStart) {
      this.#asking.abort();
      this.#asking = new AbortController();
      this.#waiting = 0;
    }
    const asking = this.#asking;
    this.#waiting += 1;
    this.busy = busy;
    this.error = null;
    try {
      await work(AbortSignal.any([asking.signal, this.#ending.signal]));
    } catch (error) {
      if (!asking.signal.aborted && !isCancelled(error)) this.error = { what, error };
    } finally {
      if (this.#asking === asking) {
        this.#waiting -= 1;
        if (this.#waiting === 0) this.busy = null;
      }
    }
  }

  /** Makes the colours of what is known; what was being made before is given up. */
  async #repaint(): Promise<void> {
    this.#painting.abort();
    const painting = new AbortController();
    this.#painting = painting;
    try {
      await this.#paint(AbortSignal.any([painting.signal, this.#ending.signal]));
    } catch (error) {
      if (!painting.signal.aborted && !isCancelled(error)) this.error = { what: 'The colours could not be made', error };
    }
  }

  async #readHistories(signal: AbortSignal): Promise<void> {
    const network = this.#network;
    const byWeight = Array.from({ length: network.nodes }, (_, node) => node)
      .sort((a, b) => rank(network, b) - rank(network, a) || (this.#degrees[b] ?? 0) - (this.#degrees[a] ?? 0));
    const ids = byWeight.slice(0, GRAPH.histories).map((node) => network.ids[node] as string);
    const asked = new Set(ids);
    const found = await asks.historiesOf(this.collection, ids, signal);
    // Of what was only met, the edges between what is shown are of interest, and not all that it leads to.
    const own = new Set(ids.filter((id) => rank(network, network.find(id)) > 0));
    const edges = found.edges.filter(({ source, target }) =>
      own.has(source) || own.has(target) || (network.find(source) >= 0 && network.find(target) >= 0));
    const added = network.add(found.nodes.filter(({ id }) => network.find(id) >= 0), edges);
    this.#noteAdded(added);
    if (network.nodes > asked.size + added.nodes) {
      this.#note(`The history of ${GRAPH.histories} of ${network.nodes.toLocaleString('en')} documents was read.`);
    }
    if (found.truncated) this.#note(`Of some documents only ${GRAPH.expand} versions of edges were read.`);
    this.history = historyOf(network);
    this.#grew(added.nodes > 0);
  }

  async #paint(signal: AbortSignal): Promise<void> {
    const network = this.#network;
    if (this.colour === PLAIN || network.nodes === 0) {
      this.#painted = null;
    } else if (this.colour === COMMUNITY) {
      const { ends, weights } = this.#edgesToLayOut();
      const { of } = await askCommunities({ nodes: network.nodes, ends, weights }, signal);
      if (network !== this.#network) return;
      this.#painted = paintGroups(Array.from(of, (group) => `community ${group + 1}`));
    } else {
      const missing = network.ids.filter((_, node) => network.metadata[node] === undefined);
      if (missing.length > 0) {
        network.add(await asks.metadataOf(this.collection, missing, signal), []);
        this.#listFields();
      }
      if (network !== this.#network) return;
      this.#painted = paint(network.metadata.map((metadata) => valueAt(metadata, this.colour)));
    }
    this.legend = this.#painted?.legend ?? null;
    this.refresh();
  }

  #picked(node: number, held: boolean): void {
    const id = node < 0 ? null : (this.#network.ids[node] as string);
    const from = this.pathFrom ?? (held ? this.selected : null);
    if (id !== null && from !== null && from !== id) void this.findPath(from, id, false);
    this.select(id);
  }

  #drag(node: number, x: number, y: number, done: boolean): void {
    if (node < 0 || node >= this.#network.nodes) return;
    this.#network.xy[2 * node] = x;
    this.#network.xy[2 * node + 1] = y;
    this.#network.mark(node, PINNED);
    this.#layout?.hold(node, x, y, true);
    this.#stage?.places();
    if (done) this.refresh();
  }

  #key(name: string): boolean {
    const id = this.selected;
    if (name === 'Escape') this.select(null);
    else if (id === null) return false;
    else if (name === 'Enter') void this.toggle(id);
    else if (name.toLowerCase() === 'p') this.pin(id, !this.has(id, PINNED));
    else if (name === 'Delete' || name === 'Backspace') this.collapse(id);
    else return false;
    return true;
  }

  /** No layout runs any more. */
  #rest(): void {
    this.isLaidOut = true;
    if (!this.#stage) return;
    this.#stage.isRestless = false;
    this.#stage.redraw();
  }

  #placed(xy: Float32Array): void {
    const network = this.#network;
    // Another layout runs by now when nodes came or went.
    if (this.#laidOut !== network.nodes) return;
    network.xy.set(xy);
    this.#stage?.places();
  }

  /** What is known has changed: `moves` when new nodes want room. */
  #grew(moves = true): void {
    const network = this.#network;
    this.nodes = network.nodes;
    this.edges = network.edges;
    if (this.history) this.history = historyOf(network);
    this.#listRelations();
    this.#listFields();
    void this.#repaint();
    this.#show();
    if (moves || !this.isLaidOut) this.layOut();
  }

  #listRelations(): void {
    const network = this.#network;
    const counts = new Uint32Array(network.relations.length);
    let [from, to] = [Infinity, -Infinity];
    for (let edge = 0; edge < network.edges; edge += 1) {
      counts[network.relation[edge] as number]! += 1;
      if (network.relation[edge] === NEAREST) continue;
      from = Math.min(from, network.weight[edge] as number);
      to = Math.max(to, network.weight[edge] as number);
    }
    this.relations = network.relations
      .map((name, number) => ({
        name: relationName(network, number), count: counts[number] as number, number, isShown: !this.#hidden.has(keyOf(number, name)),
      }))
      .filter(({ count }) => count > 0)
      .sort((a, b) => b.count - a.count);
    this.weights = { ...this.weights, from: from <= to ? from : 0, to: from <= to ? to : 0 };
  }

  #listFields(): void {
    this.fields = fieldsOf(this.#network.metadata);
    if (!this.#isTitled) this.title = usualTitle(this.fields);
  }

  /** The edges that pull: those of relations that are shown, of any time. */
  #edgesToLayOut(): { ends: Uint32Array; weights: Float32Array } {
    const network = this.#network;
    const ends = new Uint32Array(2 * network.edges);
    const weights = new Float32Array(network.edges);
    const shown = this.#relationMask();
    let count = 0;
    for (let edge = 0; edge < network.edges; edge += 1) {
      if (!shown[network.relation[edge] as number]) continue;
      ends[2 * count] = network.ends[2 * edge] as number;
      ends[2 * count + 1] = network.ends[2 * edge + 1] as number;
      weights[count] = network.relation[edge] === NEAREST ? 0.5 : (network.weight[edge] as number);
      count += 1;
    }
    return { ends: ends.slice(0, 2 * count), weights: weights.slice(0, count) };
  }

  #relationMask(): Uint8Array {
    return Uint8Array.from(this.#network.relations, (name, number) => (this.#hidden.has(keyOf(number, name)) ? 0 : 1));
  }

  #show(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    const network = this.#network;
    if (!this.#stage || !this.#theme) return;
    if (this.#edgeMask.length < network.edges) this.#edgeMask = new Uint8Array(network.relation.length);
    if (this.#nodeMask.length !== network.nodes) this.#nodeMask = new Uint8Array(network.nodes);
    const { min, max } = this.weights;
    const shown = { relations: this.#relationMask(), weightMin: min, weightMax: max, at: this.at };
    this.edgesShown = shownEdges(network, shown, this.#edgeMask);
    this.nodesShown = shownNodes(network, this.#edgeMask, START | PINNED, this.#nodeMask);
    this.#degrees = network.degrees(this.#edgeMask);
    const selected = this.selected === null ? -1 : network.find(this.selected);
    const path = this.#pathInNumbers();
    const picture = this.#looks.of(network, {
      shownNodes: this.#nodeMask,
      shownEdges: this.#edgeMask,
      degrees: this.#degrees,
      rgb: this.#painted && this.#painted.rgb.length === 3 * network.nodes ? this.#painted.rgb : null,
      selected,
      ...path,
      theme: this.#theme,
    });
    const marks = marksOf(this.listed(), { selected, ...path, theme: this.#theme });
    this.#stage.mark(marks.overlay, marks.first);
    this.#stage.show(picture, this.#nodeMask, this.#looks.importance);
    this.turn += 1;
  }

  #pathInNumbers(): { pathNodes: Set<number>; pathEdges: Set<number> } {
    const nodes = (this.path?.ids ?? []).map((id) => this.#network.find(id));
    const steps = new Set(nodes.slice(1).map((node, at) => pairOf(nodes[at] as number, node)));
    const pathEdges = new Set<number>();
    if (steps.size > 0) {
      const { ends } = this.#network;
      for (let edge = 0; edge < this.#network.edges; edge += 1) {
        if (this.#network.relation[edge] === NEAREST || !this.#edgeMask[edge]) continue;
        if (steps.has(pairOf(ends[2 * edge] as number, ends[2 * edge + 1] as number))) pathEdges.add(edge);
      }
    }
    return { pathNodes: new Set(nodes), pathEdges };
  }

  #note(text: string): void {
    if (!this.notes.includes(text)) this.notes = [...this.notes, text].slice(-4);
  }

  #noteAdded({ refusedNodes, refusedEdges }: Added): void {
    if (refusedNodes + refusedEdges === 0) return;
    this.#note(
      `${(refusedNodes + refusedEdges).toLocaleString('en')} more had no room: a view holds ` +
      `${GRAPH.nodesMax.toLocaleString('en')} documents and ${GRAPH.edgesMax.toLocaleString('en')} edges.`,
    );
  }
}

/** The overlay cannot be taken for a relation that somebody named so. */
const keyOf = (number: number, name: string): string => (number === NEAREST ? '' : `=${name}`);

const pairOf = (a: number, b: number): number => Math.min(a, b) * 2 ** 26 + Math.max(a, b);

/** Whose history is read first: of what was asked for, then of what was expanded. */
const rank = (network: Network, node: number): number =>
  network.has(node, START) ? 2 : network.has(node, EXPANDED) ? 1 : 0;

function historyOf(network: Network): History {
  const stops = changes(network);
  const [from, to] = [stops[0] ?? 0, stops.at(-1) ?? 0];
  return { stops, from, to, counts: edgesOverTime(network, from, to, BINS) };
}
