// Calls over a port: a page asks, a Worker answers. An answer that nobody waits for any more is dropped, so that a
// question can be given up without the other side's help. Work that has to be cleared up is waited for.

import { KithError, reportOf } from './errors.js';

/** Asks through a port. `failAll(report)` ends every call that waits, when the other side is gone. */
export function makeCaller(port) {
  const waiting = new Map();
  let last = 0;
  port.onmessage = ({ data: { id, done, failed, progress } }) => {
    const call = waiting.get(id);
    if (!call) return;
    if (progress !== undefined) return call.onProgress(progress);
    waiting.delete(id);
    if (failed) call.fail(new KithError(failed));
    else call.finish(done);
  };
  return {
    /**
     * What `method` answers to `argument`. Rejects with a KithError. When the signal says so the other side is told,
     * and the call rejects with the signal's reason; with `isPatient` it goes on waiting for what the other side says.
     */
    call(method, argument, { signal, onProgress = () => {}, isPatient = false } = {}) {
      return new Promise((finish, fail) => {
        signal?.throwIfAborted();
        const id = ++last;
        waiting.set(id, { finish, fail, onProgress });
        signal?.addEventListener('abort', () => {
          if (!waiting.has(id)) return;
          port.postMessage({ id, cancel: true });
          if (isPatient) return;
          waiting.delete(id);
          fail(signal.reason);
        }, { once: true });
        port.postMessage({ id, method, argument });
      });
    },
    failAll(report) {
      const failed = [...waiting.values()];
      waiting.clear();
      for (const { fail } of failed) fail(new KithError(report));
    },
  };
}

/** Answers calls from a port. A method gets its argument and `{signal, onProgress}`. */
export function answerCalls(port, methods) {
  const running = new Map();
  port.onmessage = async ({ data: { id, method, argument, cancel } }) => {
    if (cancel) {
      running.get(id)?.abort();
      return;
    }
    const control = new AbortController();
    running.set(id, control);
    const onProgress = (progress) => port.postMessage({ id, progress });
    try {
      port.postMessage({ id, done: await methods[method](argument, { signal: control.signal, onProgress }) });
    } catch (error) {
      port.postMessage({ id, failed: reportOf(error) });
    } finally {
      running.delete(id);
    }
  };
}
