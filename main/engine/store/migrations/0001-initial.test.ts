import { createHash } from 'node:crypto';
import Sqlite from 'better-sqlite3';
import { expect, test } from 'vitest';
import { sql } from './0001-initial.ts';
import { migrations } from './all.ts';

test('the first migration makes the tables that the stores use, on an empty database', () => {
  const sqlite = new Sqlite(':memory:');
  sqlite.exec(sql);
  const tables = sqlite
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name")
    .pluck()
    .all();
  expect(tables).toEqual(['audit', 'events', 'guests', 'images', 'jobs', 'samples', 'settings']);
  sqlite.close();
});

test('migrations are numbered without a gap and each runs after the ones before it', () => {
  expect(migrations.map((migration) => migration.number)).toEqual(migrations.map((_, index) => index + 1));
  const sqlite = new Sqlite(':memory:');
  for (const migration of migrations) sqlite.exec(migration.sql);
  sqlite.close();
});

test('the first migration is what it was when it was first shipped', () => {
  expect(createHash('sha256').update(sql).digest('hex')).toMatchInlineSnapshot(
    `"4c5b57dd16cba91e5f38f8aa81adbaeebb4eced91af53b81b35d1aef3aa39df7"`,
  );
});
