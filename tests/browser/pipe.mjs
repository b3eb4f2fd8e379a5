// A browser that is driven over a pipe by its own protocol alone. Playwright has every page believe that it is seen and has
// the focus, and such a page cannot be frozen.

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { FLAGS, chromiumPath } from './browser.mjs';

/** A browser with a new, empty profile: `open` opens a page of it, in a profile of that name. */
export async function launchPiped() {
  const profile = mkdtempSync(join(tmpdir(), 'kithdb-profile-'));
  const args = [...FLAGS, '--headless', '--disable-renderer-backgrounding', '--disable-background-timer-throttling', '--remote-debugging-pipe', `--user-data-dir=${profile}`, 'about:blank'];
  const child = spawn(chromiumPath(), args, { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'], detached: true });
  const endOfAll = () => process.kill(-child.pid, 'SIGKILL');
  process.on('exit', endOfAll);
  const ended = new Promise((done) => child.on('exit', done));
  const wire = new Wire(child.stdio[3], child.stdio[4]);
  return {
    /** A profile that nobody else sees; `open(url)` opens a page in it. */
    async context() {
      const { browserContextId } = await wire.send('Target.createBrowserContext');
      return {
        open: (url) => Page.open(wire, { url, browserContextId }),
        close: () => wire.send('Target.disposeBrowserContext', { browserContextId }),
      };
    },
    async close() {
      wire.send('Browser.close').catch(() => {});
      await ended;
      process.off('exit', endOfAll);
      rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    },
  };
}

/** Commands one way, answers and events the other: JSON, each with a zero behind it. */
class Wire {
  #out;
  #last = 0;
  #waiting = new Map();
  #listeners = new Map();
  #rest = Buffer.alloc(0);

  constructor(out, into) {
    this.#out = out;
    out.on('error', () => {}); // The browser has ended: whoever waits does so in vain, and the test with him.
    into.on('data', (bytes) => {
      this.#rest = Buffer.concat([this.#rest, bytes]);
      for (let end; (end = this.#rest.indexOf(0)) >= 0; this.#rest = this.#rest.subarray(end + 1)) {
        this.#take(JSON.parse(this.#rest.subarray(0, end).toString()));
      }
    });
  }

  send(method, params = {}, sessionId = undefined) {
    const id = ++this.#last;
    this.#out.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    return new Promise((done, fail) => this.#waiting.set(id, { done, fail, sessionId }));
  }

  /** Hands the events of a session to `listener`. */
  listen(sessionId, listener) {
    this.#listeners.set(sessionId, listener);
  }

  /** Nothing more is answered to a session. */
  end(sessionId) {
    for (const [id, waiter] of this.#waiting) {
      if (waiter.sessionId !== sessionId) continue;
      this.#waiting.delete(id);
      waiter.fail(new Error('the page is gone'));
    }
  }

  #take({ id, result, error, method, params, sessionId }) {
    if (id === undefined) {
      if (method === 'Target.detachedFromTarget') this.end(params.sessionId);
      this.#listeners.get(sessionId)?.(method, params);
      return;
    }
    const waiter = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error) waiter?.fail(new Error(error.message));
    else waiter?.done(result);
  }
}

/** A page of a browser. */
class Page {
  /** Called when it has crashed. */
  onCrash = () => {};
  #wire;
  #targetId;
  #sessionId;
  #exposed = new Map();

  static async open(wire, { url, browserContextId }) {
    const page = new Page();
    page.#wire = wire;
    ({ targetId: page.#targetId } = await wire.send('Target.createTarget', { url: 'about:blank', browserContextId }));
    ({ sessionId: page.#sessionId } = await wire.send('Target.attachToTarget', { targetId: page.#targetId, flatten: true }));
    wire.listen(page.#sessionId, (method, params) => page.#hear(method, params));
    await page.#send('Inspector.enable');
    await page.#send('Runtime.enable');
    await page.#send('Page.enable');
    const loaded = new Promise((done) => (page.onLoad = done));
    await page.#send('Page.navigate', { url });
    await loaded;
    return page;
  }

  /** Calls a function in the page; what it answers, when that is there. */
  async evaluate(work, argument) {
    const expression = `(${work})(${argument === undefined ? '' : JSON.stringify(argument)})`;
    const { result, exceptionDetails } = await this.#send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  }

  /** Has a function in the page call one here, with an array of arguments that JSON can hold. It answers a promise. */
  async expose(name, work) {
    this.#exposed.set(name, work);
    await this.#send('Runtime.addBinding', { name: `${name}Binding` });
    await this.evaluate((of) => {
      const waiting = new Map();
      let last = 0;
      globalThis[`${of}Told`] = (id) => waiting.get(id)();
      globalThis[of] = (...args) => new Promise((done) => {
        waiting.set(++last, done);
        globalThis[`${of}Binding`](JSON.stringify([last, args]));
      });
    }, name);
  }

  setFrozen(isFrozen) {
    return this.#send('Page.setWebLifecycleState', { state: isFrozen ? 'frozen' : 'active' });
  }

  /** Stops the page at whatever it does next, as a debugger does, or has it go on. */
  async setPaused(isPaused) {
    if (isPaused) await this.#send('Debugger.enable');
    await this.#send(isPaused ? 'Debugger.pause' : 'Debugger.disable');
  }

  async crash() {
    const crashed = new Promise((done) => (this.onCrash = done));
    this.#send('Page.crash').catch(() => {});
    await crashed;
    this.#wire.end(this.#sessionId);
  }

  async close() {
    this.onCrash = () => {};
    await this.#wire.send('Target.closeTarget', { targetId: this.#targetId });
    this.#wire.end(this.#sessionId);
  }

  #send(method, params) {
    return this.#wire.send(method, params, this.#sessionId);
  }

  #hear(method, params) {
    if (method === 'Inspector.targetCrashed') this.onCrash();
    if (method === 'Page.loadEventFired') this.onLoad?.();
    if (method !== 'Runtime.bindingCalled') return;
    const name = params.name.replace(/Binding$/, '');
    const [id, args] = JSON.parse(params.payload);
    this.#exposed.get(name)?.(...args);
    this.#send('Runtime.evaluate', { expression: `${name}Told(${id})` }).catch(() => {});
  }
}
