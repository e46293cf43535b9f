import { expect, test } from 'vitest';
import type { Guest, GuestStatus } from '../../contract/guest-state.ts';
import { guestEntries, matches } from './palette-entries.ts';

const makeGuest = (name: string, status: GuestStatus) => ({ id: name, spec: { name }, state: { status } }) as unknown as Guest;

test('every word of the query must be found', () => {
  expect(matches('Start: Debian desktop', 'deb start')).toBe(true);
  expect(matches('Start: Debian desktop', 'stop deb')).toBe(false);
});

test('a guest whose name begins with the query comes first', () => {
  const found = guestEntries([makeGuest('My Debian', 'off'), makeGuest('Debian', 'off')], 'deb');
  expect(found.filter((entry) => entry.kind === 'guest').map((entry) => entry.guest.id)).toEqual(['Debian', 'My Debian']);
});

test('only what a guest can do now is offered', () => {
  const verbs = (status: GuestStatus) =>
    guestEntries([makeGuest('Debian', status)], 'debian').flatMap((entry) => (entry.kind === 'verb' ? [entry.verb] : []));
  expect(verbs('off')).toEqual(['start']);
  expect(verbs('running')).toEqual(['pause', 'shutdown', 'suspend', 'reset', 'forceOff']);
});

test('without a query all guests are there and no verbs', () => {
  expect(guestEntries([makeGuest('a', 'off')], '').map((entry) => entry.kind)).toEqual(['guest']);
});
