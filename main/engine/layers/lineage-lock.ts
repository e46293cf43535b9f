/**
 * Who makes a disk build upon a base, and who removes a base because nothing builds upon it, wait for each other: between looking and
 * doing nothing may change. What is done alone is short; long copying is done before or after.
 */
export type LineageLock = <T>(work: () => Promise<T>) => Promise<T>;

export function createLineageLock(): LineageLock {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const turn = last.then(work, work);
    last = turn.catch(() => undefined);
    return turn;
  };
}
