import { fork } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { until } from '../../tests/support/until.ts';
import { ChosenFiles, chosenFilesJournal } from './chosen-files.ts';

function folder(): string {
  const made = mkdtempSync('/tmp/gh-chosen-');
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

const begin = (own: string) => new ChosenFiles(chosenFilesJournal(join(own, 'chosen.json')));

test('a file replaces the one before as a whole, or not at all, and nothing of ours stays beside it', async () => {
  const own = folder();
  const place = folder();
  const path = join(place, 'a.png');
  writeFileSync(path, 'before');
  // A file of somebody else's that is called as one might call what grows.
  writeFileSync(`${path}.new`, 'mine');
  const files = begin(own);
  await files.write(path, Buffer.from('after'));
  expect(readFileSync(path, 'utf8')).toBe('after');
  expect(readFileSync(`${path}.new`, 'utf8')).toBe('mine');
  await expect(files.write(place, Buffer.from('x'))).rejects.toMatchObject({ error: { code: 'store/not-writable' } });
  await expect(files.write(join(place, 'no', 'a.png'), Buffer.from('x'))).rejects.toMatchObject({
    error: { code: 'store/not-writable' },
  });
  expect(readdirSync(place).sort()).toEqual(['a.png', 'a.png.new']);
  expect(readFileSync(join(own, 'chosen.json'), 'utf8')).toBe('[]');
});

test('what an app that was killed while it wrote has left is removed by the next one', async () => {
  const own = folder();
  const place = folder();
  const path = join(place, 'a.png');
  writeFileSync(path, 'before');
  const script = join(own, 'writer.ts');
  writeFileSync(
    script,
    `import { ChosenFiles, chosenFilesJournal } from ${JSON.stringify(join(import.meta.dirname, 'chosen-files.ts'))};
    const files = new ChosenFiles(chosenFilesJournal(${JSON.stringify(join(own, 'chosen.json'))}));
    void files.write(${JSON.stringify(path)}, new Uint8Array(256 * 1024 ** 2));`,
  );
  const writer = fork(script, { stdio: 'ignore' });
  onTestFinished(() => void writer.kill('SIGKILL'));
  const gone = new Promise((settle) => writer.once('exit', settle));
  const left = await until('it is being written', () => readdirSync(place).find((name) => name.startsWith('.')) ?? null, 40_000);
  writer.kill('SIGKILL');
  await gone;
  expect(readFileSync(path, 'utf8')).toBe('before');
  expect(readdirSync(place)).toContain(left);

  await begin(own).removeLeft();
  expect(readdirSync(place)).toEqual(['a.png']);
  expect(readFileSync(join(own, 'chosen.json'), 'utf8')).toBe('[]');
});

test('no other file is removed, whatever a journal says, and what lies on a disk that is away is remembered', async () => {
  const own = folder();
  const place = folder();
  const ours = (at: string) => join(at, '.guesthouse-0193a1b2-0000-4000-8000-000000000001.new');
  const theirs = join(place, 'precious.new');
  writeFileSync(theirs, 'x');
  const plant = (temporary: string) => writeFileSync(join(own, 'chosen.json'), JSON.stringify([{ temporary }]));
  for (const planted of [theirs, `${ours(place)}/../precious.new`, '']) {
    plant(planted);
    await begin(own).removeLeft();
  }
  expect(existsSync(theirs)).toBe(true);
  plant(ours(join(place, 'away')));
  const before = readFileSync(join(own, 'chosen.json'), 'utf8');
  await begin(own).removeLeft();
  expect(readFileSync(join(own, 'chosen.json'), 'utf8')).toBe(before);
});
