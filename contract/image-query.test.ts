import fc from 'fast-check';
import { expect, test } from 'vitest';
import { chosenValues, parseImageQuery, quoteValue, settledQuery, suggestQuery, toggleValue } from './image-query.ts';
import { fields } from './image-query-fields.ts';

const termsOf = (query: string) => {
  const { terms, problem } = parseImageQuery(query);
  if (problem) throw new Error(problem.message);
  return terms;
};
const problemOf = (query: string) => parseImageQuery(query).problem;

test('words, fields, comparisons, lists, quotes and negation are told apart', () => {
  expect(termsOf('web "second floor" os:debian version:>=12 -tag:old,"very old" patched:<2026-06 size:>4G uses:none')).toMatchObject([
    { kind: 'words', words: 'web', exact: false, negated: false },
    { kind: 'words', words: 'second floor', exact: true },
    { field: 'os', comparison: '=', values: [{ kind: 'text', text: 'debian' }] },
    { field: 'version', comparison: '>=', values: [{ kind: 'version', version: '12' }] },
    { field: 'tag', negated: true, values: [{ text: 'old' }, { text: 'very old' }] },
    { field: 'patched', comparison: '<', values: [{ kind: 'date', date: '2026-06' }] },
    { field: 'size', comparison: '>', values: [{ kind: 'number', number: 4 * 1024 ** 3 }] },
    { field: 'uses', values: [{ kind: 'none' }] },
  ]);
});

test('fields and choices are the same in any case, and have second names', () => {
  expect(termsOf('OS:Debian Arch:X86_64 patch:none architecture:aarch64')).toMatchObject([
    { field: 'os', values: [{ text: 'Debian' }] },
    { field: 'arch', values: [{ text: 'x86_64' }] },
    { field: 'patched', values: [{ kind: 'none' }] },
    { field: 'arch' },
  ]);
});

test('a word with a colon that is no field is looked for when it is quoted, and questioned when it is not', () => {
  expect(termsOf('"colour:red"')).toMatchObject([{ kind: 'words', words: 'colour:red' }]);
  expect(problemOf('web colour:red')).toMatchObject({
    text: 'colour:red',
    start: 4,
    message: 'There is no field “colour” to search by.',
    hint: expect.stringContaining('os, version, patched'),
  });
});

test.each([
  ['version:>', '“version:>” cannot be understood: version needs a value.', 'version:12, version:>=12.5 or version:<13'],
  [
    'patched:<june',
    '“patched:<june” cannot be understood: a date is a year, a month or a day: 2026, 2026-06 or 2026-06-17.',
    'patched:2026-06',
  ],
  [
    'patched:2026-13',
    '“patched:2026-13” cannot be understood: a date is a year, a month or a day: 2026, 2026-06 or 2026-06-17.',
    'patched',
  ],
  ['size:4G', '“size:4G” cannot be understood: a size is compared with <, <=, > or >=.', 'size:>4G'],
  ['size:>huge', '“size:>huge” cannot be understood: a size is a number with K, M, G or T.', 'size:>4G'],
  ['lifecycle:gone', '“lifecycle:gone” cannot be understood: lifecycle is one of draft, published, deprecated.', 'lifecycle:published'],
  ['tag:>web', '“tag” cannot be compared with > in “tag:>web”.', 'Write tag:web.'],
  ['version:>12,13', '“version:>12,13” compares with several values.', 'Compare with one, or write version:12,13.'],
  ['kind:none', '“kind:none” cannot be understood: every image has one, so “none” asks nothing.', 'kind:iso'],
  ['eol:<none', '“eol:<none” cannot be understood: “none” cannot be compared.', 'eol:<2027'],
  ['uses:two', '“uses:two” cannot be understood: it is a whole number.', 'uses:none'],
  ['"open', 'The quotes in “"open” are not closed.', 'Put a " at the end.'],
  ['web …', '“…” has neither a letter nor a digit to look for.', 'Write words'],
])('%s is refused by the word at fault, and says what is possible', (query, message, hint) => {
  const problem = problemOf(query);
  expect(problem).toMatchObject({ message, hint: expect.stringContaining(hint) });
  expect(query.slice(problem?.start, problem?.end)).toBe(problem?.text);
});

test('a query of a hundred parts is refused as a whole', () => {
  expect(problemOf('web '.repeat(100))?.message).toBe('A query can have 64 parts at most.');
});

test('whatever is typed is understood or refused by name, and every part stands where it says', () => {
  const pieces = fc.constantFrom(
    'os:',
    'version:>=',
    '-',
    '"',
    ',',
    ' ',
    'debian',
    '12',
    '\\',
    'tag:',
    'none',
    '2026-06',
    '…',
    ':',
    '<',
    'é',
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(pieces).map((all) => all.join('')),
      ),
      (query) => {
        const { terms, problem } = parseImageQuery(query);
        for (const part of problem ? [problem] : (terms ?? [])) expect(query.slice(part.start, part.end)).toBe(part.text);
        if (problem) expect(problem.message).toMatch(/\.$/);
      },
    ),
    { numRuns: 2000 },
  );
});

test('any text can be a value, and is read back as it was', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), (text) => {
      expect(termsOf(`tag:${quoteValue(text)}`)).toMatchObject([{ field: 'tag', values: [{ kind: 'text', text }] }]);
    }),
    { numRuns: 1000 },
  );
});

test('a value is put into a query and taken out again, and the rest stays', () => {
  const value = fc.oneof(fc.string({ minLength: 1 }), fc.constantFrom('web', 'two words', 'a,b', '"', '\\', 'none', '  "', 'x  " '));
  fc.assert(
    fc.property(fc.constantFrom('', 'web -tag:old', 'os:"Debian 12" tag:shop', 'size:>4G "exact words"'), value, (query, text) => {
      fc.pre(!chosenValues(query, 'tag').has(text.toLowerCase()));
      const once = toggleValue(query, 'tag', text);
      expect(chosenValues(once, 'tag')).toContain(text.toLowerCase());
      expect(parseImageQuery(once).problem).toBeNull();
      expect(toggleValue(once, 'tag', text)).toBe(query);
    }),
    { numRuns: 1000 },
  );
});

test('suggestions are fields first, then values that occur', () => {
  const suggested = (query: string, known = {}) => suggestQuery(query, query.length, known).suggestions.map(({ text }) => text);
  expect(suggested('web ar')).toEqual(['arch:']);
  expect(suggested('-ta')).toEqual(['-tag:']);
  expect(suggested('lifecycle:')).toEqual(['lifecycle:draft', 'lifecycle:published', 'lifecycle:deprecated']);
  expect(
    suggested('tag:web,s', {
      tag: [
        { value: 'shop', count: 3 },
        { value: 'two steps', count: 1 },
      ],
    }),
  ).toEqual(['tag:web,shop', 'tag:web,"two steps"']);
  expect(suggested('eol:')).toEqual(['eol:<today', 'eol:>today', 'eol:none']);
  expect(suggested('nowhere:')).toEqual([]);
});

test('a word that is still being typed asks nothing yet', () => {
  expect(settledQuery('web os:')).toBe('web');
  expect(settledQuery('web patched:<')).toBe('web');
  expect(settledQuery('tag:web,')).toBe('');
  expect(settledQuery('web os: ')).toBe('web os: ');
  expect(settledQuery('web colour:')).toBe('web colour:');
  expect(settledQuery('os:debian')).toBe('os:debian');
});

test('every example of a field is understood', () => {
  for (const { example, examples, name } of fields) {
    for (const query of example.split(/, | or /)) expect(problemOf(query), query).toBeNull();
    for (const { value } of examples.filter(({ value }) => /\w/.test(value))) expect(problemOf(`${name}:${value}`), value).toBeNull();
  }
});
