import { expect, test } from 'vitest';
import { hardwareFields } from '../../../contract/guest-hardware.ts';
import type { Disk, GuestSpec, Nic } from '../../../contract/guest-spec.ts';
import { afterChange, checkDraft, itemOf, markOf, withChange } from './draft.ts';

const nicOf = (more: Partial<Nic> = {}): Nic => ({
  id: 'nic0',
  mode: 'user',
  model: 'virtio',
  mac: '52:54:00:12:34:56',
  restricted: false,
  forwards: [],
  bridge: null,
  network: null,
  linkUp: true,
  bootOrder: null,
  ...more,
});
const disk0: Disk = {
  id: 'disk0',
  location: { kind: 'store', file: 'disk0.qcow2' },
  format: 'qcow2',
  sizeBytes: 2 ** 30,
  bus: 'virtio',
  cache: 'writeback',
  discard: true,
  iothread: false,
  readOnly: false,
  bootOrder: 1,
  limits: { bytesPerSecond: null, operationsPerSecond: null },
};
/** The fields that the editor's rules look at. */
const specOf = (more: Partial<GuestSpec> = {}) => ({ memoryMiB: 2048, nics: [nicOf()], disks: [disk0], ...more }) as GuestSpec;

test('what is changed back to what it was is no change', () => {
  const spec = specOf();
  const draft = withChange(spec, {}, { memoryMiB: 512 });
  expect(draft).toEqual({ memoryMiB: 512 });
  expect(withChange(spec, draft, { memoryMiB: spec.memoryMiB })).toEqual({});
});

test('what another window adds, changes or takes out stays so in a draft of other devices', () => {
  const disk = (id: string, more: Partial<Disk> = {}): Disk => ({ ...disk0, id, ...more });
  const before = specOf({ disks: [disk('disk0'), disk('disk1'), disk('disk2')], nics: [nicOf()] });
  const draft = withChange(before, {}, { memoryMiB: 512, disks: [disk('disk0', { discard: false }), disk('disk1'), disk('disk2')] });
  const now = specOf({ disks: [disk('disk0', { readOnly: true }), disk('disk1', { readOnly: true }), disk('disk3')], nics: [] });
  expect(afterChange(before, now, draft)).toEqual({
    memoryMiB: 512,
    disks: [disk('disk0', { discard: false }), disk('disk1', { readOnly: true }), disk('disk3')],
  });
  // A device that the draft takes out stays out, and one that is as the draft has it is a change no more.
  const without = withChange(before, {}, { disks: [disk('disk0'), disk('disk1')] });
  expect(afterChange(before, specOf({ disks: [...before.disks, disk('disk3')] }), without)).toEqual({
    disks: [disk('disk0'), disk('disk1'), disk('disk3')],
  });
  expect(afterChange(before, specOf({ disks: [disk('disk0', { discard: false }), disk('disk1'), disk('disk2')] }), draft)).toEqual({
    memoryMiB: 512,
  });
});

test('what does not fit is noted at its field, with the device’s id', () => {
  const spec = specOf({ nics: [nicOf(), nicOf({ id: 'nic7' })] });
  const { change, notes } = checkDraft(spec, { nics: [nicOf(), nicOf({ id: 'nic7', mac: 'nonsense' })], memoryMiB: 1 });
  expect(change).toBeNull();
  expect(notes.map(({ path }) => path).sort()).toEqual(['memoryMiB', 'nics.nic7.mac']);
  expect(checkDraft(spec, { disks: [disk0] }).change).toEqual({ disks: [disk0] });
  expect(checkDraft(spec, {})).toEqual({ change: null, notes: [] });
});

test('a field says when its change takes effect, and else that an earlier one waits', () => {
  const planned = [{ path: 'memoryMiB', kind: 'changed', when: 'next-start', why: 'So.' }] as const;
  expect(markOf('memoryMiB', planned, [{ path: 'memoryMiB' }])).toEqual({ kind: 'next-start', why: 'So.' });
  expect(markOf('tpm', planned, [{ path: 'tpm' }])).toEqual({ kind: 'waits', why: null });
  expect(markOf('sound', planned, [])).toBeNull();
});

test('every field of the hardware belongs to an item of the list', () => {
  const items = new Set(hardwareFields.map((field) => itemOf(field === 'disks' ? 'disks.disk0.cache' : field)));
  for (const item of ['system', 'processor', 'memory', 'display', 'devices', 'arguments', 'disks.disk0']) expect(items).toContain(item);
});
