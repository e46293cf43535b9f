import { expect, test } from 'vitest';
import type { Guest, GuestState, GuestStatus } from '../../../contract/guest-state.ts';
import { guestStatus } from '../../../contract/guest-state.ts';
import { type AbsenceInput, absenceOf, isReachable } from './absence.ts';

const state = (status: GuestStatus, more: Partial<GuestState> = {}): GuestState => ({
  status,
  since: '2026-11-01T00:00:00.000Z',
  problems: [],
  ...more,
});

function input(more: Partial<AbsenceInput> & { state?: GuestState } = {}): AbsenceInput {
  const spec = { name: 'Debian', display: { device: 'virtio', heads: 1 } } as Guest['spec'];
  return {
    guest: { spec, state: more.state ?? state('running') },
    connection: { state: 'connected' },
    phase: 'waiting',
    end: null,
    elsewhere: false,
    ...more,
  };
}

test('whenever there is no live picture, a reason is given, whatever state the guest is in', () => {
  for (const status of guestStatus.options)
    for (const phase of ['waiting', 'connecting', 'retrying'] as const)
      expect(absenceOf(input({ state: state(status), phase }))?.title, `${status} ${phase}`).toMatch(/Debian/);
});

test('a live picture of a running guest has nothing in its way, also while the engine is gone', () => {
  expect(absenceOf(input({ phase: 'connected' }))).toBeNull();
  expect(absenceOf(input({ phase: 'connected', connection: { state: 'lost', text: 'gone', retryInMs: 100 } }))).toBeNull();
});

test('a QEMU that does not answer is said over the live picture, for as long as the engine knows of it', () => {
  const run = { silentSince: '2026-11-01T00:00:05.000Z' } as GuestState['run'];
  for (const status of ['running', 'paused'] as const) {
    const silent = input({ state: state(status, { run }), phase: 'connected' });
    expect(absenceOf(silent)).toMatchObject({ title: 'Debian does not answer', since: '2026-11-01T00:00:05.000Z', verb: null });
  }
  const lost = { state: 'lost', text: 'gone', retryInMs: 100 } as const;
  expect(absenceOf(input({ state: state('running', { run }), phase: 'connected', connection: lost }))).toBeNull();
});

test('each state offers the verb that brings the guest back', () => {
  expect(absenceOf(input({ state: state('off') }))?.verb).toBe('start');
  expect(absenceOf(input({ state: state('crashed') }))?.verb).toBe('start');
  expect(absenceOf(input({ state: state('suspended') }))?.verb).toBe('start');
  expect(absenceOf(input({ state: state('paused'), phase: 'connected' }))?.verb).toBe('resume');
  const panicked = state('paused', { pause: { kind: 'guest-panicked', text: 'The guest’s kernel panicked.' } });
  expect(absenceOf(input({ state: panicked, phase: 'connected' }))).toMatchObject({
    verb: 'reset',
    text: 'The guest’s kernel panicked.',
    tone: 'problem',
  });
});

test('a crash is told with QEMU’s last words', () => {
  const crash = {
    at: '2026-11-01T00:00:00.000Z',
    kind: 'killed',
    exitStatus: null,
    signal: 'SIGKILL',
    text: 'QEMU was killed.',
    lastWords: 'bye',
  } as const;
  expect(absenceOf(input({ state: state('crashed', { crash }) }))).toMatchObject({
    text: 'QEMU was killed.',
    detail: 'bye',
    tone: 'problem',
  });
});

test('a connection that broke is told with its reason and can be tried at once', () => {
  const end = { cause: 'protocol', text: 'The console server sent something that cannot be right.', detail: 'magic' } as const;
  expect(absenceOf(input({ phase: 'retrying', end }))).toMatchObject({ title: end.text, detail: 'magic', action: 'connect' });
});

test('only a guest whose QEMU runs and which has a display can be connected to', () => {
  const reachable = guestStatus.options.filter((status) => isReachable(input({ state: state(status) }).guest));
  expect(reachable).toEqual(['running', 'paused', 'stopping']);
});

test('a guest that was moved is shown where it is, and where it cannot be reached that is said, without a verb that would run it twice', () => {
  const moved = state('paused', { pause: { kind: 'moved', text: 'It was moved.' } });
  expect(absenceOf(input({ state: moved, phase: 'connected' }))).toBeNull();
  expect(absenceOf(input({ state: moved, phase: 'connecting' }))).toMatchObject({ tone: 'waiting', verb: null });
  const end = { cause: 'unavailable', text: 'The guest’s console did not answer (ENOENT).', detail: '' } as const;
  expect(absenceOf(input({ state: moved, phase: 'retrying', end }))).toMatchObject({
    title: 'Debian was moved to another QEMU',
    detail: 'The guest’s console did not answer (ENOENT).',
    verb: null,
    action: 'connect',
  });
});
