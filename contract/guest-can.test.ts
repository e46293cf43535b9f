import { expect, test } from 'vitest';
import { guestCan, guestCannot, guestVerbs } from './guest-can.ts';
import { guestStatus } from './guest-state.ts';

test('every verb has a verdict in every state, and a denial says why in a sentence', () => {
  for (const verb of guestVerbs) {
    for (const status of guestStatus.options) {
      const verdict = guestCan({ status }, verb);
      expect(verdict.kind).toMatch(/^(allowed|ignored|denied)$/);
      if (verdict.kind === 'denied') expect(verdict.reason, `${verb} while ${status}`).toMatch(/^The guest .*\.$/);
    }
  }
});

test('what a guest can be asked for in each state', () => {
  const matrix = Object.fromEntries(
    guestStatus.options.map((status) => [
      status,
      guestVerbs.filter((verb) => guestCan({ status }, verb).kind === 'allowed').join(' ') || 'nothing',
    ]),
  );
  expect(matrix).toEqual({
    creating: 'nothing',
    off: 'start snapshot revert delete rename clone cloneNow makeTemplate rebuild flatten move edit',
    starting: 'shutdown forceOff rename',
    running: 'pause shutdown forceOff reset suspend snapshot rename cloneNow flatten edit console screenshot type exec',
    paused: 'resume forceOff reset suspend snapshot rename cloneNow flatten edit console screenshot',
    stopping: 'pause forceOff reset rename console screenshot type exec',
    suspending: 'forceOff rename',
    suspended: 'start forceOff snapshot revert delete rename cloneNow move',
    crashed: 'start snapshot revert delete rename clone cloneNow makeTemplate rebuild flatten move edit',
    template: 'delete rename clone cloneNow makeGuest rebuild flatten move edit',
  });
});

test('asking for what is already so changes nothing', () => {
  expect(guestCan({ status: 'running' }, 'start')).toEqual({ kind: 'ignored' });
  expect(guestCan({ status: 'off' }, 'shutdown')).toEqual({ kind: 'ignored' });
  expect(guestCan({ status: 'off' }, 'forceOff')).toEqual({ kind: 'ignored' });
  expect(guestCan({ status: 'paused' }, 'pause')).toEqual({ kind: 'ignored' });
});

test('while something works on the disks of a guest it is neither started nor deleted, with what is done as the reason', () => {
  const state = { status: 'off' as const, busy: 'The guest is being copied.' };
  for (const verb of ['start', 'delete', 'clone', 'rebuild', 'move'] as const)
    expect(guestCannot(state, verb)).toBe('The guest is being copied.');
  expect(guestCannot(state, 'rename')).toBeNull();
});

test('a guest that ran into a panic or an internal error can be reset but not resumed', () => {
  for (const kind of ['guest-panicked', 'internal-error'] as const) {
    const state = { status: 'paused' as const, pause: { kind, text: 'The guest panicked.' } };
    expect(guestCannot(state, 'resume')).toBe('The guest panicked. Reset the guest or force it off.');
    expect(guestCannot(state, 'reset')).toBeNull();
  }
});

test('a guest that stopped because a disk was full can be resumed', () => {
  expect(guestCannot({ status: 'paused', pause: { kind: 'disk-full', text: 'No room.' } }, 'resume')).toBeNull();
});

test('what is left of a guest that was moved to another QEMU can be forced off and looked at, and nothing else is done with it', () => {
  const state = { status: 'paused' as const, pause: { kind: 'moved' as const, text: 'The guest was moved.' } };
  const possible = guestVerbs.filter((verb) => guestCannot(state, verb) === null);
  expect(possible).toEqual(['forceOff', 'rename', 'console']);
  expect(guestCannot(state, 'resume')).toBe('The guest was moved.');
});
