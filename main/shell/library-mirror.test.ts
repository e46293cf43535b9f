import { expect, test } from 'vitest';
import type { ServerMessage } from '../../contract/events.ts';
import type { Guest, GuestStatus } from '../../contract/guest-state.ts';
import { guestId } from '../../contract/ids.ts';
import { defaultSettings } from '../../contract/settings.ts';
import { LibraryMirror } from './library-mirror.ts';

function guestNamed(name: string, status: GuestStatus): Guest {
  return { id: guestId.parse(`g${name.padEnd(9, '0')}`), spec: { name }, state: { status } } as unknown as Guest;
}

function snapshotOf(...guests: Guest[]): ServerMessage {
  return {
    type: 'snapshot',
    seq: 0,
    snapshot: { guests, images: [], jobs: [], settings: { ...defaultSettings, theme: 'dark' } },
  } as unknown as ServerMessage;
}

const names = (mirror: LibraryMirror) => mirror.running.map(({ spec }) => spec.name);

test('a guest counts as running while it has a QEMU process, and guests are sorted by name', () => {
  const mirror = new LibraryMirror();
  const statuses: GuestStatus[] = [
    'creating',
    'off',
    'starting',
    'running',
    'paused',
    'stopping',
    'suspending',
    'suspended',
    'crashed',
    'template',
  ];
  mirror.apply(snapshotOf(...statuses.reverse().map((status) => guestNamed(status.slice(0, 9), status))));
  expect(names(mirror)).toEqual(['paused', 'running', 'starting', 'stopping', 'suspendin']);
  expect(mirror.settings.theme).toBe('dark');
});

test('changes are followed, and a new snapshot replaces everything', () => {
  const mirror = new LibraryMirror();
  const heard: string[] = [];
  const stop = mirror.listen((message) => heard.push(message.type));
  mirror.apply(snapshotOf(guestNamed('a', 'running')));
  const b = guestNamed('b', 'running');
  mirror.apply({ type: 'guest', seq: 1, id: b.id, guest: b });
  expect(names(mirror)).toEqual(['a', 'b']);
  mirror.apply({ type: 'guest', seq: 2, id: b.id, guest: null });
  mirror.apply({ type: 'settings', seq: 3, settings: { ...defaultSettings, onQuit: 'suspend' } });
  expect([names(mirror), mirror.settings.onQuit]).toEqual([['a'], 'suspend']);
  stop();
  mirror.apply(snapshotOf());
  expect(names(mirror)).toEqual([]);
  expect(heard).toEqual(['snapshot', 'guest', 'guest', 'settings']);
});
