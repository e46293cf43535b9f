import { expect, test } from 'vitest';
import { judgeProbe, type ProbeRun } from './accelerator-verdict.ts';

const run = (parts: Partial<ProbeRun>): ProbeRun => ({
  status: null,
  signal: null,
  timedOut: false,
  timeoutMs: 10_000,
  startFailed: false,
  trace: '',
  stderr: '',
  ...parts,
});
const whole = 'RPLFSMAIGUESTHOUSE';

test('an accelerator is usable only when the payload wrote its last word and ended QEMU itself', () => {
  expect(judgeProbe('kvm', 'x86_64', run({ status: 85, trace: whole })).outcome).toBe('usable');
  expect(judgeProbe('kvm', 'x86_64', run({ status: 85, trace: 'RPLF' })).outcome).toBe('broken');
  expect(judgeProbe('kvm', 'x86_64', run({ status: 0, trace: whole })).outcome).toBe('broken');
  expect(judgeProbe('hvf', 'aarch64', run({ status: 0, trace: 'RLFGUESTHOUSE' })).outcome).toBe('usable');
});

test('an internal error of KVM is named with the place where it struck', () => {
  const verdict = judgeProbe(
    'kvm',
    'x86_64',
    run({ signal: 'SIGKILL', trace: 'RPL', stderr: 'KVM internal error. Suberror: 1\nextra data[0]: 0x1\nemulation failure\nRAX=0' }),
  );
  expect(verdict).toEqual({
    outcome: 'broken',
    reason:
      'KVM is present but unable to run guests: the test program died of “KVM internal error … emulation failure” while initialising the floating-point unit (fninit).',
  });
});

test('a hang says where it hung and how long was waited', () => {
  const { outcome, reason } = judgeProbe('kvm', 'x86_64', run({ signal: 'SIGKILL', timedOut: true, trace: 'RPLFSMA' }));
  expect(outcome).toBe('broken');
  expect(reason).toContain('hung while waiting for a timer interrupt and was stopped after 10 s');
});

test.each([
  ['kvm', 'Could not access KVM kernel module: No such file or directory\nfailed to initialize kvm', 'missing', '/dev/kvm does not exist'],
  ['kvm', 'Could not access KVM kernel module: Permission denied\nfailed to initialize kvm', 'denied', 'may not open /dev/kvm'],
  ['kvm', 'ioctl(KVM_CREATE_VM) failed: 16 Device or resource busy', 'busy', 'Another hypervisor'],
  ['kvm', 'error: failed to set MSR 0x10a to 0x69\nAssertion failed', 'broken', 'register 0x10a'],
  ['kvm', 'qemu-system-x86_64: -accel kvm: invalid accelerator kvm', 'missing', 'built without it'],
  ['hvf', 'qemu-system-x86_64: Error: HV_DENIED', 'denied', 'not signed'],
  ['hvf', 'Error: ret = HV_UNSUPPORTED', 'missing', 'no usable hypervisor framework'],
  ['whpx', 'WHPX: No accelerator found, hr=00000000', 'missing', 'not switched on'],
  ['kvm', 'something nobody has seen before', 'broken', 'something nobody has seen before'],
] as const)('%s: “%s” is %s', (accelerator, stderr, outcome, words) => {
  const verdict = judgeProbe(accelerator, 'x86_64', run({ status: 1, stderr }));
  expect(verdict.outcome).toBe(outcome);
  expect(verdict.reason).toContain(words);
});

test('a processor that resets itself is broken, not finished', () => {
  expect(judgeProbe('whpx', 'x86_64', run({ status: 0, trace: 'RP' })).reason).toContain('reset itself while entering 64-bit mode');
});
