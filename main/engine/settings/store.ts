/** The settings: one row for each that was ever changed, so that a better default reaches everyone who never chose. */
import { Failure } from '../../../contract/errors.ts';
import { defaultSettings, type Settings, settings as settingsSchema } from '../../../contract/settings.ts';
import type { Changes } from '../feed/feed.ts';
import type { Log } from '../log/log.ts';
import type { Database } from '../store/database.ts';

export type SettingsStore = {
  get(): Settings;
  /** Stores what `change` names and tells connected clients. @throws Failure `settings/invalid` with the field's `path`. */
  set(change: Partial<Settings>): Settings;
};

export function createSettingsStore({
  database,
  changes,
  log,
}: {
  database: Database;
  changes: Pick<Changes, 'settings'>;
  log: Log;
}): SettingsStore {
  const readAll = database.prepare<{ name: string; value: string }>('settings.read', 'SELECT name, value FROM settings');
  const write = database.prepare(
    'settings.write',
    'INSERT INTO settings (name, value) VALUES (@name, @value) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
  );
  let current = parseStored(readAll.all(), log);
  return {
    get: () => current,
    set(change) {
      const parsed = settingsSchema.partial().strict().safeParse(change);
      if (!parsed.success) {
        const issue = parsed.error.issues[0];
        throw new Failure('settings/invalid', `A setting cannot have this value: ${issue?.message ?? 'unknown'}.`, {
          path: issue?.path.join('.') ?? '',
        });
      }
      const given = Object.entries(parsed.data).filter(([, value]) => value !== undefined);
      database.transaction(() => {
        for (const [name, value] of given) write.run({ name, value: JSON.stringify(value) });
      });
      current = { ...current, ...Object.fromEntries(given) };
      changes.settings(current);
      return current;
    },
  };
}

/** A stored value that no longer fits (an older engine's, a hand's) falls back to the default and is named in the log. */
function parseStored(rows: readonly { name: string; value: string }[], log: Log): Settings {
  let result = defaultSettings;
  for (const { name, value } of rows) {
    const merged = settingsSchema.strict().safeParse({ ...result, [name]: parseJson(value) });
    if (merged.success) result = merged.data;
    else log.warn({ setting: name }, `The stored setting ${name} cannot be used; its default holds.`);
  }
  return result;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
