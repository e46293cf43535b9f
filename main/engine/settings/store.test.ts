import { expect, test } from 'vitest';
import { defaultSettings } from '../../../contract/settings.ts';
import { freshDatabase } from '../../../tests/support/fresh-database.ts';
import { silentLog } from '../log/log.ts';
import { createSettingsStore } from './store.ts';

test('settings begin as the defaults, are changed one by one, told, and kept', async () => {
  const database = await freshDatabase();
  const told: unknown[] = [];
  const store = createSettingsStore({ database, changes: { settings: (settings) => told.push(settings) }, log: silentLog });
  expect(store.get()).toEqual(defaultSettings);
  const changed = store.set({ theme: 'dark', keepFreeMiB: 1024 });
  expect(changed).toEqual({ ...defaultSettings, theme: 'dark', keepFreeMiB: 1024 });
  expect(told).toEqual([changed]);
  expect(createSettingsStore({ database, changes: { settings: () => undefined }, log: silentLog }).get()).toEqual(changed);
});

test('a value that does not fit is refused and named', async () => {
  const store = createSettingsStore({ database: await freshDatabase(), changes: { settings: () => undefined }, log: silentLog });
  expect(() => store.set({ shutdownTimeoutSeconds: 1 })).toThrow(
    expect.objectContaining({ error: expect.objectContaining({ code: 'settings/invalid', path: 'shutdownTimeoutSeconds' }) }),
  );
  expect(store.get()).toEqual(defaultSettings);
});

test('a stored value that no longer fits falls back to the default and leaves the others alone', async () => {
  const database = await freshDatabase();
  const insert = database.prepare('test.insert', 'INSERT INTO settings (name, value) VALUES (?, ?)');
  insert.run('theme', '"sepia"');
  insert.run('gone', 'true');
  insert.run('broken', '{');
  insert.run('notifications', 'false');
  const store = createSettingsStore({ database, changes: { settings: () => undefined }, log: silentLog });
  expect(store.get()).toEqual({ ...defaultSettings, notifications: false });
});
