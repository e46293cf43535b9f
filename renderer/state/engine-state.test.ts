import { expect, test } from 'vitest';
import type { ServerMessage } from '../../contract/events.ts';
import type { Guest, Sample } from '../../contract/guest-state.ts';
import { defaultSettings } from '../../contract/settings.ts';
import { appendSample, applyMessage, type EngineState, initialEngineState, samplesKept } from './engine-state.ts';

const engine = { version: '1', pid: 1, startedAt: '2026-01-01T00:00:00.000Z', home: '/h', instanceId: 'one' };
const makeGuest = (id: string, name = id): Guest =>
  ({ id, spec: { name }, state: { status: 'off' }, createdAt: '', lastStartedAt: null, trashedAt: null }) as unknown as Guest;
const snapshot = (guests: Guest[], seq = 1, instanceId = 'one'): ServerMessage =>
  ({
    type: 'snapshot',
    seq,
    snapshot: { engine: { ...engine, instanceId }, guests, images: [], jobs: [], settings: defaultSettings },
  }) as ServerMessage;
const guestMessage = (seq: number, id: string, guest: Guest | null) => ({ type: 'guest', seq, id, guest }) as ServerMessage;

function apply(messages: ServerMessage[], from: EngineState = initialEngineState): EngineState {
  let state = from;
  for (const message of messages) {
    const applied = applyMessage(state, message);
    if (applied.gap) throw new Error(`gap at ${message.seq}`);
    state = applied.state;
  }
  return state;
}

test('a snapshot and the changes after it give what the engine holds', () => {
  const state = apply([
    snapshot([makeGuest('g1'), makeGuest('g2')]),
    guestMessage(2, 'g1', makeGuest('g1', 'renamed')),
    guestMessage(3, 'g2', null),
    guestMessage(4, 'g3', makeGuest('g3')),
  ]);
  expect(Object.keys(state.guests)).toEqual(['g1', 'g3']);
  expect(state.guests.g1?.spec.name).toBe('renamed');
});

test('a missing message is a gap, and so is a change before any snapshot', () => {
  const state = apply([snapshot([makeGuest('g1')])]);
  expect(applyMessage(state, guestMessage(3, 'g1', null)).gap).toBe(true);
  expect(applyMessage(initialEngineState, guestMessage(1, 'g1', null)).gap).toBe(true);
});

test('a guest that goes to the trash leaves the library', () => {
  const trashed = { ...makeGuest('g1'), trashedAt: '2026-01-01T00:00:00.000Z' };
  expect(apply([snapshot([makeGuest('g1')]), guestMessage(2, 'g1', trashed)]).guests).toEqual({});
  expect(apply([snapshot([trashed])]).guests).toEqual({});
});

test('a snapshot that says the same again keeps the objects, so that nothing is drawn anew', () => {
  const before = apply([snapshot([makeGuest('g1'), makeGuest('g2')])]);
  const after = apply([snapshot([makeGuest('g1'), makeGuest('g2', 'other')])], before);
  expect(after.guests.g1).toBe(before.guests.g1);
  expect(after.guests.g2).not.toBe(before.guests.g2);
});

test('another engine begins with no events, the same one keeps them', () => {
  const event = { id: 1, at: '', severity: 'info', kind: 'x', text: 't', guestId: null, imageId: null, jobId: null };
  const state = apply([snapshot([]), { type: 'event', seq: 2, event } as ServerMessage]);
  expect(state.events).toHaveLength(1);
  expect(apply([snapshot([], 1)], state).events).toHaveLength(1);
  expect(apply([snapshot([], 1, 'two')], state).events).toHaveLength(0);
});

test('samples are kept in order, without doubles, and bounded', () => {
  const at = (second: number) => ({ at: new Date(second * 1000).toISOString(), cpuCores: second }) as Sample;
  let ring = appendSample(undefined, at(1));
  expect(appendSample(ring, at(1))).toBe(ring);
  for (let second = 2; second < 400; second += 1) ring = appendSample(ring, at(second));
  expect(ring).toHaveLength(samplesKept);
  expect(ring.at(-1)?.cpuCores).toBe(399);
});
