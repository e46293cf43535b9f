import { expect, test } from 'vitest';
import { Failure } from '../../../contract/errors.ts';
import { cdOf, diskOf, nicOf, specOf } from '../drivers/qemu/arguments/golden-specs.ts';
import { completeChange } from './complete-change.ts';

const nothing = { files: new Set<string>(), macs: new Set<string>(), inPlace: new Map() };

test('fields that are not given stay as they are, also inside of others', () => {
  const spec = specOf();
  expect(completeChange(spec, {}, nothing)).toEqual(spec);
  expect(completeChange(spec, { cpu: { cores: 3 }, memoryMiB: 512 }, nothing)).toEqual({
    ...spec,
    cpu: { ...spec.cpu, cores: 3 },
    memoryMiB: 512,
  });
});

test('a new device gets an id that none has or had, and what it does not say is chosen', () => {
  const spec = specOf({ disks: [diskOf(), diskOf({ id: 'disk2' })] });
  const facts = { ...nothing, files: new Set(['disk1.qcow2', 'removed-disk3.qcow2']) };
  const { disks } = completeChange(spec, { disks: [...spec.disks, { sizeBytes: 1000 }, { sizeBytes: 1024, bus: 'usb' }] }, facts);
  expect(disks.slice(2)).toMatchObject([
    { id: 'disk4', location: { kind: 'store', file: 'disk4.qcow2' }, sizeBytes: 1024, bus: 'virtio', bootOrder: null },
    { id: 'disk5', bus: 'usb', iothread: false },
  ]);
});

test('new network cards have addresses of their own', () => {
  const spec = specOf();
  const { nics } = completeChange(spec, { nics: [...spec.nics, {}, { model: 'e1000e' }] }, nothing);
  expect(nics.map(({ id, model }) => `${id} ${model}`)).toEqual(['nic0 virtio', 'nic1 virtio', 'nic2 e1000e']);
  expect(new Set(nics.map(({ mac }) => mac)).size).toBe(3);
});

test('a CD drive comes on the bus that the machine has', () => {
  expect(completeChange(specOf(), { cdDrives: [{}] }, nothing).cdDrives).toEqual([cdOf()]);
  expect(completeChange(specOf(), { machine: 'pc', cdDrives: [{}] }, nothing).cdDrives).toEqual([cdOf({ bus: 'ide' })]);
});

test('a file of the user’s own is used as what it is', () => {
  const inPlace = new Map([['/srv/data.img', { format: 'raw' as const, sizeBytes: 4096 }]]);
  const { disks } = completeChange(specOf({ disks: [] }), { disks: [{ path: '/srv/data.img', bus: 'sata' }] }, { ...nothing, inPlace });
  expect(disks).toMatchObject([
    { id: 'disk0', location: { kind: 'in-place', path: '/srv/data.img' }, format: 'raw', sizeBytes: 4096, bus: 'sata' },
  ]);
});

test('a disk keeps the file that it has, whatever a client that looked a while ago says of it', () => {
  const spec = specOf();
  const { disks } = completeChange(spec, { disks: [diskOf({ location: { kind: 'store', file: 'nvram.fd' }, cache: 'none' })] }, nothing);
  expect(disks).toEqual([diskOf({ cache: 'none' })]);
});

test('what cannot be is refused with its field', () => {
  const spec = specOf();
  const attempt = (change: Parameters<typeof completeChange>[1]) => {
    try {
      completeChange(spec, change, nothing);
    } catch (thrown) {
      if (thrown instanceof Failure) return `${thrown.error.code} ${thrown.error.path}`;
    }
    return 'taken';
  };
  expect(attempt({ disks: [diskOf({ sizeBytes: 1024 })] })).toBe('guest/spec-invalid disks.disk0.sizeBytes');
  expect(attempt({ disks: [diskOf({ location: { kind: 'in-place', path: '/etc/passwd' } })] })).toBe(
    'guest/spec-invalid disks.disk0.location',
  );
  expect(attempt({ disks: [diskOf({ id: 'disk7' })] })).toBe('guest/spec-invalid disks.0.id');
  expect(attempt({ disks: [...spec.disks, {}] })).toBe('guest/spec-invalid disks.1.sizeBytes');
  expect(attempt({ nics: [nicOf({ id: 'nic9' })] })).toBe('guest/spec-invalid nics.0.id');
});
