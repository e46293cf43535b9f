/**
 * A worker that has its code before a console asks for one: to start it takes longer than to connect to a guest. A page keeps one at most, and only for as
 * long as somebody wants that.
 */

/** Whoever opens a console wants none in reserve any more, and takes that one a little later. */
const takenWithinMs = 5000;

let ready: Worker | null = null;
let leaving: ReturnType<typeof setTimeout> | undefined;

/** Keeps one from the next moment on in which the page has nothing else to do, until the answer is called. */
export function keepWorkerReady(): () => void {
  clearTimeout(leaving);
  const asked = requestIdleCallback(() => {
    ready ??= startWorker();
  });
  return () => {
    cancelIdleCallback(asked);
    leaving = setTimeout(() => {
      ready?.terminate();
      ready = null;
    }, takenWithinMs);
  };
}

/** The one that is ready, or a new one. It is the caller's. */
export function takeWorker(): Worker {
  const taken = ready ?? startWorker();
  ready = null;
  return taken;
}

function startWorker(): Worker {
  const worker = new Worker(new URL('./worker/worker.ts', import.meta.url), { type: 'module', name: 'spice' });
  // One that fails before anybody listens is none.
  worker.onerror = () => {
    if (worker === ready) ready = null;
  };
  return worker;
}
