/**
 * The language in which images are searched, shared by the engine, the command line and the window. Pure.
 *
 * ```
 *   debian web "exact words" -old                words of names, systems, tags, notes, sources, kernels
 *   os:debian version:>=12 patched:<2026-06      a field, perhaps with < <= > >=
 *   tag:web,shop  -tag:old  arch:none            one of several; not; nothing known (or any)
 * ```
 * Everything that is asked for must be so at once.
 */
import { type FieldName, type FieldValue, fieldNamed, fields, parseValue } from './image-query-fields.ts';

export type Comparison = '=' | '<' | '<=' | '>' | '>=';

/** Where a part of a query stands in its text. */
type Place = { text: string; start: number; end: number };

export type QueryTerm = Place & { negated: boolean } & (
    | { kind: 'words'; words: string; exact: boolean }
    | { kind: 'field'; field: FieldName; comparison: Comparison; values: readonly FieldValue[] }
  );

/** What is wrong with a query: names the word at fault and says what is possible. */
export type QueryProblem = Place & { message: string; hint: string };

export type ParsedQuery = { terms: readonly QueryTerm[]; problem: null } | { terms: null; problem: QueryProblem };

export const queryMaxLength = 1000;
const termsMax = 64;

export function parseImageQuery(query: string): ParsedQuery {
  const terms: QueryTerm[] = [];
  for (const token of tokensOf(query)) {
    const problem = token.unclosed ? unclosed(token) : null;
    const term = problem ?? parseTerm(token);
    if ('message' in term) return { terms: null, problem: term };
    terms.push(term);
  }
  if (terms.length <= termsMax) return { terms, problem: null };
  const place = { text: query, start: 0, end: query.length };
  return { terms: null, problem: { ...place, message: `A query can have ${termsMax} parts at most.`, hint: 'Leave some of them out.' } };
}

/** A word as it stands in the text: its parts say which characters were quoted. */
type Token = Place & { negated: boolean; field: string | null; comparison: Comparison; values: Part[]; unclosed: boolean };
type Part = { text: string; quoted: boolean };

/** Splits at spaces outside of quotes; within a word, the field, its comparison, and the values between commas. */
export function tokensOf(query: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < query.length) {
    if (/\s/.test(query[at] ?? '')) {
      at += 1;
      continue;
    }
    const start = at;
    const negated = query[at] === '-' && at + 1 < query.length && !/\s/.test(query[at + 1] ?? '');
    if (negated) at += 1;
    const head = /^([A-Za-z]+):(<=|>=|<|>|=)?/.exec(query.slice(at));
    if (head) at += head[0].length;
    const values: Part[] = [];
    let part: Part = { text: '', quoted: false };
    let open = false;
    for (; at < query.length && (open || !/\s/.test(query[at] ?? '')); at += 1) {
      const character = query[at] ?? '';
      if (open && character === '\\' && /["\\]/.test(query[at + 1] ?? '')) {
        at += 1;
        part.text += query[at];
      } else if (character === '"') {
        open = !open;
        part.quoted = true;
      } else if (character === ',' && head && !open) {
        values.push(part);
        part = { text: '', quoted: false };
      } else part.text += character;
    }
    values.push(part);
    tokens.push({
      text: query.slice(start, at),
      start,
      end: at,
      negated,
      field: head?.[1] ?? null,
      comparison: (head?.[2] as Comparison | undefined) ?? '=',
      values,
      unclosed: open,
    });
  }
  return tokens;
}

function parseTerm(token: Token): QueryTerm | QueryProblem {
  const { text, start, end, negated } = token;
  const place = { text, start, end };
  if (token.field === null) {
    const [part = { text: '', quoted: false }] = token.values;
    if (/[\p{L}\p{N}]/u.test(part.text)) return { ...place, negated, kind: 'words', words: part.text, exact: part.quoted };
    return {
      ...place,
      message: `“${text}” has neither a letter nor a digit to look for.`,
      hint: 'Write words, or a field such as os:debian.',
    };
  }
  const field = fieldNamed(token.field);
  if (field === null) {
    return {
      ...place,
      message: `There is no field “${token.field}” to search by.`,
      hint: `Fields are ${fields.map(({ name }) => name).join(', ')}. Put the word into quotes to look for it as it stands.`,
    };
  }
  const { kind, name, example } = field;
  const compared = token.comparison !== '=';
  if (compared && (kind === 'text' || kind === 'choice')) {
    return {
      ...place,
      message: `“${name}” cannot be compared with ${token.comparison} in “${text}”.`,
      hint: `Write ${example}.`,
    };
  }
  if (compared && token.values.length > 1) {
    return {
      ...place,
      message: `“${text}” compares with several values.`,
      hint: `Compare with one, or write ${name}:${token.values.map((value) => value.text).join(',')}.`,
    };
  }
  const values: FieldValue[] = [];
  for (const part of token.values) {
    const value = parseValue(field, part.text, part.quoted, token.comparison);
    if (typeof value === 'string') return { ...place, message: `“${text}” cannot be understood: ${value}`, hint: `Write ${example}.` };
    values.push(value);
  }
  return { ...place, negated, kind: 'field', field: name, comparison: token.comparison, values };
}

function unclosed({ text, start, end }: Token): QueryProblem {
  return { text, start, end, message: `The quotes in “${text}” are not closed.`, hint: 'Put a " at the end.' };
}

/** A query without the word that is still being typed: "os:" and "patched:<" ask nothing yet. */
export function settledQuery(query: string): string {
  const last = tokensOf(query).at(-1);
  const isBegun = last?.field != null && fieldNamed(last.field) !== null && last.values.at(-1)?.text === '' && !last.unclosed;
  return isBegun && last.end === query.length ? query.slice(0, last.start).trimEnd() : query;
}

/** Text as a value of a query: in quotes where it would otherwise be read as something else. */
export function quoteValue(text: string): string {
  const plain = text !== '' && !/[\s",\\]/.test(text) && !/^[<>=]/.test(text) && !/^(none|any|today)$/i.test(text);
  return plain ? text : `"${text.replaceAll(/["\\]/g, (character) => `\\${character}`)}"`;
}

/** `query` with or without one value of a field, for a check box: `tag:web` and "shop" make `tag:web,shop`. The rest stays as it was typed. */
export function toggleValue(query: string, field: FieldName, value: string): string {
  const same = (part: Part) => part.text.toLowerCase() === value.toLowerCase();
  const tokens = tokensOf(query).filter((token) => isPlain(token, field));
  const holder = tokens.find((token) => token.values.some(same));
  const written = (part: Part) => (part.quoted ? quoteValue(part.text) : part.text);
  if (holder) {
    const rest = holder.values.filter((part) => !same(part));
    return replace(query, holder, rest.length === 0 ? '' : `${field}:${rest.map(written).join(',')}`);
  }
  const [first] = tokens;
  if (first) return replace(query, first, `${field}:${[...first.values.map(written), bare(value)].join(',')}`);
  return `${query.trimEnd()}${query.trim() === '' ? '' : ' '}${field}:${bare(value)}`;
}

/** The values of a field that a query asks for, lower case. */
export function chosenValues(query: string, field: FieldName): ReadonlySet<string> {
  return new Set(
    tokensOf(query)
      .filter((token) => isPlain(token, field))
      .flatMap((token) => token.values.map((part) => part.text.toLowerCase()))
      .filter((value) => value !== ''),
  );
}

function isPlain(token: Token, field: FieldName): boolean {
  return !token.negated && token.comparison === '=' && token.field !== null && fieldNamed(token.field)?.name === field;
}

/** "none" stands for nothing known, unless it is what something is called. */
function bare(value: string): string {
  return value === 'none' ? value : quoteValue(value);
}

/** Puts `by` in the place of a word; where nothing is put, its neighbours stay one space apart. */
function replace(query: string, { start, end }: Place, by: string): string {
  const [before, after] = [query.slice(0, start), query.slice(end)];
  if (by !== '') return before + by + after;
  return [before.trim(), after.trim()].filter((side) => side !== '').join(' ');
}

export type Suggestion = { /** Takes the place of the word at the caret. */ text: string; about: string };

/** What the word at the caret may become: fields, and values of the field that it names. `known` are values that occur. */
export function suggestQuery(
  query: string,
  caret: number,
  known: Partial<Record<FieldName, readonly { value: string; count: number }[]>>,
): { start: number; end: number; suggestions: readonly Suggestion[] } {
  const token = tokensOf(query).find(({ start, end }) => start <= caret && caret <= end);
  const start = token?.start ?? caret;
  const end = token?.end ?? caret;
  const sign = token?.negated ? '-' : '';
  const typed = query.slice(start + sign.length, end).toLowerCase();
  if (!token?.field) {
    const fitting = fields.filter(({ name, aliases }) => [name, ...aliases].some((each) => each.startsWith(typed)));
    return { start, end, suggestions: fitting.map(({ name, about }) => ({ text: `${sign}${name}:`, about })) };
  }
  const field = fieldNamed(token.field);
  if (!field) return { start, end, suggestions: [] };
  const before = token.values.slice(0, -1).map((part) => bare(part.text));
  const last = (token.values.at(-1)?.text ?? '').toLowerCase();
  const offered = [
    ...(known[field.name] ?? []).map(({ value, count }) => ({ value, about: count === 1 ? '1 image' : `${count} images` })),
    ...field.choices.map(({ value, about }) => ({ value, about })),
    ...field.examples.map(({ value, about }) => ({ value, about })),
  ];
  const seen = new Set<string>();
  const suggestions = offered
    .filter(({ value }) => {
      const fresh = !seen.has(value) && value.toLowerCase() !== last && value.toLowerCase().includes(last);
      seen.add(value);
      return fresh;
    })
    .map(({ value, about }) => {
      const isExample = field.examples.some((example) => example.value === value);
      return { text: `${sign}${field.name}:${[...before, isExample ? value : bare(value)].join(',')}`, about };
    });
  return { start, end, suggestions };
}
