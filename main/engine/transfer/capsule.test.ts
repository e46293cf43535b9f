import fc from 'fast-check';
import { expect, test } from 'vitest';
import { defaultSnapshotSchedule } from '../../../contract/guest-snapshot.ts';
import { diskOf, specOf } from '../drivers/qemu/arguments/golden-specs.ts';
import { parseCapsule, tpmFileOf } from './capsule.ts';
import { capsuleSpec } from './capsule-spec.ts';

const sha256 = 'a'.repeat(64);
const spec = specOf({ disks: [diskOf({})], nics: [] });
const layer = (name: string, base: string | null) => ({ name, base, sizeBytes: 1, sha256 });
const snapshot = (id: string, parent: string | null, upon: string, more: object = {}) => ({
  id,
  parent,
  name: id,
  note: '',
  takenAt: '2026-01-01T00:00:00.000Z',
  reason: 'user',
  guestWas: 'off',
  quiesced: false,
  spec,
  memory: null,
  disks: [{ id: 'disk0', layer: upon }],
  files: [],
  ...more,
});
type Parts = { layers?: object[]; snapshots?: object[]; present?: string | null; base?: string | null; files?: object[] };
const textOf = ({ layers = [], snapshots = [], present = null, base = null, files = [] }: Parts) =>
  JSON.stringify({
    capsule: 2,
    madeBy: 'a test',
    exportedAt: '2026-01-01T00:00:00.000Z',
    spec,
    files: [{ name: 'disk0.qcow2', role: 'disk', diskId: 'disk0', base, sizeBytes: 1, sha256 }, ...files],
    layers,
    snapshots,
    present,
    schedule: defaultSnapshotSchedule,
  });
const isTaken = (parts: Parts): boolean => {
  try {
    parseCapsule(textOf(parts));
    return true;
  } catch (thrown) {
    expect((thrown as { error?: { code: string } }).error?.code).toBe('machine/not-understood');
    return false;
  }
};

test('a list of contents is taken exactly when every name in it leads to something before it and nothing is left over', () => {
  const index = fc.integer({ min: -1, max: 6 });
  fc.assert(
    fc.property(
      fc.array(index, { maxLength: 6 }),
      fc.array(fc.tuple(index, index), { maxLength: 6 }),
      index,
      index,
      (bases, tree, base, present) => {
        const nameOf = (at: number) => (at < 0 ? null : `layer.${at}.qcow2`);
        const idOf = (at: number) => (at < 0 ? null : `s${at}`);
        const parts = {
          layers: bases.map((one, at) => layer(nameOf(at) ?? '', nameOf(one))),
          snapshots: tree.map(([parent, upon], at) => snapshot(idOf(at) ?? '', idOf(parent), nameOf(upon) ?? 'none')),
          base: nameOf(base),
          present: idOf(present),
        };
        const needed = new Set([...bases, ...tree.map(([, upon]) => upon), base]);
        const isSound =
          bases.every((one, at) => one < at) &&
          tree.every(([parent, upon], at) => parent < at && upon >= 0 && upon < bases.length) &&
          base < bases.length &&
          present < tree.length &&
          bases.every((_, at) => needed.has(at));
        expect(isTaken(parts)).toBe(isSound);
      },
    ),
    { numRuns: 3000 },
  );
});

test('hardware that is not as it should be is the capsule’s, and what has it is named', () => {
  const taken = snapshot('a', null, 'l', { spec: { ...spec, shares: [{ id: 'share0' }] } });
  const told = textOf({ layers: [layer('l', null)], snapshots: [taken], base: 'l', present: 'a' });
  expect(() => parseCapsule(told)).toThrow('the hardware of the snapshot “a” is not as it should be.');
  expect(() => parseCapsule(textOf({}).replace('"memoryMiB"', '"memory"'))).toThrow('the hardware of its guest is not as it should be.');
  expect(isTaken({ layers: [layer('l', null)], snapshots: [taken], base: 'l', present: 'a' })).toBe(false);
});

test('a chain is as long as the store accepts and no longer', () => {
  const chain = (length: number) => Array.from({ length }, (_, at) => layer(`l${at}.qcow2`, at === 0 ? null : `l${at - 1}.qcow2`));
  expect(isTaken({ layers: chain(99), base: 'l98.qcow2' })).toBe(true);
  expect(isTaken({ layers: chain(100), base: 'l99.qcow2' })).toBe(false);
});

test('files of a snapshot are of its kinds, once each, and memory is there exactly when it is said to be', () => {
  const with_ = (more: object) => isTaken({ layers: [layer('l.qcow2', null)], snapshots: [snapshot('a', null, 'l.qcow2', more)] });
  const file = (name: string, role: string) => ({ name, role, diskId: null, sizeBytes: 1, sha256 });
  const memory = { machine: 'pc-q35-7.2', accelerator: 'tcg', spec: null, plugged: { disk1: 'port0' } };
  expect(with_({})).toBe(true);
  expect(with_({ memory, files: [file('m', 'memory'), file('n', 'nvram'), file('t', 'thumbnail'), file('tpm-a', 'tpm')] })).toBe(true);
  expect(with_({ memory })).toBe(false);
  expect(with_({ files: [file('m', 'memory')] })).toBe(false);
  expect(with_({ memory, files: [file('m', 'memory'), file('m2', 'memory')] })).toBe(false);
  expect(with_({ files: [file('d', 'disk')] })).toBe(false);
  expect(with_({ files: [file('tpm-', 'tpm')] })).toBe(false);
  expect(with_({ files: [file('tpm-a', 'tpm'), file('a', 'tpm')] })).toBe(false);
  for (const plugged of [{ disk1: 'pcie.0,x=y' }, { disk1: 'port1,addr=3' }, { 'disk1,x': 'port1' }])
    expect(with_({ memory: { ...memory, plugged }, files: [file('m', 'memory')] })).toBe(false);
  expect(with_({ memory: { ...memory, machine: 'q35,kernel=/etc/shadow' }, files: [file('m', 'memory')] })).toBe(false);
  expect(with_({ name: 'two\nlines' })).toBe(false);
  expect(with_({ takenAt: 'yesterday' })).toBe(false);
});

test('a capsule of the first kind is opened, and what it says of snapshots is told and left', () => {
  const first = {
    capsule: 1,
    madeBy: 'Guesthouse 0.1.0',
    exportedAt: '2026-01-01T00:00:00.000Z',
    spec,
    files: [{ name: 'disk0.qcow2', role: 'disk', diskId: 'disk0', sizeBytes: 1, sha256 }],
  };
  expect(parseCapsule(JSON.stringify({ ...first, snapshots: [] }))).toMatchObject({
    files: [{ base: null }],
    layers: [],
    unreadSnapshots: 0,
  });
  const some = parseCapsule(JSON.stringify({ ...first, snapshots: [{ id: 'of another shape' }] }));
  expect([some.snapshots, some.unreadSnapshots]).toEqual([[], 1]);
  const told = capsuleSpec(some, 'Copy', { uuids: new Set(), macs: new Set() }).findings;
  expect(told.map(({ id, severity }) => [id, severity])).toContainEqual(['source/snapshots', 'warning']);
  expect(() => parseCapsule(JSON.stringify({ ...first, capsule: 3, snapshots: [] }))).toThrow();
});

test('a TPM’s files are called as they were, and never by a name that hides or leads anywhere', () => {
  expect([tpmFileOf('tpm-tpm2-00.permall'), tpmFileOf('s12.tpm-tpm2-00.permall'), tpmFileOf('tpm-.lock'), tpmFileOf('tpm-')]).toEqual([
    'tpm2-00.permall',
    'tpm2-00.permall',
    '',
    '',
  ]);
});

test('the present and its snapshots get the same new identity where the old one is taken', () => {
  const nic = { ...specOf({}).nics[0], mac: '52:54:00:00:00:01' } as (typeof spec)['nics'][number];
  const original = { ...spec, nics: [nic] };
  const told = {
    spec: original,
    snapshots: [{ ...snapshot('a', null, 'l'), spec: { ...original, nics: [nic, { ...nic, id: 'nic1', mac: '52:54:00:00:00:02' }] } }],
    unreadSnapshots: 0,
  } as unknown as Parameters<typeof capsuleSpec>[0];
  const { spec: here, cleaned } = capsuleSpec(told, 'Copy', { uuids: new Set([original.uuid]), macs: new Set([nic.mac]) });
  const then = cleaned(told.snapshots[0]?.spec ?? original);
  expect(here.uuid).not.toBe(original.uuid);
  expect(then.uuid).toBe(here.uuid);
  expect(here.nics[0]?.mac).not.toBe(nic.mac);
  expect(then.nics.map(({ mac }) => mac)).toEqual([here.nics[0]?.mac, '52:54:00:00:00:02']);
});
