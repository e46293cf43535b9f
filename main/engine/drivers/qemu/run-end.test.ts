import { expect, test } from 'vitest';
import { type EndTraces, judgeEnd, lastWords } from './run-end.ts';

const traces = (more: Partial<EndTraces> = {}): EndTraces => ({
  name: 'Debian',
  exit: { exitStatus: 0, signal: null },
  hasRun: true,
  log: '',
  hostRestarted: false,
  shutdownReason: null,
  panicText: null,
  at: '2026-01-01T00:00:00.000Z',
  ...more,
});
const kindOf = (more: Partial<EndTraces>) => judgeEnd(traces(more)).crash?.kind ?? null;
const terminated = '2026-01-01T00:00:00Z qemu-system-x86_64: terminating on signal 15 from pid 77 (systemd)\n';

test('an end that was wanted is no crash', () => {
  for (const shutdownReason of [null, 'guest-shutdown', 'host-qmp-quit']) expect(kindOf({ shutdownReason })).toBe(null);
});

test('a signal is named, with who sent it where QEMU knows', () => {
  expect(judgeEnd(traces({ exit: { exitStatus: 137, signal: 'SIGKILL' } })).crash).toMatchObject({
    kind: 'killed',
    exitStatus: 137,
    signal: 'SIGKILL',
  });
  expect(judgeEnd(traces({ log: terminated, shutdownReason: 'host-signal' })).crash).toMatchObject({
    kind: 'killed',
    text: 'Something on this computer ended Debian (signal 15 from process 77 (systemd)).',
  });
});

test('a computer that restarted is told from a QEMU that died', () => {
  expect(kindOf({ exit: null, hostRestarted: true })).toBe('host-restarted');
  expect(kindOf({ hostRestarted: true, log: terminated })).toBe('host-restarted');
  expect(kindOf({ hostRestarted: true })).toBe(null);
  expect(kindOf({ exit: null })).toBe('exited');
});

test('a QEMU that an engine had no time to start is no crash, also over a restart of the computer', () => {
  expect(kindOf({ exit: null, hasRun: false })).toBe(null);
  expect(kindOf({ exit: null, hasRun: false, hostRestarted: true })).toBe(null);
  expect(kindOf({ exit: { exitStatus: 1, signal: null }, hasRun: false })).toBe('exited');
});

test('a failing accelerator and a panic are named', () => {
  expect(kindOf({ exit: { exitStatus: 134, signal: 'SIGABRT' }, log: 'KVM internal error. Suberror: 1\nemulation failure\n' })).toBe(
    'internal-error',
  );
  expect(kindOf({ shutdownReason: 'guest-panic', panicText: 'It panicked.' })).toBe('guest-panicked');
  expect(kindOf({ exit: { exitStatus: 1, signal: null } })).toBe('exited');
});

test('last words are the last lines, and never more than can be shown', () => {
  expect(lastWords('a\nb\n')).toBe('a\nb');
  expect(lastWords(`${'x'.repeat(10_000)}\nend`)).toHaveLength(4000);
  expect(lastWords(Array.from({ length: 100 }, (_, line) => line).join('\n')).split('\n')).toHaveLength(20);
});
