/** What a person's changes make of an image. Pure. */
import { Failure } from '../../../contract/errors.ts';
import { type Image, type ImageChanges, type ReadField, readField } from '../../../contract/image.ts';
import type { ManyChanges } from './images.ts';
import type { AsRead, ImageChange, StoredImage } from './store.ts';

/** Absent fields are left alone; one that is `undefined` is absent. */
export type WantedChanges = { [Key in keyof ImageChanges]?: ImageChanges[Key] | undefined };

type SeriesMember = Pick<Image, 'id' | 'name' | 'series'>;

/**
 * @param others every image, to find a place in a series
 * @throws Failure `image/version-taken`
 */
export function editImage(
  before: StoredImage,
  wanted: WantedChanges,
  asRead: readonly ReadField[],
  others: readonly SeriesMember[],
): ImageChange {
  const { series, tags, ...plain } = wanted;
  const change: ImageChange = { id: before.id, ...present(plain) };
  if (tags !== undefined) change.tags = uniqueTags(tags);
  if (series !== undefined) change.series = series === null ? null : placeInSeries(before, series, others);
  // What nobody read can only come from a hand.
  if (wanted.patchLevel !== undefined) change.patchLevelFrom = null;
  for (const field of asRead) Object.assign(change, readValueOf(field, before.asRead));
  const byHand = new Set(before.byHand);
  for (const field of readField.options) {
    if (asRead.includes(field)) byHand.delete(field);
    else if (wanted[field] !== undefined) byHand.add(field);
  }
  return { ...change, byHand: readField.options.filter((field) => byHand.has(field)) };
}

/** What a new reading changes: everything but what a hand wrote. */
export function rereadImage(
  before: StoredImage,
  read: AsRead,
  facts: Pick<StoredImage, 'kernels' | 'packages' | 'factsFrom'>,
): ImageChange {
  const change: ImageChange = { id: before.id, asRead: read, kernels: facts.kernels, packages: facts.packages, factsFrom: facts.factsFrom };
  for (const field of readField.options) if (!before.byHand.includes(field)) Object.assign(change, readValueOf(field, read));
  return change;
}

const tagsMax = 32;
const notesMaxLength = 20_000;

/** The same change for one of several. @throws Failure `call/invalid-input` when it would have too much of something */
export function editOneOfMany(before: StoredImage, { addTags, removeTags, addNote, ...plain }: ManyChanges): ImageChange {
  const tags = tagImage(before, addTags ?? [], removeTags ?? []);
  const notes = addNote === undefined ? undefined : [before.notes, addNote].filter(Boolean).join('\n\n');
  const tooMuch =
    tags.length > tagsMax
      ? { what: `more than ${tagsMax} tags`, hint: 'Remove some of its tags first.', path: 'addTags' }
      : (notes?.length ?? 0) > notesMaxLength
        ? { what: `notes of more than ${notesMaxLength} characters`, hint: 'Shorten its notes first.', path: 'addNote' }
        : null;
  if (tooMuch) {
    throw new Failure('call/invalid-input', `“${before.name}” would have ${tooMuch.what}.`, {
      hint: `Nothing was changed. ${tooMuch.hint}`,
      path: tooMuch.path,
    });
  }
  return editImage(before, { ...plain, tags, notes }, [], []);
}

export function tagImage(before: StoredImage, add: readonly string[], remove: readonly string[]): string[] {
  const gone = new Set(remove.map((tag) => tag.toLowerCase()));
  return uniqueTags([...before.tags.filter((tag) => !gone.has(tag.toLowerCase())), ...add]);
}

/** A patch level comes with what it was read from. */
function readValueOf(field: ReadField, read: AsRead): Partial<AsRead> {
  if (field === 'patchLevel') return { patchLevel: read.patchLevel, patchLevelFrom: read.patchLevelFrom };
  return { [field]: read[field] };
}

/** Each once, whatever its case; the way it was written first stays. */
function uniqueTags(tags: readonly string[]): string[] {
  const seen = new Map<string, string>();
  for (const tag of tags) if (!seen.has(tag.toLowerCase())) seen.set(tag.toLowerCase(), tag);
  return [...seen.values()];
}

function placeInSeries(
  image: StoredImage,
  { name, version, changeNote }: NonNullable<ImageChanges['series']>,
  others: readonly SeriesMember[],
): NonNullable<Image['series']> {
  const same = (other: SeriesMember) => other.series?.name.toLowerCase() === name.toLowerCase();
  const members = others.filter((other) => other.id !== image.id && same(other));
  const stays = same(image) ? image.series : null;
  const place = version ?? stays?.version ?? Math.max(0, ...members.map((member) => member.series?.version ?? 0)) + 1;
  const holder = members.find((member) => member.series?.version === place);
  if (holder) {
    throw new Failure('image/version-taken', `Version ${place} of “${name}” is “${holder.name}” already.`, {
      hint: 'Choose another number, or none to make it the newest.',
      path: 'series.version',
    });
  }
  // A series is written one way, the way its first image wrote it.
  return { name: members[0]?.series?.name ?? name, version: place, changeNote: changeNote ?? stays?.changeNote ?? '' };
}

type Present<T> = { [Key in keyof T]?: Exclude<T[Key], undefined> };

function present<T extends object>(fields: T): Present<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Present<T>;
}
