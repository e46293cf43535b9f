/** Edits of several images at once: written as a whole, and taken back as a whole, but for images that were changed again since. */
import type { CallOutput } from '../../../contract/calls.ts';
import { Failure } from '../../../contract/errors.ts';
import type { ImageId } from '../../../contract/ids.ts';
import { readField } from '../../../contract/image.ts';
import type { Database } from '../store/database.ts';
import type { BulkEdit, EditedImage, ImageChange, ImageEditStore, ImageStore, StoredImage } from './store.ts';

export type BulkEdits = {
  /** Writes what of the changes is one; what was before is kept for {@link BulkEdits.undo}. `edit` is null when nothing was changed. */
  write(changes: readonly ImageChange[], about: Pick<BulkEdit, 'who' | 'seriesRenamed'>): { changed: ImageId[]; edit: number | null };
  /** Takes an edit back, the last one by default. @throws Failure `image/nothing-to-undo` */
  undo(id: number | undefined): { restored: ImageId[]; kept: Kept; seriesRenamed: BulkEdit['seriesRenamed'] };
};

type Kept = CallOutput<'image.undoEdit'>['kept'];

/** What a field is called in a sentence. */
const fieldNames: Partial<Record<keyof StoredImage, string>> = {
  tags: 'tags',
  lifecycle: 'lifecycle',
  notes: 'notes',
  patchLevel: 'patch level',
  endOfLife: 'end of updates',
  series: 'place in a series',
};
/** What follows from the fields of an edit, and is not looked at by itself. */
const following: ReadonlySet<string> = new Set(['id', 'byHand', 'patchLevelFrom']);

export function createBulkEdits(parts: {
  database: Pick<Database, 'transaction'>;
  images: ImageStore;
  edits: ImageEditStore;
  now: () => string;
}): BulkEdits {
  const { database, images, edits, now } = parts;
  return {
    write(changes, { who, seriesRenamed }) {
      const different = changes.flatMap((change): EditedImage[] => {
        const image = images.find(change.id);
        const fields = image ? fieldsOf(change).filter((field) => !isEqual(image[field], change[field])) : [];
        if (!image || fields.length === 0) return [];
        const { patchLevelFrom, byHand } = image;
        const before = { ...pick(image, fields), byHand, ...(fields.includes('patchLevel') ? { patchLevelFrom } : {}) };
        return [{ id: image.id, name: image.name, before, after: pick(change, fields) }];
      });
      const changed = different.map(({ id }) => id);
      if (changed.length === 0) return { changed, edit: null };
      const wanted = new Set(changed);
      const edit = database.transaction(() => {
        images.update(changes.filter(({ id }) => wanted.has(id)));
        return edits.add({ at: now(), who, images: different, seriesRenamed });
      });
      return { changed, edit };
    },

    undo(id) {
      const found = edits.find(id);
      if (!found) {
        throw new Failure('image/nothing-to-undo', 'There is no such edit of images that could be taken back.', {
          hint: 'Only the last edits of several images are kept, and each is taken back once.',
        });
      }
      const kept: Kept = [];
      let going = found.images;
      const keep = (more: Kept) => {
        kept.push(...more);
        const staying = new Set(more.map(({ image }) => image));
        going = going.filter(({ id: image }) => !staying.has(image));
      };
      keep(going.flatMap((one) => changedSince(one, images.find(one.id))));
      // One that stays may hold the place of another, and then that one stays as well.
      for (let before = Number.POSITIVE_INFINITY; going.length < before; ) {
        before = going.length;
        keep(placesTaken(going, images.list()));
      }
      database.transaction(() => {
        images.update(going.map((one) => restored(one, images.find(one.id))));
        edits.remove(found.id);
      });
      return { restored: going.map((one) => one.id), kept, seriesRenamed: found.seriesRenamed };
    },
  };
}

function changedSince({ id, name, after }: EditedImage, image: StoredImage | null): Kept {
  if (!image) return [{ image: id, name, reason: 'It was deleted since.' }];
  const field = fieldsOf(after).find((each) => !isEqual(image[each], after[each]));
  if (field === undefined) return [];
  const verb = field === 'tags' || field === 'notes' ? 'were' : 'was';
  return [{ image: id, name: image.name, reason: `Its ${fieldNames[field] ?? field} ${verb} changed since.` }];
}

/** Those whose former place in a series another image has by now. */
function placesTaken(going: readonly EditedImage[], all: readonly StoredImage[]): Kept {
  const own = new Set(going.map(({ id }) => id));
  const place = (series: StoredImage['series']) => series && `${series.version} ${series.name.toLowerCase()}`;
  const holders = new Map(all.filter(({ id }) => !own.has(id)).map((image) => [place(image.series), image]));
  return going.flatMap(({ id, name, before }) => {
    const holder = before.series ? holders.get(place(before.series)) : undefined;
    if (!holder || !before.series) return [];
    return [{ image: id, name, reason: `Version ${before.series.version} of “${before.series.name}” is “${holder.name}” by now.` }];
  });
}

function restored({ id, before, after }: EditedImage, image: StoredImage | null): ImageChange {
  const { byHand: byHandBefore = [], ...fields } = before;
  const touched = readField.options.filter((field) => field in after);
  // Of what else a hand wrote meanwhile nothing is forgotten.
  const byHand = image?.byHand.filter((field) => !touched.includes(field) || byHandBefore.includes(field)) ?? byHandBefore;
  return { id, ...fields, byHand };
}

type Field = Exclude<keyof StoredImage, 'id'>;

function fieldsOf(change: Partial<StoredImage>): Field[] {
  return (Object.keys(change) as Field[]).filter((field) => !following.has(field));
}

function pick(from: Partial<StoredImage>, fields: readonly Field[]): Partial<StoredImage> {
  return Object.fromEntries(fields.map((field) => [field, from[field]]));
}

function isEqual(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
