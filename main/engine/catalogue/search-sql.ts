/** Turns a query into a condition on the rows of `images`. Pure; every value is a parameter. */

import type { ImageId } from '../../../contract/ids.ts';
import type { ImageSort } from '../../../contract/image-catalogue.ts';
import type { Comparison, QueryTerm } from '../../../contract/image-query.ts';
import { type FieldName, type FieldValue, isWords } from '../../../contract/image-query-fields.ts';
import { versionKey } from '../../../contract/version-order.ts';

export type Condition = { sql: string; parameters: (string | number)[] };

export type SearchContext = {
  /** "2026-11-25", what `today` stands for. */
  today: string;
  /** How many guests hold each image or were made from it; those with none may be absent. */
  uses(): ReadonlyMap<ImageId, number>;
};

/** What must be so of an image for it to be found. An empty query finds all. */
export function buildCondition(terms: readonly QueryTerm[], context: SearchContext): Condition {
  const conditions = terms.map((term) => {
    const { sql, parameters } = conditionOf(term, context);
    // What compares with nothing known is neither true nor false, and not fitting is what `-` asks for.
    return { sql: term.negated ? `NOT coalesce(${sql}, 0)` : sql, parameters };
  });
  return {
    sql: conditions.map(({ sql }) => `(${sql})`).join(' AND ') || 'TRUE',
    parameters: conditions.flatMap(({ parameters }) => parameters),
  };
}

/** The order of what is found: what is not known comes last, equals by name. */
export function buildOrder(sort: ImageSort, descending: boolean): string {
  const direction = descending ? 'DESC' : 'ASC';
  const columns: Record<ImageSort, readonly string[]> = {
    name: ['sort_name'],
    os: ['os_name COLLATE NOCASE', 'sort_version'],
    patched: ['patch_level'],
    size: ['size_bytes'],
    added: ['added_at'],
    lifecycle: [`CASE lifecycle WHEN 'draft' THEN 1 WHEN 'published' THEN 2 ELSE 3 END`],
    eol: ['end_of_life'],
    version: ['series COLLATE NOCASE', 'series_version'],
  };
  const wanted = columns[sort].flatMap((column) => [`${column} IS NULL`, `${column} ${direction}`]);
  return [...wanted, 'sort_name', 'id'].join(', ');
}

function conditionOf(term: QueryTerm, context: SearchContext): Condition {
  if (term.kind === 'words') return wordsCondition(term.exact ? phrase(term.words) : beginning(term.words));
  const each = term.values.map((value) => valueCondition(term.field, term.comparison, value, context));
  return { sql: each.map(({ sql }) => `(${sql})`).join(' OR '), parameters: each.flatMap(({ parameters }) => parameters) };
}

/** A whole name, or with * at the end how one begins. Names of several words have all of them: the index knows no order. */
function packageCondition(text: string): Condition {
  const isBeginning = text.endsWith('*');
  const words = text.split(/[^\p{L}\p{N}+\-._~:@]+/u).filter((word) => word !== '');
  const match = words.map((word, index) => `${phrase(word)}${isBeginning && index === words.length - 1 ? ' *' : ''}`).join(' AND ');
  return { sql: 'number IN (SELECT rowid FROM image_package_names WHERE image_package_names MATCH ?)', parameters: [match] };
}

function wordsCondition(match: string): Condition {
  return { sql: 'number IN (SELECT rowid FROM image_text WHERE image_text MATCH ?)', parameters: [match] };
}

/** A string of FTS5 (https://sqlite.org/fts5.html#fts5_strings): its words in this order; of a beginning the last may go on. */
function phrase(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}

function beginning(text: string): string {
  return `${phrase(text)} *`;
}

type Column = { sql: string; kind: 'text' | 'date' | 'number' | 'version' };

/** Fields that are one column of `images`. */
const columns: Partial<Record<FieldName, Column>> = {
  version: { sql: 'sort_version', kind: 'version' },
  patched: { sql: 'patch_level', kind: 'date' },
  eol: { sql: 'end_of_life', kind: 'date' },
  added: { sql: 'added_at', kind: 'date' },
  arch: { sql: 'architecture', kind: 'text' },
  firmware: { sql: 'firmware', kind: 'text' },
  kind: { sql: 'kind', kind: 'text' },
  format: { sql: 'format', kind: 'text' },
  lifecycle: { sql: 'lifecycle', kind: 'text' },
  series: { sql: 'series', kind: 'text' },
  size: { sql: 'size_bytes', kind: 'number' },
  virtual: { sql: 'virtual_size_bytes', kind: 'number' },
};

function valueCondition(field: FieldName, comparison: Comparison, value: FieldValue, context: SearchContext): Condition {
  const column = columns[field];
  if (column) return columnCondition(column, comparison, value, context.today);
  if (field === 'uses') return usesCondition(comparison, value, context.uses());
  const listed = field === 'package' ? 'image_packages' : 'image_tags';
  if (value.kind === 'none') return { sql: `number NOT IN (SELECT number FROM ${listed})`, parameters: [] };
  if (value.kind === 'any') return { sql: `number IN (SELECT number FROM ${listed})`, parameters: [] };
  const text = value.kind === 'text' ? value.text : '';
  if (field === 'package') return packageCondition(text);
  if (isWords(field)) return wordsCondition(`${field} : ${beginning(text)}`);
  if (field === 'tag') return { sql: 'number IN (SELECT number FROM image_tags WHERE tag = ?)', parameters: [text] };
  if (field === 'is') return { sql: standings[text] ?? 'FALSE', parameters: [] };
  // A name is meant by its whole words: "Windows" is also "Windows 11", "Debian 1" is not "Debian 12".
  const named = (column: string) => ({
    sql: `${column} = ? COLLATE NOCASE OR ${column} LIKE ? ESCAPE '\\'`,
    parameters: [text, `${escapeLike(text)} %`],
  });
  if (field === 'by') return named('added_by');
  const name = named('os_name');
  return {
    sql: `os_distro = ? COLLATE NOCASE OR os_id = ? COLLATE NOCASE OR os_family = ? COLLATE NOCASE OR ${name.sql}`,
    parameters: [text, text, text, ...name.parameters],
  };
}

/** A newer published version of the same series. */
const overtaken = `EXISTS (SELECT 1 FROM images AS newer WHERE newer.series = images.series COLLATE NOCASE
  AND newer.lifecycle = 'published' AND newer.series_version > images.series_version)`;

const standings: Record<string, string> = {
  latest: `series IS NOT NULL AND lifecycle = 'published' AND NOT ${overtaken}`,
  outdated: `series IS NOT NULL AND ${overtaken}`,
  'built-in': 'built_in = 1',
};

function columnCondition({ sql, kind }: Column, comparison: Comparison, value: FieldValue, today: string): Condition {
  switch (value.kind) {
    case 'none':
      return { sql: `${sql} IS NULL`, parameters: [] };
    case 'any':
      return { sql: `${sql} IS NOT NULL`, parameters: [] };
    case 'text':
      return { sql: `${sql} = ? COLLATE NOCASE`, parameters: [value.text] };
    case 'number':
      return { sql: `${sql} ${comparison} ?`, parameters: [value.number] };
    case 'version':
      return kind === 'version'
        ? periodCondition(sql, comparison, versionKey(value.version) ?? '', false)
        : { sql: 'FALSE', parameters: [] };
    case 'date':
      return periodCondition(sql, comparison, value.date, true);
    case 'today':
      return periodCondition(sql, comparison, today, true);
  }
}

/** Sorts behind everything that begins with a date, a version or an instant. */
const last = '~';

/**
 * A month is all of its days: in it, before it, after it. A version that was named is that version and, when equality is asked for, those
 * that refine it: 12 is also 12.5, but 12.5 comes after 12.
 */
function periodCondition(column: string, comparison: Comparison, start: string, isPeriod: boolean): Condition {
  const after = isPeriod ? `${start}${last}` : start;
  switch (comparison) {
    case '=':
      return isPeriod
        ? { sql: `${column} >= ? AND ${column} < ?`, parameters: [start, after] }
        : { sql: `${column} = ? OR ${column} > ? AND ${column} < ?`, parameters: [start, `${start}.`, `${start}.${last}`] };
    case '<':
      return { sql: `${column} < ?`, parameters: [start] };
    case '<=':
      return { sql: `${column} <= ?`, parameters: [after] };
    case '>':
      return { sql: `${column} > ?`, parameters: [after] };
    case '>=':
      return { sql: `${column} >= ?`, parameters: [start] };
  }
}

function usesCondition(comparison: Comparison, value: FieldValue, uses: ReadonlyMap<ImageId, number>): Condition {
  const fits = (count: number): boolean => {
    const limit = value.kind === 'number' ? value.number : 0;
    if (value.kind === 'any') return count > 0;
    return { '=': count === limit, '<': count < limit, '<=': count <= limit, '>': count > limit, '>=': count >= limit }[comparison];
  };
  // Most images have no user: those that have are listed, and the rest fits or does not.
  const listed = [...uses].filter(([, count]) => count > 0 && fits(count) !== fits(0)).map(([id]) => id);
  const parameters = [JSON.stringify(listed)];
  return { sql: `id ${fits(0) ? 'NOT IN' : 'IN'} (SELECT value FROM json_each(?))`, parameters };
}

function escapeLike(text: string): string {
  return text.replaceAll(/[\\%_]/g, (character) => `\\${character}`);
}
