// The page's side: asks a Worker one thing, or runs a layout in one.

import { startWorker } from '../app/worker.js';
import communitiesUrl from './communities.worker.ts?worker&url';
import layoutUrl from './layout.worker.ts?worker&url';
import type {
  Answer,
  CommunitiesAnswer,
  CommunitiesRequest,
  LayoutAnswer,
  LayoutRequest,
  ProjectAnswer,
  ProjectRequest,
} from './messages.js';
import projectUrl from './project.worker.ts?worker&url';

export const askCommunities = (request: CommunitiesRequest, signal: AbortSignal): Promise<CommunitiesAnswer> =>
  ask(communitiesUrl, request, [request.ends.buffer, request.weights.buffer], signal);

export const askProjection = (request: ProjectRequest, signal: AbortSignal): Promise<ProjectAnswer> =>
  ask(projectUrl, request, [request.rows.buffer], signal);

/** A Worker of its own, which ends with the answer, or when nobody wants it any more. */
function ask<T>(url: string, request: unknown, handed: ArrayBufferLike[], signal: AbortSignal): Promise<T> {
  return new Promise((done, fail) => {
    signal.throwIfAborted();
    const worker = startWorker(url);
    const end = (settle: () => void) => {
      worker.terminate();
      signal.removeEventListener('abort', aborted);
      settle();
    };
    const aborted = () => end(() => fail(signal.reason));
    signal.addEventListener('abort', aborted);
    worker.addEventListener('message', ({ data }: MessageEvent<Answer<T>>) =>
      end(() => ('answer' in data ? done(data.answer) : fail(new Error(data.failed)))));
    worker.addEventListener('error', (event) => end(() => fail(new Error(event.message || 'the Worker could not be started'))));
    worker.postMessage(request, handed as ArrayBuffer[]);
  });
}

/** What is laid out, and how. */
export type Layouting = Omit<Extract<LayoutRequest, { kind: 'begin' }>, 'kind' | 'run'>;

/** A Worker that lays out one graph after another; what it tells of one that was replaced is dropped. */
export class LayoutRunner {
  readonly #worker = startWorker(layoutUrl);
  readonly #places: (xy: Float32Array) => void;
  readonly #done: () => void;
  #run = 0;
  /** Places that arrived and wait for a frame to draw them. */
  #waiting: Float32Array | null = null;
  #frame = 0;

  /** `places` are told once a frame at most, `done` when a layout has ended, or could not be made with `error`. */
  constructor(places: (xy: Float32Array) => void, done: (error?: Error) => void) {
    this.#places = places;
    this.#done = done;
    this.#worker.addEventListener('message', ({ data }: MessageEvent<LayoutAnswer>) => this.#take(data));
    this.#worker.addEventListener('error', (event) => done(new Error(event.message || 'the layout stopped')));
  }

  begin(layouting: Layouting): void {
    this.#run += 1;
    this.#drop();
    this.#post({ kind: 'begin', run: this.#run, ...layouting });
  }

  hold(node: number, x: number, y: number, fixed: boolean): void {
    this.#post({ kind: 'hold', node, x, y, fixed });
  }

  /** Ends the layout that runs; what is there stays. */
  stop(): void {
    this.#run += 1;
    this.#drop();
    this.#post({ kind: 'end' });
  }

  end(): void {
    this.#drop();
    this.#worker.terminate();
  }

  #take({ run, xy, done }: LayoutAnswer): void {
    if (run !== this.#run) return;
    if (xy) {
      this.#waiting = xy;
      if (this.#frame === 0) this.#frame = requestAnimationFrame(() => this.#draw());
    }
    if (done) {
      this.#draw();
      this.#done();
    }
  }

  #draw(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    const xy = this.#waiting;
    this.#waiting = null;
    if (!xy) return;
    this.#places(xy);
    this.#post({ kind: 'drawn', xy }, [xy.buffer]);
  }

  #drop(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.#waiting = null;
  }

  #post(message: LayoutRequest, handed: ArrayBufferLike[] = []): void {
    this.#worker.postMessage(message, handed as ArrayBuffer[]);
  }
}
