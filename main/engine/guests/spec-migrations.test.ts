import { expect, test } from 'vitest';
import { buildArguments } from '../drivers/qemu/arguments/build-arguments.ts';
import { goldenFacts, specOf } from '../drivers/qemu/arguments/golden-specs.ts';
import { parseStoredSpec } from './spec-migrations.ts';

test('a spec comes back as it was stored', () => {
  const spec = specOf();
  expect(parseStoredSpec(JSON.stringify(spec))).toEqual(spec);
});

/** As Guesthouse 0.1 wrote it. */
const version1 = () => {
  const {
    cpuQuotaPercent,
    memoryMaxMiB,
    balloonTargetMiB,
    hugePages,
    numaNodes,
    bootMenu,
    shares,
    usbDevices,
    clipboard,
    files,
    keyboard,
    ...spec
  } = specOf();
  const { online, pins, ...cpu } = spec.cpu;
  const disks = spec.disks.map(({ limits, ...disk }) => disk);
  const nics = spec.nics.map(({ bridge, network, linkUp, bootOrder, ...nic }) => nic);
  return { ...spec, version: 1, cpu, disks, nics };
};

test('a guest of version 1 is started with the same command line as before', () => {
  const migrated = parseStoredSpec(JSON.stringify(version1()));
  expect(migrated).toEqual(specOf());
  // What specOf() is started with is the golden file "linux-bios", which is older than version 2.
  expect(buildArguments(migrated, goldenFacts({ spec: migrated }))).toEqual(buildArguments(specOf(), goldenFacts({ spec: specOf() })));
});

test('a guest of version 2 shares its clipboard as new ones do, and its command line stays', () => {
  const { clipboard, files, keyboard, ...version2 } = specOf();
  expect(parseStoredSpec(JSON.stringify({ ...version2, version: 2 }))).toEqual(specOf({ clipboard: 'both' }));
  expect(() => parseStoredSpec(JSON.stringify({ ...specOf(), clipboard: 'sideways' }))).toThrow(/hardware of a guest/);
});

test('a guest of version 3 keeps every key and is typed to as on a US keyboard', () => {
  const { files, keyboard, ...version3 } = specOf();
  expect(parseStoredSpec(JSON.stringify({ ...version3, version: 3 }))).toEqual(specOf({ keyboard: { layout: 'us', localKeys: [] } }));
  expect(() => parseStoredSpec(JSON.stringify({ ...specOf(), keyboard: { layout: 'us', localKeys: ['KeyA'] } }))).toThrow(
    /hardware of a guest/,
  );
});

test('a guest of version 4 can be sent files as new ones can', () => {
  const { files, ...version4 } = specOf();
  expect(parseStoredSpec(JSON.stringify({ ...version4, version: 4 }))).toEqual(specOf({ files: 'to-guest' }));
  expect(() => parseStoredSpec(JSON.stringify({ ...specOf(), files: 'both' }))).toThrow(/hardware of a guest/);
});

test('a guest of version 5 goes on mounting its folders', () => {
  const { via, ...older } = { id: 'share0', tag: 'work', path: '/work', readOnly: true, via: 'mount' } as const;
  expect(parseStoredSpec(JSON.stringify({ ...specOf(), shares: [older], version: 5 }))).toEqual(specOf({ shares: [{ ...older, via }] }));
});

test('a damaged spec of version 1 is refused and not mended', () => {
  for (const damage of [{ cpu: 7 }, { disks: 'none' }, { nics: [null] }, { disks: [7] }]) {
    expect(() => parseStoredSpec(JSON.stringify({ ...version1(), ...damage })), JSON.stringify(damage)).toThrow(/hardware of a guest/);
  }
});

test('a spec of a newer version is refused, not cut down', () => {
  expect(() => parseStoredSpec(JSON.stringify({ ...specOf(), version: 99 }))).toThrow('newer Guesthouse');
});

test('what is not a spec is said to be damaged', () => {
  for (const json of ['', '{', 'null', '[]', '{"version":0}', JSON.stringify({ ...specOf(), memoryMiB: 'much' })]) {
    expect(() => parseStoredSpec(json), json).toThrow(/hardware of a guest/);
  }
});
