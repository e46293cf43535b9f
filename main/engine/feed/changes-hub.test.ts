import { expect, test } from 'vitest';
import type { GuestId } from '../../../contract/ids.ts';
import { defaultSettings } from '../../../contract/settings.ts';
import { silentLog } from '../log/log.ts';
import { createChangesHub } from './changes-hub.ts';

const one = 'g00000000a' as GuestId;
const two = 'g00000000b' as GuestId;

function listener() {
  const heard: unknown[] = [];
  return { heard, change: (json: string) => void heard.push(JSON.parse(json)), samples: () => undefined };
}

test('every connection hears every change, until it is closed', () => {
  const hub = createChangesHub(silentLog);
  const [a, b] = [listener(), listener()];
  const connection = hub.connect(a);
  hub.connect(b);
  hub.settings(defaultSettings);
  connection.close();
  hub.guest(one, null);
  expect(a.heard).toEqual([{ type: 'settings', settings: defaultSettings }]);
  expect(b.heard).toEqual([
    { type: 'settings', settings: defaultSettings },
    { type: 'guest', id: one, guest: null },
  ]);
  expect(hub.connectionCount()).toBe(1);
});

test('a connection that fails does not keep the others from hearing', () => {
  const hub = createChangesHub(silentLog);
  const b = listener();
  hub.connect({
    ...listener(),
    change: () => {
      throw new Error('gone');
    },
  });
  hub.connect(b);
  hub.guest(one, null);
  expect(b.heard).toHaveLength(1);
});

test('a guest is watched as long as one connection looks at it', () => {
  const hub = createChangesHub(silentLog);
  const a = hub.connect(listener());
  const b = hub.connect(listener());
  a.watch([one, two]);
  b.watch([two]);
  expect([...hub.watched()]).toEqual([one, two]);
  a.close();
  expect([...hub.watched()]).toEqual([two]);
  b.watch([]);
  a.watch([one]);
  expect([...hub.watched()]).toEqual([]);
});
