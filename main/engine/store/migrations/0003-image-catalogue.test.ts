import Sqlite from 'better-sqlite3';
import { expect, test } from 'vitest';
import { migrations } from './all.ts';

test('images and guests from before the catalogue are found by their words, and go without leaving any', () => {
  const sqlite = new Sqlite(':memory:');
  for (const { sql } of migrations.filter(({ number }) => number < 3)) sqlite.exec(sql);
  sqlite
    .prepare(
      `INSERT INTO images (id, name, format, kind, os, firmware, size_bytes, virtual_size_bytes, sha256, label, source, added_at, added_by)
       VALUES ('i00000000a', 'Web server', 'iso', 'iso', '{"name":"Debian 12","distro":"debian"}', 'bios', 1, 1, 'x', NULL, '/a.iso', '2026', 'root')`,
    )
    .run();
  for (const { sql } of migrations.filter(({ number }) => number >= 3)) sqlite.exec(sql);
  const found = (match: string) =>
    sqlite.prepare('SELECT id FROM images WHERE number IN (SELECT rowid FROM image_text WHERE image_text MATCH ?)').pluck().all(match);
  expect(found('"deb" * "web" *')).toEqual(['i00000000a']);
  expect(sqlite.prepare('SELECT lifecycle, tags, by_hand, as_read FROM images').get()).toEqual({
    lifecycle: 'published',
    tags: '[]',
    by_hand: '[]',
    as_read: null,
  });
  sqlite.prepare('DELETE FROM images').run();
  expect(found('"web" *')).toEqual([]);
  sqlite.close();
});
