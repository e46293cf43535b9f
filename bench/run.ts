/**
 * `npm run bench [-- NAME …] [-- --out FILE]`: measures, and prints every figure beside a peer or a limit of the same run.
 * Not part of ./test: figures are for people, and a busy machine must not fail a check.
 */
import { writeFile } from 'node:fs/promises';
import { cpus, release, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { prepare } from '../build/setup/prepare.ts';
import { type Figure, figuresTable, Skipped } from './figures.ts';
import { measures } from './measures/all.ts';

const { values: options, positionals: wanted } = parseArgs({
  allowPositionals: true,
  options: { out: { type: 'string' }, list: { type: 'boolean' } },
});
/** `console-replay` is all of `console-replay:…`. */
const isMeant = (measure: string, name: string) => measure === name || measure.startsWith(`${name}:`);
const unknown = wanted.filter((name) => !measures.some((measure) => isMeant(measure.name, name)));
if (options.list || unknown.length > 0) {
  if (unknown.length > 0) console.error(`There is no measure called ${unknown.join(', ')}. These there are:`);
  for (const measure of measures) console.log(`${measure.name.padEnd(24)}${measure.about}`);
  process.exit(unknown.length > 0 ? 2 : 0);
}

// What is measured is the product as it stands here, and on a fresh clone there is none yet.
await prepare((stage, line) => console.error(`[${stage}] ${line}`));

const figures: Figure[] = [];
const notes: string[] = [];
let failed = false;
for (const measure of measures.filter((each) => wanted.length === 0 || wanted.some((name) => isMeant(each.name, name)))) {
  console.error(`${measure.name}: ${measure.about}`);
  try {
    figures.push(...(await measure.run((line) => console.error(`  ${line}`))));
  } catch (thrown) {
    if (thrown instanceof Skipped) notes.push(`- ${measure.name} was skipped: ${thrown.message}`);
    else {
      failed = true;
      notes.push(`- ${measure.name} failed: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
      console.error(thrown);
    }
  }
  // Whoever ends this before it is through has what there was until then.
  if (options.out) await writeFile(options.out, `${report()}\n`);
}
console.log(report());
process.exitCode = failed ? 1 : 0;

function report(): string {
  const [cpu] = cpus();
  const machine = `${cpus().length} × ${cpu?.model ?? 'unknown processor'}, ${Math.round(totalmem() / 1024 ** 3)} GiB, Linux ${release()}, Node ${process.version}, ${new Date().toISOString().slice(0, 10)}`;
  return [figuresTable(figures), '', machine, ...(notes.length > 0 ? ['', ...notes] : [])].join('\n');
}
