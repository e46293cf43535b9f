/** A worker that fuzzes one target until its time is over, and tells whoever started it what it found. */
import { parentPort, workerData } from 'node:worker_threads';
import { SpiceError } from '../../renderer/console/spice/protocol/spice-error.ts';
import { fuzzTargets } from './all-targets.ts';
import { CoveredSource } from './covered-source.ts';
import { Chance, mutate } from './mutate.ts';
import { plantedFault } from './planted-fault.ts';

export type FuzzOrder = {
  target: string;
  seed: number;
  ms: number;
  /** Inputs that were kept before. */
  corpus: Uint8Array[];
  /** Shared: how many inputs were tried · the length of the present one · the present one. */
  present: SharedArrayBuffer;
};

export type FuzzReport =
  | { kind: 'failed'; input: Uint8Array; error: string }
  | { kind: 'done'; tried: number; covered: number; atFirst: number; kept: Uint8Array[] };

/** Inputs between two looks at what they reached. Looking takes as long as some hundred of them: the less there is to find, the seldomer. */
const batchSizes = { least: 64, most: 4096 };
/** No input of a few KiB may take longer. */
const longestRunMs = 2000;

const { target: name, seed, ms, corpus, present } = workerData as FuzzOrder;
const target = [...fuzzTargets, plantedFault].find((each) => each.name === name);
if (!target || !parentPort) throw new Error(`There is no target “${name}”.`);
const counter = new Int32Array(present, 0, 2);
const shown = new Uint8Array(present, 8);
const report = (message: FuzzReport) => parentPort?.postMessage(message);

/** Whether it went well. */
function tryInput(input: Uint8Array): boolean {
  shown.set(input.subarray(0, shown.length));
  counter[1] = input.length;
  Atomics.add(counter, 0, 1);
  const began = performance.now();
  let fault: unknown = null;
  try {
    target?.run(input);
  } catch (error) {
    if (!(error instanceof SpiceError)) fault = error;
  }
  if (performance.now() - began > longestRunMs) fault ??= new Error(`It took ${Math.round(performance.now() - began)} ms.`);
  if (fault === null) return true;
  report({ kind: 'failed', input, error: fault instanceof Error ? (fault.stack ?? fault.message) : String(fault) });
  return false;
}

/** Takes away what is not needed to reach something new, so that the corpus stays small. */
function shorten(input: Uint8Array, source: CoveredSource): Uint8Array {
  let bytes = input;
  for (let piece = bytes.length >> 1; piece >= 4; piece >>= 1)
    for (let at = bytes.length - piece; at >= 0; at -= piece) {
      const shorter = new Uint8Array(bytes.length - piece);
      shorter.set(bytes.subarray(0, at));
      shorter.set(bytes.subarray(at + piece), at);
      tryInput(shorter);
      if (source.hasNew(false)) bytes = shorter;
    }
  return bytes;
}

/** Some of them went where none had been: hands over which, in halves of halves. */
function narrowDown(batch: readonly Uint8Array[], source: CoveredSource, keep: (input: Uint8Array) => void): void {
  for (const input of batch) tryInput(input);
  if (!source.hasNew(false)) return;
  const [only] = batch;
  if (batch.length > 1 || !only) {
    const middle = batch.length >> 1;
    narrowDown(batch.slice(0, middle), source, keep);
    narrowDown(batch.slice(middle), source, keep);
    return;
  }
  const short = shorten(only, source);
  tryInput(short);
  source.hasNew(true);
  keep(short);
}

function fuzz(): void {
  const source = new CoveredSource((url) => url.includes('/renderer/console/spice/') || url.endsWith('/planted-fault.ts'));
  const chance = new Chance(seed);
  const active: Uint8Array[] = [];
  const kept: Uint8Array[] = [];
  const end = performance.now() + ms;
  for (const input of [...(target?.seeds() ?? []), ...corpus]) {
    if (!tryInput(input)) return;
    // All are tried, but looking at what they reached takes its time.
    if (performance.now() > end || source.hasNew(true)) active.push(input);
  }
  const atFirst = source.size;
  let batchSize = batchSizes.least;
  while (performance.now() < end) {
    const batch: Uint8Array[] = [];
    source.skip();
    for (let index = 0; index < batchSize && performance.now() < end; index++) {
      const input = mutate(chance.of(active), chance.of(active), chance);
      batch.push(input);
      if (!tryInput(input)) return;
    }
    if (source.hasNew(false)) {
      narrowDown(batch, source, (input) => active.push(input) && kept.push(input));
      batchSize = batchSizes.least;
    } else batchSize = Math.min(batchSize * 2, batchSizes.most);
  }
  report({ kind: 'done', tried: Atomics.load(counter, 0), covered: source.size, atFirst, kept });
  source.close();
}

fuzz();
