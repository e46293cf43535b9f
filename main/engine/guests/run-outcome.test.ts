import { expect, test } from 'vitest';
import type { Crash } from '../../../contract/guest-state.ts';
import { outcomeOf } from './run-outcome.ts';

const crash: Crash = { at: '2026-01-01T00:00:00.000Z', kind: 'killed', exitStatus: 137, signal: 'SIGKILL', text: '', lastWords: '' };
const saved = { machine: 'pc-q35-7.2', accelerator: 'tcg' as const, spec: null, plugged: {} };
const run = (ask: 'forceOff' | 'suspend' | null, loading = false) => ({ ask, loading });

test('a guest that was forced off is off however its process ended', () => {
  expect(outcomeOf({ crash }, run('forceOff'), null, 'none')).toEqual({ status: 'off' });
  expect(outcomeOf({ crash: null }, run('forceOff'), null, 'none')).toEqual({ status: 'off' });
});

test('a process that ended without being asked is a crash, a guest that powered off is off', () => {
  expect(outcomeOf({ crash }, run(null), null, 'none')).toEqual({ status: 'crashed', crash });
  expect(outcomeOf({ crash: null }, run(null), null, 'none')).toEqual({ status: 'off' });
});

test('a guest is suspended only when its whole state is there and the row says so', () => {
  expect(outcomeOf({ crash: null }, run('suspend'), saved, 'whole')).toEqual({ status: 'suspended', isNew: true });
  expect(outcomeOf({ crash }, run('suspend'), null, 'none')).toEqual({ status: 'crashed', crash });
  expect(outcomeOf({ crash }, run('suspend'), saved, 'none')).toEqual({ status: 'crashed', crash });
});

test('a guest that did not come to run on from its state keeps it, one that may have run on has lost it', () => {
  expect(outcomeOf({ crash }, run(null, true), saved, 'whole')).toEqual({ status: 'suspended', isNew: false });
  expect(outcomeOf({ crash: null }, run('forceOff', true), saved, 'whole')).toEqual({ status: 'suspended', isNew: false });
  expect(outcomeOf({ crash }, run(null, true), saved, 'spent')).toEqual({ status: 'crashed', crash });
});
