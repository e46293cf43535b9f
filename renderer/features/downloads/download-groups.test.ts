import { expect, test } from 'vitest';
import type { DownloadEntry } from '../../../contract/download.ts';
import { groupDownloads } from './download-groups.ts';

function entry(id: string, family: DownloadEntry['os']['family'], more: Partial<DownloadEntry> = {}): DownloadEntry {
  return {
    id,
    name: id,
    summary: `About ${id}.`,
    os: { id: null, name: id, family, version: null, distro: id },
    version: 'newest',
    architecture: 'x86_64',
    kind: 'installer',
    approximateBytes: 1,
    proof: 'checksum',
    homepage: 'https://example.com/',
    terms: 'https://example.com/',
    page: null,
    host: 'example.com',
    image: null,
    unfinished: null,
    job: null,
    ...more,
  };
}

const list = [
  entry('debian', 'linux', { summary: 'Installs from the net.' }),
  entry('debian-cloud', 'linux', { kind: 'disk' }),
  entry('openbsd', 'bsd'),
  entry('windows-11', 'windows', { kind: 'page' }),
  entry('reactos', 'windows'),
  entry('freedos', 'dos'),
];

const shown = (text: string, filter: Parameters<typeof groupDownloads>[2] = 'all') =>
  groupDownloads(list, text, filter).map(({ family, entries }) => `${family}: ${entries.map(({ id }) => id).join(' ')}`);

test('entries stand under their families, and what is neither of the large ones under others', () => {
  expect(shown('')).toEqual(['linux: debian debian-cloud', 'bsd: openbsd', 'windows: windows-11', 'other: reactos freedos']);
});

test('all words that are typed must be found, wherever they stand', () => {
  expect(shown('  NET deb ')).toEqual(['linux: debian']);
  expect(shown('nothing like it')).toEqual([]);
});

test('discs and disks are told apart', () => {
  expect(shown('', 'disks')).toEqual(['linux: debian-cloud']);
  expect(shown('deb', 'discs')).toEqual(['linux: debian']);
});
