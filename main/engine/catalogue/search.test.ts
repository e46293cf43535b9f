import fc from 'fast-check';
import { expect, test } from 'vitest';
import { variedImage } from '../../../bench/defined-images.ts';
import type { ImageId } from '../../../contract/ids.ts';
import { imageSort } from '../../../contract/image-catalogue.ts';
import { parseImageQuery, type QueryTerm } from '../../../contract/image-query.ts';
import type { FieldValue } from '../../../contract/image-query-fields.ts';
import { versionKey } from '../../../contract/version-order.ts';
import { freshDatabase } from '../../../tests/support/fresh-database.ts';
import { createPackageStore } from '../images/packages/store.ts';
import { createImageStore, type ImageStore, type NewImage } from '../images/store.ts';
import { silentLog } from '../log/log.ts';
import type { Database } from '../store/database.ts';
import { buildCondition, buildOrder } from './search-sql.ts';
import { createCatalogueStore } from './store.ts';

const today = '2026-11-25';

type Opened = { database: Database; images: ImageStore; find: (query: string, uses?: ReadonlyMap<ImageId, number>) => string[] };

async function openWith(images: readonly NewImage[]): Promise<Opened> {
  const database = await freshDatabase();
  const store = createImageStore(database, silentLog);
  database.transaction(() => images.forEach(store.insert));
  const catalogue = createCatalogueStore(database);
  const find: Opened['find'] = (query, uses = new Map()) => {
    const { terms, problem } = parseImageQuery(query);
    if (problem) throw new Error(problem.message);
    return catalogue.search(buildCondition(terms, { today, uses: () => uses }), buildOrder('name', false));
  };
  return { database, images: store, find };
}

const named = (name: string, more: Partial<NewImage> = {}): NewImage => ({
  ...variedImage(name.length * 7 + 1),
  notes: '',
  tags: [],
  series: null,
  source: '/x',
  sourceUrl: null,
  ...more,
  name,
  id: name as ImageId,
});
const system = (name: string, version: string | null) => ({
  id: null,
  name: version ? `${name} ${version}` : name,
  family: 'linux' as const,
  version,
  distro: name.toLowerCase(),
});

test('words are found by their beginning wherever they stand, and quoted ones as they are', async () => {
  const { find } = await openWith([
    named('one', { os: system('Debian', '12'), notes: 'Kept for the second floor.' }),
    named('two', { os: system('Ubuntu', '22.04'), tags: ['Webserver'], kernels: ['6.1.0-18-amd64'] }),
    named('three', { os: system('Alpine', '3.19'), sourceUrl: 'https://dl.example.org/floor.iso', label: 'MÜNCHEN' }),
  ]);
  expect(find('web')).toEqual(['two']);
  expect(find('deb floor')).toEqual(['one']);
  expect(find('floor')).toEqual(['one', 'three']);
  expect(find('"second floor"')).toEqual(['one']);
  expect(find('"second flo"')).toEqual([]);
  expect(find('6.1.0')).toEqual(['two']);
  expect(find('munchen')).toEqual(['three']);
  expect(find('-floor')).toEqual(['two']);
  expect(find('notes:floor')).toEqual(['one']);
  expect(find('source:floor kernel:6')).toEqual(find('source:floor').filter((id) => find('kernel:6').includes(id)));
});

test('a package is found by its whole name, by a beginning with *, and in every image that has it', async () => {
  const { database, images, find } = await openWith([named('one'), named('two'), named('three'), named('four')]);
  const packages = createPackageStore(database);
  const save = (image: string, ...names: string[]) =>
    packages.save(
      image as ImageId,
      names.map((name) => ({ name, version: '1.0' })),
    );
  save('one', 'openssh-server', 'libstdc++6', 'python3.11', 'ImageMagick');
  save('two', 'openssh-client', 'openssh-server', 'libc6');
  save('three', '7-Zip 23.01 (x64)', 'Microsoft Edge', 'libc6@2');
  expect(find('package:openssh-server')).toEqual(['one', 'two']);
  expect(find('pkg:openssh-client,libstdc++6')).toEqual(['one', 'two']);
  expect(find('package:openssh')).toEqual([]);
  expect(find('package:openssh-*')).toEqual(['one', 'two']);
  expect(find('package:imagemagick package:python3.11')).toEqual(['one']);
  expect(find('package:"7-zip 23.01 (x64)"')).toEqual(['three']);
  expect(find('package:"edge 7-zip"')).toEqual(['three']);
  expect(find('package:libc6')).toEqual(['two']);
  expect(find('-package:openssh-server')).toEqual(['four', 'three']);
  expect(find('package:none')).toEqual(['four']);
  expect(find('-package:any')).toEqual(['four']);
  // Words alone are not looked for in packages: nearly every Linux has "bash".
  expect(find('libc6')).toEqual([]);

  save('two', 'libc6');
  expect(find('package:openssh-*')).toEqual(['one']);
  expect(packages.list('two' as ImageId)).toEqual([{ name: 'libc6', version: '1.0' }]);
  images.update([{ id: 'one' as ImageId, notes: 'changed' }]);
  expect(find('package:openssh-server')).toEqual(['one']);
  images.remove('one' as ImageId);
  images.insert(named('five'));
  expect(find('package:openssh-server')).toEqual([]);
  expect(packages.list('five' as ImageId)).toBeNull();
  packages.save('two' as ImageId, null);
  expect(find('package:any')).toEqual(['three']);
});

test.each(['package:*', 'package:"- -"', 'package:>a', 'package:'])('%s asks for no package', async (query) => {
  expect(parseImageQuery(query).problem).not.toBeNull();
});

test('versions compare as numbers, and a version is also what refines it', async () => {
  const versions = ['11', '12', '12.5', '13', '22.04', '9', null];
  const { find } = await openWith(versions.map((version) => named(version ?? 'rolling', { os: system('Linux', version) })));
  expect(find('version:>=12')).toEqual(['12', '12.5', '13', '22.04']);
  expect(find('version:<12.5')).toEqual(['9', '11', '12']);
  expect(find('version:>12')).toEqual(['12.5', '13', '22.04']);
  expect(find('version:12')).toEqual(['12', '12.5']);
  expect(find('version:22.04')).toEqual(['22.04']);
  expect(find('version:none')).toEqual(['rolling']);
  expect(find('-version:>=12')).toEqual(['9', '11', 'rolling']);
});

test('a month is all of its days, whether it is compared or asked for', async () => {
  const days = ['2026-05', '2026-05-31', '2026-06', '2026-06-01', '2026-06-30', '2026-07-01', null];
  const { find } = await openWith(days.map((patchLevel) => named(patchLevel ?? 'unknown', { patchLevel, endOfLife: null })));
  expect(find('patched:<2026-06')).toEqual(['2026-05', '2026-05-31']);
  expect(find('patched:<=2026-06')).toEqual(['2026-05', '2026-05-31', '2026-06', '2026-06-01', '2026-06-30']);
  expect(find('patched:2026-06')).toEqual(['2026-06', '2026-06-01', '2026-06-30']);
  expect(find('patched:>2026-06')).toEqual(['2026-07-01']);
  expect(find('patched:2026')).toHaveLength(6);
  expect(find('patched:none')).toEqual(['unknown']);
  expect(find('patched:any -patched:<2026-07')).toEqual(['2026-07-01']);
});

test('what stopped getting updates is found by the day that it is', async () => {
  const { find } = await openWith([
    named('ended', { endOfLife: '2026-11-24' }),
    named('ends today', { endOfLife: today }),
    named('goes on', { endOfLife: '2027-06-30' }),
    named('unknown', { endOfLife: null }),
  ]);
  expect(find('eol:<today')).toEqual(['ended']);
  expect(find('eol:today')).toEqual(['ends today']);
  expect(find('eol:<2027')).toEqual(['ended', 'ends today']);
});

test('a system is meant by its family, its short id, its name, or the first words of it', async () => {
  const { find } = await openWith([
    named('w', { os: { id: 'win11', name: 'Windows 11', family: 'windows', version: '11', distro: 'win' } }),
    named('s', { os: { id: 'win2k22', name: 'Windows Server 2022', family: 'windows', version: '2022', distro: 'win' } }),
    named('d1', { os: { id: 'debian1', name: 'Debian 1', family: 'linux', version: '1', distro: 'debian' } }),
    named('d12', { os: { id: 'debian12', name: 'Debian 12', family: 'linux', version: '12', distro: 'debian' } }),
  ]);
  expect(find('os:windows')).toEqual(['s', 'w']);
  expect(find('os:"Windows Server"')).toEqual(['s']);
  expect(find('os:WIN11')).toEqual(['w']);
  expect(find('os:"Debian 1"')).toEqual(['d1']);
  expect(find('os:linux -os:debian12')).toEqual(['d1']);
  expect(find('os:"100%"')).toEqual([]);
});

test('the newest published version of a series is told from those that it overtook', async () => {
  const version = (number: number, lifecycle: NewImage['lifecycle'] = 'published') =>
    named(`v${number}`, { lifecycle: lifecycle ?? 'published', series: { name: 'Web', version: number, changeNote: 'more' } });
  const { find } = await openWith([version(1), version(2), version(3, 'draft'), named('alone')]);
  expect(find('is:latest')).toEqual(['v2']);
  expect(find('is:outdated')).toEqual(['v1']);
  expect(find('series:web')).toEqual(['v1', 'v2', 'v3']);
  expect(find('series:none')).toEqual(['alone']);
});

test('who uses an image is counted by guests', async () => {
  const { find } = await openWith([named('a'), named('b'), named('c')]);
  const uses = new Map([
    ['a', 2],
    ['b', 1],
  ] as [ImageId, number][]);
  expect(find('uses:none', uses)).toEqual(['c']);
  expect(find('uses:any', uses)).toEqual(['a', 'b']);
  expect(find('uses:>=2', uses)).toEqual(['a']);
  expect(find('uses:<2', uses)).toEqual(['b', 'c']);
  expect(find('-uses:none', uses)).toEqual(['a', 'b']);
});

test('the index follows every change of a row, also one that another program makes', async () => {
  const { database, images, find } = await openWith([named('old name', { tags: ['web'] })]);
  images.update([{ id: 'old name' as ImageId, name: 'Fresh', tags: ['shop'], notes: 'Written later.' }]);
  expect([find('fresh'), find('later'), find('tag:shop'), find('tag:web'), find('old')].map((found) => found.length)).toEqual([
    1, 1, 1, 0, 0,
  ]);
  database.prepare('test.change', `UPDATE images SET notes = 'by hand' WHERE name = 'Fresh'`).run();
  expect(find('"by hand"')).toHaveLength(1);
  images.remove('old name' as ImageId);
  expect(find('')).toEqual([]);
  expect(database.prepare<{ n: number }>('test.rest', 'SELECT count(*) AS n FROM image_text').get()?.n).toBe(0);
  // FTS5 compares its index with its content, and fails when they differ.
  database.prepare('test.check', `INSERT INTO image_text (image_text) VALUES ('integrity-check')`).run();
});

test('quotes, stars and percent signs in a query are text and nothing else', async () => {
  const { find } = await openWith([named('plain', { tags: ['a"b', '100%'], os: system('Odd%', null) })]);
  expect(find('tag:"a\\"b"')).toEqual(['plain']);
  expect(find('tag:100%')).toEqual(['plain']);
  expect(find('"a\\" OR notes:x"')).toEqual([]);
  for (const hostile of ['"x" OR "y"', 'a*b', 'NEAR(a)', "x';DROP TABLE images;--a", 'a^b', '{name}:x1', 'tag:"*"']) find(hostile);
  expect(find('')).toEqual(['plain']);
});

/** What a term means, written once more and plainly, for comparing with what SQLite makes of it. */
function fits(image: NewImage, term: QueryTerm): boolean {
  const isSo = term.kind === 'words' ? hasWord(image, term.words) : term.values.some((value) => fieldFits(image, term, value));
  return isSo !== term.negated;
}

const wordsOf = (...texts: (string | null | undefined)[]) =>
  texts
    .filter(Boolean)
    .join(' ')
    .toLowerCase()
    .normalize('NFD')
    .replaceAll(/\p{M}/gu, '')
    .split(/[^\p{L}\p{N}]+/u);

function hasWord(image: NewImage, text: string): boolean {
  const all = wordsOf(
    image.name,
    image.os.name,
    image.os.id,
    image.os.distro,
    image.os.version,
    image.architecture,
    ...(image.tags ?? []),
    image.notes,
    image.source,
    image.sourceUrl,
    ...(image.kernels ?? []),
    image.series?.name,
    image.series?.changeNote,
    image.label,
    image.addedBy,
    image.format,
    image.kind,
  );
  return wordsOf(text).every((word) => all.some((candidate) => candidate.startsWith(word)));
}

function fieldFits(image: NewImage, { field, comparison }: Extract<QueryTerm, { kind: 'field' }>, value: FieldValue): boolean {
  const known: Record<string, string | number | null | undefined> = {
    version: versionKey(image.os.version),
    patched: image.patchLevel,
    eol: image.endOfLife,
    added: image.addedAt,
    arch: image.architecture,
    lifecycle: image.lifecycle,
    kind: image.kind,
    size: image.sizeBytes,
  };
  if (field === 'tag')
    return value.kind === 'none'
      ? image.tags?.length === 0
      : value.kind === 'text' && (image.tags ?? []).some((tag) => tag.toLowerCase() === value.text.toLowerCase());
  if (field === 'os')
    return (
      value.kind === 'text' &&
      [image.os.distro, image.os.family, image.os.name].some((name) => name?.toLowerCase() === value.text.toLowerCase())
    );
  const is = known[field] ?? null;
  if (value.kind === 'none') return is === null;
  if (is === null) return false;
  if (value.kind === 'text') return is === value.text;
  if (value.kind === 'number') return typeof is === 'number' && compare(is, value.number, comparison);
  const wanted = value.kind === 'version' ? (versionKey(value.version) ?? '') : value.kind === 'date' ? value.date : today;
  const own = String(is);
  if (value.kind === 'version')
    return comparison === '=' ? own === wanted || own.startsWith(`${wanted}.`) : compare(own, wanted, comparison);
  return compare(own.startsWith(wanted) ? wanted : own, wanted, comparison);
}

function compare<T>(one: T, other: T, comparison: string): boolean {
  return { '=': one === other, '<': one < other, '<=': one <= other, '>': one > other, '>=': one >= other }[comparison] ?? false;
}

test('any query finds exactly what it says, in 2,000 images', async () => {
  const images = Array.from({ length: 2000 }, (_, index) => variedImage(index + 1));
  const { find } = await openWith(images);
  const term = fc.oneof(
    fc.constantFrom('web', 'deb', 'gateway', 'prufstand', '6', 'audit', 'anna', 'iso', '17'),
    fc
      .tuple(
        fc.constantFrom('version:', 'version:<', 'version:>=', 'version:<=', 'version:>'),
        fc.constantFrom('9', '12', '12.5', '22.04', '3.19'),
      )
      .map((parts) => parts.join('')),
    fc
      .tuple(
        fc.constantFrom('patched:', 'eol:<', 'added:>=', 'patched:<=', 'eol:>'),
        fc.constantFrom('2024', '2025-06', '2026-06-30', 'today'),
      )
      .map((parts) => parts.join('')),
    fc.constantFrom(
      'tag:web',
      'tag:web,shop',
      'tag:none',
      'arch:none',
      'arch:aarch64,x86_64',
      'lifecycle:draft',
      'kind:iso',
      'os:debian,windows',
      'os:"Alpine Linux 3.9"',
      'size:>2G',
      'size:<=900M',
      'patched:none',
    ),
  );
  const query = fc
    .array(
      fc.tuple(fc.constantFrom('', '', '-'), term).map((parts) => parts.join('')),
      { maxLength: 4 },
    )
    .map((terms) => terms.join(' '));
  fc.assert(
    fc.property(query, (text) => {
      const { terms } = parseImageQuery(text);
      const wanted = images.filter((image) => terms?.every((each) => fits(image, each))).map(({ id }) => id);
      expect([...find(text)].sort()).toEqual([...wanted].sort());
    }),
    { numRuns: 300 },
  );
});

test('every order lists the same images, what is not known last', async () => {
  const { database, images } = await openWith(Array.from({ length: 300 }, (_, index) => variedImage(index + 1)));
  const catalogue = createCatalogueStore(database);
  const all = images
    .list()
    .map(({ id }) => id)
    .sort();
  for (const sort of imageSort.options) {
    for (const descending of [false, true]) {
      const found = catalogue.search({ sql: 'TRUE', parameters: [] }, buildOrder(sort, descending));
      expect([...found].sort()).toEqual(all);
      if (sort !== 'patched') continue;
      const levels = found.map((id) => images.find(id)?.patchLevel ?? null);
      const known = levels.filter((level) => level !== null);
      expect(levels.slice(known.length).every((level) => level === null)).toBe(true);
      expect(known).toEqual([...known].sort((one, other) => (descending ? -1 : 1) * (one < other ? -1 : one > other ? 1 : 0)));
    }
  }
});
