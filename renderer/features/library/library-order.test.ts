import { expect, test } from 'vitest';
import type { Guest, GuestStatus } from '../../../contract/guest-state.ts';
import { noFilter } from './library-address.ts';
import { acceptColumns, acceptSort, filterGuests, sortGuests } from './library-order.ts';

function makeGuest(
  name: string,
  more: { status?: GuestStatus; family?: string; tags?: string[]; notes?: string; memoryMiB?: number; started?: string } = {},
): Guest {
  const { status = 'off', family = 'linux', tags = [], notes = '', memoryMiB = 1024, started } = more;
  return {
    id: `g${name}`,
    spec: { name, notes, tags, favourite: false, memoryMiB, os: { name: 'Debian 12', family }, cpu: { sockets: 1, cores: 1, threads: 1 } },
    state: { status, ...(status === 'running' ? { run: { hostname: 'front-desk', addresses: ['10.0.2.15'] } } : {}) },
    createdAt: '',
    lastStartedAt: started ?? null,
  } as unknown as Guest;
}
const names = (guests: Guest[]) => guests.map((guest) => guest.spec.name);

const guests = [
  makeGuest('web 10', { status: 'running', tags: ['work'] }),
  makeGuest('web 2', { notes: 'the old shop', memoryMiB: 4096 }),
  makeGuest('Office', { family: 'windows', status: 'crashed', started: '2026-01-02' }),
];

test('every word that is typed must be found, in any of name, notes, tags, system, state and address', () => {
  const found = (text: string) => names(filterGuests(guests, { ...noFilter, text }));
  expect(found('web')).toEqual(['web 10', 'web 2']);
  expect(found('SHOP web')).toEqual(['web 2']);
  expect(found('10.0.2')).toEqual(['web 10']);
  expect(found('front-desk')).toEqual(['web 10']);
  expect(found('crashed')).toEqual(['Office']);
  expect(found('nothing')).toEqual([]);
});

test('filters of different kinds narrow each other', () => {
  expect(names(filterGuests(guests, { ...noFilter, place: 'running' }))).toEqual(['web 10']);
  expect(names(filterGuests(guests, { ...noFilter, families: ['windows', 'linux'], states: ['crashed'] }))).toEqual(['Office']);
  expect(names(filterGuests(guests, { ...noFilter, tag: 'work', states: ['off'] }))).toEqual([]);
});

test('names are sorted as people count, and equal guests keep the order of their names', () => {
  expect(names(sortGuests(guests, { by: 'name', descending: false }))).toEqual(['Office', 'web 2', 'web 10']);
  expect(names(sortGuests(guests, { by: 'memory', descending: true }))).toEqual(['web 2', 'Office', 'web 10']);
  expect(names(sortGuests(guests, { by: 'state', descending: false }))).toEqual(['Office', 'web 10', 'web 2']);
  expect(names(sortGuests(guests, { by: 'started', descending: true }))).toEqual(['Office', 'web 2', 'web 10']);
});

test('what was remembered is checked before it is used', () => {
  expect(acceptSort({ by: 'cpu', descending: true })).toEqual({ by: 'cpu', descending: true });
  expect(acceptSort({ by: 'shoe size', descending: true })).toBeNull();
  expect(acceptSort('name')).toBeNull();
  expect(acceptColumns(['tags', 'gone', 'state'])).toEqual(['state', 'tags']);
});
