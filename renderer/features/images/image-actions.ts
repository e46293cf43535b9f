/** What is done to images from several places of the catalogue. */
import type { CallInput } from '../../../contract/calls.ts';
import type { GuesthouseError } from '../../../contract/errors.ts';
import type { Image } from '../../../contract/image.ts';
import { ask } from '../../state/ask.ts';
import { call } from '../../state/bridge.ts';
import { showErrorToast, showToast } from '../../state/toasts.ts';
import { words } from '../../words/en.ts';
import { formatBytes, formatList } from '../../words/format.ts';

const w = words.images;
const reasonsShown = 3;

export type ImageEdit = Omit<CallInput<'image.edit'>, 'image'>;

/** Writes it at once; the answer is what is wrong, or null. */
export async function editImage(image: Image, change: ImageEdit): Promise<GuesthouseError | null> {
  const answer = await call('image.edit', { image: image.id, ...change });
  return answer.ok ? null : answer.error;
}

/** Writes the same into several at once, with one Undo for all of them. The answer is what is wrong, or null. */
export async function editImages(
  images: readonly Image[],
  change: Omit<CallInput<'image.editMany'>, 'images'>,
): Promise<GuesthouseError | null> {
  const answer = await call('image.editMany', { images: images.map(({ id }) => id), ...change });
  if (!answer.ok) return answer.error;
  offerUndo(w.bulkDone(answer.value.changed), answer.value.edit);
  return null;
}

/** Gives all versions of a series another name, with an Undo. The answer is what is wrong, or null. */
export async function renameSeries(series: string, name: string): Promise<GuesthouseError | null> {
  const answer = await call('image.renameSeries', { series, name });
  if (!answer.ok) return answer.error;
  offerUndo(w.seriesRenamed(name), answer.value.edit);
  return null;
}

/** Takes an image out of its series, with an Undo. The answer is what is wrong, or null. */
export async function leaveSeries(image: Image): Promise<GuesthouseError | null> {
  const { series } = image;
  const failed = await editImage(image, { series: null });
  if (failed || !series) return failed;
  const back = async () => {
    const refused = await editImage(image, { series });
    if (refused) showErrorToast(refused);
  };
  showToast({ tone: 'ok', title: w.seriesLeft(image.name), action: { label: words.common.undo, run: () => void back() } });
  return null;
}

function offerUndo(title: string, edit: number | null): void {
  showToast({
    tone: 'ok',
    title,
    ...(edit === null ? {} : { action: { label: words.common.undo, run: () => void undoEdit(edit) } }),
  });
}

async function undoEdit(edit: number): Promise<void> {
  const answer = await call('image.undoEdit', { edit });
  if (!answer.ok) return showErrorToast(answer.error);
  const { restored, kept } = answer.value;
  if (kept.length === 0) return showToast({ tone: 'ok', title: w.undone(restored) });
  const reasons = kept.slice(0, reasonsShown).map(({ name, reason }) => w.undoKept(name, reason));
  const more = kept.length > reasonsShown ? [w.undoMore(kept.length - reasonsShown)] : [];
  showToast({ tone: 'problem', title: w.undonePartly(restored, kept.length), text: [...reasons, ...more].join('\n') });
}

/** Why an image cannot be deleted now, or null. */
export function keptBy({ usedBy, builtUponBy }: Image): string | null {
  if (usedBy.length > 0) return w.inUse(formatList(usedBy));
  return builtUponBy.length > 0 ? w.isBase(formatList(builtUponBy)) : null;
}

/** Asks, then deletes those that nothing needs. An error ends it, and is said. */
export async function deleteImages(images: readonly Image[]): Promise<void> {
  const doomed = images.filter((image) => keptBy(image) === null);
  const [first] = doomed;
  if (!first) return;
  const size = formatBytes(doomed.reduce((sum, image) => sum + image.sizeBytes, 0));
  const text = w.deleteText(size);
  const sure = await ask({
    title: doomed.length === 1 ? w.deleteTitle(first.name) : w.deleteManyTitle(doomed.length),
    text: doomed.some((image) => image.builtIn) ? `${text} ${w.deleteBuiltIn}` : text,
    confirmLabel: w.delete,
  });
  if (!sure) return;
  for (const image of doomed) {
    const answer = await call('image.delete', { image: image.id });
    if (!answer.ok) return showErrorToast(answer.error);
  }
}
