import { expect, test } from 'vitest';
import { outsideHosts } from '../../../contract/outside-hosts.ts';
import { catalogue } from './catalogue.ts';
import { catalogueEntry } from './catalogue-entry.ts';
import { parseEd25519Key } from './ed25519-signature.ts';

test.each(catalogue.map((entry) => [entry.id, entry] as const))('%s is an entry that can be carried out', (_id, entry) => {
  const { source, kind, homepage, terms } = catalogueEntry.parse(entry);
  expect((kind === 'page') === (source.kind === 'page')).toBe(true);
  for (const link of [homepage, terms, ...(source.kind === 'page' ? [source.url] : [])]) expect(outsideHosts).toContain(new URL(link).host);
  if (source.kind === 'page') return;
  // Whatever a place asks for was found by a look-up before it.
  const known = new Set<string>();
  const asksFor = (place: string) => [...place.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? '');
  for (const { page, pattern } of source.newest) {
    for (const name of asksFor(page)) expect([...known]).toContain(name);
    const named = [...pattern.matchAll(/\(\?<(\w+)>/g)].map(([, name]) => name ?? '');
    expect(named.length).toBeGreaterThan(0);
    for (const name of named) known.add(name);
  }
  const places = [
    source.file,
    ...(source.checksum?.kind === 'file' ? [source.checksum.place] : []),
    ...(source.signature?.place ? [source.signature.place] : []),
    ...(source.signature?.kind === 'signify' ? [source.signature.keyName] : []),
  ];
  for (const place of places) {
    for (const name of asksFor(place)) expect([...known]).toContain(name);
    const filled = place.replace(/\{\w+\}/g, 'x');
    for (const base of source.bases) expect(new URL(filled, base).href.startsWith(base)).toBe(true);
  }
  if (source.signature?.over === 'checksums') expect(source.checksum?.kind).toBe('file');
  if (source.signature?.place === null) expect(source.signature.over).toBe('checksums');
  if (source.signature?.kind !== 'signify') return;
  for (const key of Object.values(source.signature.keys)) expect(parseEd25519Key(key)).not.toBeNull();
  // What is looked up for a file is not kept until its signature is checked.
  if (source.signature.over === 'file') expect(asksFor(source.signature.keyName)).toEqual([]);
});

test('the list has what people look for, each once', () => {
  const ids = catalogue.map((entry) => entry.id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(new Set(catalogue.map((entry) => entry.name)).size).toBe(ids.length);
  expect(ids.length).toBeGreaterThanOrEqual(25);
  const text = catalogue.map((entry) => entry.name).join('\n');
  for (const wanted of [
    'Debian',
    'Ubuntu',
    'Fedora',
    'Alpine',
    'Arch',
    'openSUSE',
    'FreeBSD',
    'OpenBSD',
    'NetBSD',
    'Haiku',
    'ReactOS',
    'FreeDOS',
    'Windows',
    'virtio-win',
  ])
    expect(text).toContain(wanted);
  const disks = catalogue.filter((entry) => entry.kind === 'disk').map((entry) => entry.os.distro);
  expect(disks).toEqual(expect.arrayContaining(['debian', 'ubuntu', 'fedora', 'alpinelinux']));
});
