import { expect, test } from 'vitest';
import type { ImageId } from '../../../contract/ids.ts';
import { noFacts } from '../../../contract/image.ts';
import { editImage, rereadImage, tagImage } from './image-edit.ts';
import type { AsRead, StoredImage } from './store.ts';

const debian = (version: string) => ({
  id: `debian${version}`,
  name: `Debian ${version}`,
  family: 'linux' as const,
  version,
  distro: 'debian',
});
const read: AsRead = {
  os: debian('12'),
  firmware: 'uefi',
  architecture: 'x86_64',
  patchLevel: '2026-06-01',
  patchLevelFrom: 'The time of /var/lib/dpkg/status.',
  endOfLife: '2028-06-30',
};
const stored = (id: string, more: Partial<StoredImage> = {}): StoredImage => ({
  ...noFacts,
  ...read,
  id: id as ImageId,
  name: id,
  format: 'qcow2',
  kind: 'disk',
  builtIn: false,
  sizeBytes: 1,
  virtualSizeBytes: 1,
  sha256: 'a'.repeat(64),
  label: null,
  source: '/x',
  addedAt: '2026-11-25T08:00:00.000Z',
  addedBy: 'root',
  sourceUrl: null,
  sourceChecksum: null,
  notes: '',
  tags: [],
  lifecycle: 'published',
  series: null,
  byHand: [],
  factsFrom: null,
  asRead: read,
  ...more,
});
const at = (version: number, name = 'Web') => ({ name, version, changeNote: '' });

test('what a hand wrote is not read over, until it is given back', () => {
  const before = stored('one');
  const edited = { ...before, ...editImage(before, { patchLevel: '2026-10', os: debian('13') }, [], []) };
  expect(edited).toMatchObject({ patchLevel: '2026-10', patchLevelFrom: null, byHand: ['os', 'patchLevel'] });

  const newer: AsRead = { ...read, patchLevel: '2026-11-01', architecture: 'aarch64' };
  const reread = { ...edited, ...rereadImage(edited, newer, { kernels: ['6.1'], packages: null, factsFrom: 'By another.' }) };
  expect(reread).toMatchObject({ os: { version: '13' }, patchLevel: '2026-10', architecture: 'aarch64', kernels: ['6.1'] });

  const back = { ...reread, ...editImage(reread, {}, ['patchLevel'], []) };
  expect(back).toMatchObject({ patchLevel: '2026-11-01', patchLevelFrom: 'The time of /var/lib/dpkg/status.', byHand: ['os'] });
});

test('that nothing is known can be written by hand as well', () => {
  const before = stored('one');
  const edited = { ...before, ...editImage(before, { architecture: null }, [], []) };
  expect({ ...edited, ...rereadImage(edited, read, { ...noFacts, factsFrom: null }) }).toMatchObject({
    architecture: null,
    byHand: ['architecture'],
  });
});

test('an image comes into a series as its newest version, and keeps its place when only its note changes', () => {
  const others = [stored('a', { series: at(1) }), stored('b', { series: at(4) })];
  expect(editImage(stored('c'), { series: { name: 'web', changeNote: 'Updates' } }, [], others).series).toEqual({
    name: 'Web',
    version: 5,
    changeNote: 'Updates',
  });
  expect(editImage(stored('c'), { series: { name: 'Shop' } }, [], others).series).toEqual({ name: 'Shop', version: 1, changeNote: '' });
  const member = stored('d', { series: { ...at(2), changeNote: 'First' } });
  expect(editImage(member, { series: { name: 'Web' } }, [], [...others, member]).series).toEqual({
    name: 'Web',
    version: 2,
    changeNote: 'First',
  });
  expect(editImage(member, { series: null }, [], others).series).toBeNull();
});

test('two images are never the same version of a series', () => {
  const others = [stored('The first one', { series: at(1) })];
  expect(() => editImage(stored('c'), { series: { name: 'WEB', version: 1 } }, [], others)).toThrow(
    'Version 1 of “WEB” is “The first one” already.',
  );
});

test('a tag is there once, whatever its case', () => {
  const before = stored('one', { tags: ['Web', 'old'] });
  expect(editImage(before, { tags: ['Shop', 'shop', 'web'] }, [], []).tags).toEqual(['Shop', 'web']);
  expect(tagImage(before, ['web', 'new'], ['OLD'])).toEqual(['Web', 'new']);
});
