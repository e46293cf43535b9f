import { expect, test } from 'vitest';
import { guestCan } from '../../../../contract/guest-can.ts';
import type { BlockInfo } from '../../qmp/qmp-commands.ts';
import { observedOf, panicText, pauseOfIoError } from './pause-reason.ts';

const paths = new Map([['disk0', '/srv/disk0.qcow2']]);
const none = () => Promise.resolve<BlockInfo[]>([]);
const stays = () => Promise.resolve(false);

test('a full disk and a failing one are told apart, with the device and the file', () => {
  const event = { device: '', 'node-name': 'disk0-format', operation: 'write', action: 'stop', reason: 'No space left on device' };
  expect(pauseOfIoError({ ...event, nospace: true }, paths)).toMatchObject({
    kind: 'disk-full',
    deviceId: 'disk0',
    file: '/srv/disk0.qcow2',
  });
  const failing = pauseOfIoError({ ...event, nospace: false, operation: 'read', reason: 'Input/output error' }, paths);
  expect(failing).toMatchObject({ kind: 'io-error', deviceId: 'disk0' });
  expect(failing?.text).toBe('The disk disk0 (/srv/disk0.qcow2) cannot be read: Input/output error. Resume tries again.');
  expect(pauseOfIoError({ ...event, action: 'report' }, paths)).toBe(null);
});

test('an engine that comes later learns the same from the state of the disks', async () => {
  const block = (status: 'failed' | 'nospace'): BlockInfo => ({
    device: '',
    qdev: '/machine/peripheral/disk0/virtio-backend',
    'io-status': status,
  });
  expect(await observedOf('io-error', null, paths, async () => [block('nospace')], stays)).toMatchObject({
    reason: { kind: 'disk-full', deviceId: 'disk0' },
  });
  expect(
    await observedOf('io-error', null, paths, async () => [{ device: '', qdev: 'disk0', 'io-status': 'failed' }], stays),
  ).toMatchObject({
    reason: { kind: 'io-error', deviceId: 'disk0', file: '/srv/disk0.qcow2' },
  });
});

test('every run state of QEMU means something', async () => {
  expect(await observedOf('running', null, paths, none, stays)).toEqual({ kind: 'running' });
  expect(await observedOf('prelaunch', null, paths, none, stays)).toEqual({ kind: 'waiting' });
  const kindOf = async (status: Parameters<typeof observedOf>[0]) => {
    const observed = await observedOf(status, null, paths, none, stays);
    return observed.kind === 'paused' ? observed.reason.kind : observed.kind;
  };
  expect(
    await Promise.all((['paused', 'watchdog', 'guest-panicked', 'internal-error', 'io-error', 'shutdown'] as const).map(kindOf)),
  ).toEqual(['user', 'watchdog', 'guest-panicked', 'internal-error', 'io-error', 'other']);
});

test('what resuming cannot mend cannot be resumed', async () => {
  for (const status of ['guest-panicked', 'internal-error'] as const) {
    const observed = await observedOf(status, null, paths, none, stays);
    if (observed.kind !== 'paused') throw new Error('not paused');
    expect(guestCan({ status: 'paused', pause: observed.reason }, 'resume').kind).toBe('denied');
  }
});

test('a guest whose state was handed on has moved where there is another QEMU with it, and else only stands still', async () => {
  expect(await observedOf('postmigrate', null, paths, none, stays)).toMatchObject({ reason: { kind: 'user' } });
  expect(await observedOf('postmigrate', null, paths, none, () => Promise.resolve(true))).toMatchObject({ reason: { kind: 'moved' } });
});

test('a blue screen keeps its code', () => {
  expect(panicText({ type: 'hyper-v', arg1: 0x7e, arg2: 0 })).toContain('0x0000007E');
  expect(panicText({ type: 'hyper-v', arg1: 'x' })).toContain('kernel panic');
  expect(panicText(undefined)).toContain('kernel panic');
});
