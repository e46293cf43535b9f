import { expect, test } from 'vitest';
import { startFailure } from './start-failure.ts';

const prefix = '2026-01-01T00:00:00.000000Z qemu-system-x86_64: ';
const cases: [what: string, log: string, message: RegExp, hint: RegExp | null][] = [
  [
    'a taken port',
    `${prefix}-netdev user,id=n: Could not set up host forwarding rule 'tcp:127.0.0.1:22-:22'`,
    /port forward tcp:127\.0\.0\.1:22-:22/,
    /another host port/,
  ],
  [
    'KVM that is denied',
    `${prefix}Could not access KVM kernel module: Permission denied`,
    /KVM cannot be used: Permission denied/,
    /group kvm/,
  ],
  [
    'a disk in use',
    `${prefix}-device virtio-blk-pci: Failed to get "write" lock\nIs another process using the image [/d.qcow2]?`,
    /in use by another process/,
    /close it/,
  ],
  [
    'a missing file',
    `${prefix}-blockdev {}: Could not open '/d.qcow2': No such file or directory`,
    /\/d\.qcow2 cannot be opened: there is no such file/,
    null,
  ],
  ['a file that is not ours', `${prefix}-blockdev {}: Could not open '/d.qcow2': Permission denied`, /permission denied/, null],
  ['no O_DIRECT', `${prefix}-blockdev {}: Could not open '/t/d': filesystem does not support O_DIRECT`, /bypass the cache/, /writeback/],
  ['no memory', `${prefix}cannot set up guest memory 'pc.ram': Cannot allocate memory`, /memory of the guest/, /less memory/],
  ['an unknown device', `${prefix}-device edux: 'edux' is not a valid device model name`, /no device edux/, /complete QEMU/],
  ['an unknown machine', `${prefix}unsupported machine type: "pc-q35-99"`, /machine type/, /q35/],
  ['a processor that is not known', `${prefix}unable to find CPU model 'z80'`, /processor model z80/, /auto/],
];

test.for(cases)('%s is said in words that help, with what QEMU said beside', ([, log, message, hint]) => {
  const { error } = startFailure('Debian', log, 'QEMU ended.');
  expect(error.code).toBe('guest/start-failed');
  expect(error.message).toMatch(/^Debian did not start: /);
  expect(error.message).toMatch(message);
  if (hint) expect(error.hint).toMatch(hint);
  expect(error.detail).toContain(log.split('\n')[0]);
});

test('what is not known is passed on as QEMU said it, and silence is said to be that', () => {
  expect(startFailure('Debian', `${prefix}something quite new`, 'QEMU ended.').error.message).toBe(
    'Debian did not start: QEMU says "something quite new".',
  );
  expect(startFailure('Debian', '', 'QEMU ended with SIGSEGV.').error).toEqual({
    code: 'guest/start-failed',
    message: 'Debian did not start: QEMU ended with SIGSEGV.',
  });
});
