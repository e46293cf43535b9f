/**
 * `npm run fuzz`: feeds every parser and decoder of SPICE what no honest server sends, for ten minutes, guided by what the inputs reach.
 *
 *   npm run fuzz                          all targets, 10 minutes together; new inputs go to tests/fuzz/corpus
 *   npm run fuzz -- quic glz              these alone
 *   npm run fuzz -- --seconds 60 --seed 7 --discard    as ./test does: nothing is kept
 *
 * Ends with 1 when an input made a decoder throw something else than a SpiceError, hang, or write where it may not; the input is then in
 * out/fuzz. Once the fault is mended it belongs into the corpus.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { fuzzTargets } from './all-targets.ts';
import type { FuzzOrder, FuzzReport } from './fuzz-target.ts';
import { plantedFault } from './planted-fault.ts';

const corpusFolder = join(import.meta.dirname, 'corpus');
const failureFolder = join(import.meta.dirname, '../../out/fuzz');
const longestInput = 64 * 1024;
/** A worker that does not begin another input for so long hangs. */
const hangMs = 30_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: 'string', default: '600' }, seed: { type: 'string' }, discard: { type: 'boolean', default: false } },
});
const seed = values.seed === undefined ? Date.now() & 0x7fffffff : Number(values.seed);
const targets = [...fuzzTargets, plantedFault].filter(({ name }) =>
  positionals.length === 0 ? name !== plantedFault.name : positionals.includes(name),
);
if (targets.length === 0) throw new Error(`There are: ${fuzzTargets.map(({ name }) => name).join(', ')}.`);

/** One input a line, in base64. */
function readCorpus(target: string): Uint8Array[] {
  const path = join(corpusFolder, `${target}.txt`);
  return existsSync(path)
    ? readFileSync(path, 'utf8')
        .split('\n')
        .filter(Boolean)
        .map((line) => Buffer.from(line, 'base64'))
    : [];
}

function keep(target: string, inputs: Uint8Array[]): void {
  const lines = new Set([...readCorpus(target), ...inputs].map((input) => Buffer.from(input).toString('base64')));
  writeFileSync(join(corpusFolder, `${target}.txt`), `${[...lines].toSorted().join('\n')}\n`);
}

function runTarget(target: string, ms: number): Promise<FuzzReport> {
  const present = new SharedArrayBuffer(8 + longestInput);
  const counter = new Int32Array(present, 0, 2);
  const order: FuzzOrder = { target, seed, ms, corpus: readCorpus(target), present };
  const worker = new Worker(join(import.meta.dirname, 'fuzz-target.ts'), { workerData: order });
  return new Promise((resolve) => {
    let tried = -1;
    const watch = setInterval(() => {
      const now = Atomics.load(counter, 0);
      if (now === tried)
        finish({ kind: 'failed', input: new Uint8Array(present, 8, Math.min(counter[1] ?? 0, longestInput)).slice(), error: 'It hangs.' });
      tried = now;
    }, hangMs);
    const finish = (report: FuzzReport) => {
      clearInterval(watch);
      void worker.terminate();
      resolve(report);
    };
    worker.on('message', finish);
    worker.on('error', (error) =>
      finish({ kind: 'failed', input: new Uint8Array(present, 8, counter[1] ?? 0).slice(), error: String(error) }),
    );
  });
}

const msEach = (Number(values.seconds) * 1000) / targets.length;
for (const { name } of targets) {
  const report = await runTarget(name, msEach);
  if (report.kind === 'failed') {
    mkdirSync(failureFolder, { recursive: true });
    const file = join(failureFolder, `${name}-${createHash('sha256').update(report.input).digest('hex').slice(0, 12)}`);
    writeFileSync(file, report.input);
    console.error(`${name}: ${report.error}\n  seed ${seed}; the input of ${report.input.length} bytes is ${file}`);
    process.exitCode = 1;
    continue;
  }
  const { tried, covered, atFirst, kept } = report;
  if (!values.discard && kept.length > 0) keep(name, kept);
  console.log(
    `${name}: ${tried} inputs, ${covered} characters of source reached (${atFirst} at first), ${kept.length} new inputs${values.discard ? ' not' : ''} kept`,
  );
}
console.log(`seed ${seed}`);
