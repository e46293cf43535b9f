import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { guestId } from '../../contract/ids.ts';
import type { UnsentFiles } from '../../contract/shell.ts';
import { SendingFiles, sendingJournal } from './sending-files.ts';

const guest = guestId.parse('g000000001');
const other = guestId.parse('g000000002');

const unsent = (files: string[], to = guest, count = files.length): UnsentFiles => ({ guest: to, guestName: 'Debian', files, count });

function folder(): string {
  const made = mkdtempSync('/tmp/gh-sending-');
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

/** An app that begins, over what the one before has left. */
const begin = (own: string) => new SendingFiles(sendingJournal(join(own, 'window', 'sending.json')));

test('what a killed app was sending is told by the next one, once, for each guest and window', () => {
  const own = folder();
  const killed = begin(own);
  killed.set('main', unsent(['a.txt', 'b.txt']));
  killed.set('main', unsent(['b.txt']));
  killed.set('main', unsent(['c.txt'], other));
  killed.set(guest, unsent(['d.txt']));

  const next = begin(own);
  // What it sends itself is not what was left.
  next.set('main', unsent(['new.txt']));
  expect(next.takeLeft()).toEqual([unsent(['b.txt']), unsent(['c.txt'], other), unsent(['d.txt'])]);
  expect(next.takeLeft()).toEqual([]);
  expect(begin(own).takeLeft()).toEqual([unsent(['new.txt'])]);
  expect(readdirSync(join(own, 'window'))).toEqual(['sending.json']);
});

test('of more windows than are remembered the newest are told', () => {
  const own = folder();
  const killed = begin(own);
  for (let window = 0; window <= 100; window++) killed.set(`window ${window}`, unsent([`${window}.txt`]));
  expect(
    begin(own)
      .takeLeft()
      .map(({ files }) => files[0]),
  ).toEqual(Array.from({ length: 100 }, (_, index) => `${index + 1}.txt`));
});

test('what arrived, was cancelled, or was let go by the user is not told', () => {
  const own = folder();
  const app = begin(own);
  app.set('main', unsent(['a.txt']));
  app.set('main', unsent([]));
  app.set('main', unsent(['b.txt'], other));
  expect(app.isSending('main')).toBe(true);
  app.letGo('main');
  // The page goes on for as long as it is there; nobody is asked once more.
  app.set('main', unsent(['c.txt'], other));
  expect(app.isSending('main')).toBe(false);
  expect(begin(own).takeLeft()).toEqual([]);
  // What comes after that is asked about anew.
  app.set('main', unsent([], other));
  app.set('main', unsent(['d.txt']));
  expect(app.isSending('main')).toBe(true);
  expect(begin(own).takeLeft()).toEqual([unsent(['d.txt'])]);
});

test('what a page that died was sending is told at once, and nothing of another window or of one that was let go', () => {
  const own = folder();
  const app = begin(own);
  app.set('main', unsent(['a.txt']));
  app.set(guest, unsent(['b.txt']));
  app.set(other, unsent(['c.txt']));
  app.letGo(other);
  expect([app.take('main'), app.take('main'), app.take(other)]).toEqual([[unsent(['a.txt'])], [], []]);
  expect(app.isSending('main')).toBe(false);
  expect(begin(own).takeLeft()).toEqual([unsent(['b.txt'])]);
});

test('a journal that is damaged, planted, or cannot be written is as good as none', () => {
  const own = folder();
  begin(own).set('main', unsent(['a.txt']));
  const path = join(own, 'window', 'sending.json');
  const good = readFileSync(path, 'utf8');
  for (const planted of ['', '{}', good.slice(0, -3), good.replace(guest, '../../x'), good.replace('"count":1', '"count":-1')]) {
    writeFileSync(path, planted);
    expect(begin(own).takeLeft()).toEqual([]);
  }
  writeFileSync(join(own, 'file'), '');
  const nowhere = new SendingFiles(sendingJournal(join(own, 'file', 'sending.json')));
  nowhere.set('main', unsent(['a.txt']));
  expect(nowhere.isSending('main')).toBe(true);
});
