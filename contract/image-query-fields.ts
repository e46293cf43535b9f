/** The fields of the query language: what each means, what its values may be, and how they are read. Pure. */
import { firmwareKind } from './guest-spec.ts';
import { imageArchitecture, imageFormat, imageLifecycle } from './image.ts';
import { versionKey } from './version-order.ts';

export type FieldName =
  | 'os'
  | 'version'
  | 'patched'
  | 'arch'
  | 'firmware'
  | 'kind'
  | 'format'
  | 'lifecycle'
  | 'tag'
  | 'series'
  | 'is'
  | 'size'
  | 'virtual'
  | 'eol'
  | 'added'
  | 'by'
  | 'uses'
  | 'name'
  | 'notes'
  | 'source'
  | 'kernel'
  | 'package';

/** `text` is compared as it is, `choice` is one of a few, the others have an order. */
type FieldKind = 'text' | 'choice' | 'version' | 'date' | 'size' | 'count';

export type Field = {
  name: FieldName;
  aliases: readonly string[];
  kind: FieldKind;
  /** Nothing may be known of it: `none` and `any` can be asked for. */
  optional: boolean;
  /** What it is, for a list of suggestions. */
  about: string;
  example: string;
  choices: readonly { value: string; about: string }[];
  /** Beginnings of values, for fields without choices. */
  examples: readonly { value: string; about: string }[];
};

/** `none` and `any` ask whether something is known. Sizes are bytes; a date is a year, a month or a day, or today. */
export type FieldValue =
  | { kind: 'none' }
  | { kind: 'any' }
  | { kind: 'text'; text: string }
  | { kind: 'version'; version: string }
  | { kind: 'date'; date: string }
  | { kind: 'today' }
  | { kind: 'number'; number: number };

const plain = (values: readonly string[], about: Partial<Record<string, string>> = {}) =>
  values.map((value) => ({ value, about: about[value] ?? '' }));
const none = { aliases: [], optional: false, choices: [], examples: [] } as const;

export const fields: readonly Field[] = [
  { ...none, name: 'os', kind: 'text', about: 'operating system: its family or its name', example: 'os:debian or os:"Windows 11"' },
  {
    ...none,
    name: 'version',
    kind: 'version',
    optional: true,
    about: 'version of the operating system',
    example: 'version:12, version:>=12.5 or version:<13',
    examples: [{ value: '>=', about: 'this or newer' }],
  },
  {
    ...none,
    name: 'patched',
    aliases: ['patch'],
    kind: 'date',
    optional: true,
    about: 'up to when it has its updates',
    example: 'patched:2026-06, patched:<2026-06 or patched:none',
    examples: [
      { value: '<', about: 'before a month or a day' },
      { value: '>=', about: 'in it or later' },
      { value: 'none', about: 'not known' },
    ],
  },
  {
    ...none,
    name: 'arch',
    aliases: ['architecture'],
    kind: 'choice',
    optional: true,
    about: 'processor that it is made for',
    example: 'arch:x86_64',
    choices: plain(imageArchitecture.options),
  },
  {
    ...none,
    name: 'firmware',
    kind: 'choice',
    about: 'firmware that it boots with',
    example: 'firmware:uefi',
    choices: plain(firmwareKind.options),
  },
  { ...none, name: 'kind', kind: 'choice', about: 'an ISO or a disk', example: 'kind:iso', choices: plain(['iso', 'disk']) },
  { ...none, name: 'format', kind: 'choice', about: 'format of the file', example: 'format:qcow2', choices: plain(imageFormat.options) },
  {
    ...none,
    name: 'lifecycle',
    kind: 'choice',
    about: 'draft, published or deprecated',
    example: 'lifecycle:published',
    choices: plain(imageLifecycle.options),
  },
  { ...none, name: 'tag', aliases: ['tags'], kind: 'text', optional: true, about: 'one of its tags', example: 'tag:web' },
  { ...none, name: 'series', kind: 'text', optional: true, about: 'line of versions', example: 'series:"Web server"' },
  {
    ...none,
    name: 'is',
    kind: 'choice',
    about: 'newest of its series, or overtaken by a newer version',
    example: 'is:latest or is:outdated',
    choices: plain(['latest', 'outdated', 'built-in'], {
      latest: 'the newest published version of its series',
      outdated: 'a newer version is published',
      'built-in': 'came with Guesthouse',
    }),
  },
  {
    ...none,
    name: 'size',
    kind: 'size',
    about: 'size of the file',
    example: 'size:>4G or size:<=700M',
    examples: [
      { value: '>1G', about: 'more than 1 GiB' },
      { value: '<1G', about: 'less than 1 GiB' },
    ],
  },
  {
    ...none,
    name: 'virtual',
    kind: 'size',
    about: 'size that a guest sees',
    example: 'virtual:>=20G',
    examples: [{ value: '>=20G', about: '20 GiB or more' }],
  },
  {
    ...none,
    name: 'eol',
    kind: 'date',
    optional: true,
    about: 'end of its updates',
    example: 'eol:<2027 or eol:<today',
    examples: [
      { value: '<today', about: 'no more updates' },
      { value: '>today', about: 'still updated' },
      { value: 'none', about: 'not known' },
    ],
  },
  {
    ...none,
    name: 'added',
    kind: 'date',
    about: 'when it came into the library',
    example: 'added:>=2026-01 or added:today',
    examples: [{ value: 'today', about: '' }],
  },
  { ...none, name: 'by', kind: 'text', about: 'who added it', example: 'by:root' },
  {
    ...none,
    name: 'uses',
    aliases: ['used'],
    kind: 'count',
    optional: true,
    about: 'how many guests hold it or were made from it',
    example: 'uses:none or uses:>=2',
    examples: [
      { value: 'none', about: 'no guest' },
      { value: 'any', about: 'at least one' },
    ],
  },
  { ...none, name: 'name', kind: 'text', about: 'words of its name', example: 'name:web' },
  { ...none, name: 'notes', aliases: ['note'], kind: 'text', about: 'words of its notes', example: 'notes:audit' },
  { ...none, name: 'source', aliases: ['url'], kind: 'text', about: 'words of where it came from', example: 'source:cdimage' },
  { ...none, name: 'kernel', kind: 'text', about: 'release of an installed kernel', example: 'kernel:6.1' },
  {
    ...none,
    name: 'package',
    aliases: ['pkg'],
    kind: 'text',
    optional: true,
    about: 'name of an installed package',
    example: 'package:openssh-server or package:openssh-*',
    examples: [{ value: 'none', about: 'its packages are not known' }],
  },
];

const byName = new Map(fields.flatMap((field) => [field.name, ...field.aliases].map((name) => [name, field] as const)));

export function fieldNamed(name: string): Field | null {
  return byName.get(name.toLowerCase()) ?? null;
}

const sizeUnits: Record<string, number> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 };
const dateForm = /^\d{4}(?:-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12]\d|3[01]))?)?$/;

/** One value of a field, or the sentence that says what it must be. */
export function parseValue(field: Field, text: string, quoted: boolean, comparison: string): FieldValue | string {
  const word = text.toLowerCase();
  if (text === '') return `${field.name} needs a value.`;
  if (!quoted && (word === 'none' || word === 'any')) {
    if (!field.optional) return `every image has one, so “${word}” asks nothing.`;
    return comparison === '=' ? { kind: word } : `“${word}” cannot be compared.`;
  }
  switch (field.kind) {
    case 'text':
      if ((isWords(field.name) || field.name === 'package') && !/[\p{L}\p{N}]/u.test(text))
        return 'it has neither a letter nor a digit to look for.';
      return { kind: 'text', text };
    case 'choice':
      if (field.choices.some(({ value }) => value === word)) return { kind: 'text', text: word };
      return `${field.name} is one of ${field.choices.map(({ value }) => value).join(', ')}.`;
    case 'version':
      return versionKey(text) === null ? 'a version has digits or letters.' : { kind: 'version', version: text };
    case 'date':
      if (!quoted && word === 'today') return { kind: 'today' };
      return dateForm.test(text) ? { kind: 'date', date: text } : 'a date is a year, a month or a day: 2026, 2026-06 or 2026-06-17.';
    case 'size': {
      if (comparison === '=') return 'a size is compared with <, <=, > or >=.';
      const match = /^(\d+(?:\.\d+)?)([kmgt]?)(?:i?b)?$/.exec(word);
      if (!match) return 'a size is a number with K, M, G or T.';
      return { kind: 'number', number: Math.round(Number(match[1]) * (sizeUnits[match[2] ?? ''] ?? 1)) };
    }
    case 'count':
      return /^\d{1,9}$/.test(text) ? { kind: 'number', number: Number(text) } : 'it is a whole number.';
  }
}

/** Fields that are searched by their words, each as the beginning of one; the others are compared as a whole. */
export function isWords(field: FieldName): field is 'name' | 'notes' | 'source' | 'kernel' {
  return field === 'name' || field === 'notes' || field === 'source' || field === 'kernel';
}
