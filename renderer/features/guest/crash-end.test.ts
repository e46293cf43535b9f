import { expect, test } from 'vitest';
import { howItEnded } from './crash-end.ts';

test('how a guest ended is said once, and not at all where nobody knows', () => {
  const killed = 'Debian was ended by SIGKILL, by hand or because memory ran out.';
  expect(howItEnded({ text: killed, signal: 'SIGKILL', exitStatus: 137 })).toBe(null);
  expect(howItEnded({ text: 'The accelerator KVM could not go on.', signal: 'SIGKILL', exitStatus: 137 })).toBe('Ended by SIGKILL');
  expect(howItEnded({ text: 'QEMU, which runs Debian, ended with exit status 1.', signal: null, exitStatus: 1 })).toBe(null);
  expect(howItEnded({ text: 'QEMU, which runs Debian, ended with exit status 12.', signal: null, exitStatus: 1 })).toBe('Exit status 1');
  expect(howItEnded({ text: 'Debian ended while nobody watched.', signal: null, exitStatus: null })).toBe(null);
});
