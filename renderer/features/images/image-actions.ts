/** What is done to images from several places of the catalogue. */
import type { CallInput } from '../../../contract/calls.ts';
import type { GuesthouseError } from '../../../contract/errors.ts';
import type { Image } from '../../../contract/image.ts';
import { ask } from '../../state/ask.ts';
import { call } from '../../state/bridge.ts';
import { showErrorToast } from '../../state/toasts.ts';
import { words } from '../../words/en.ts';
import { formatBytes, formatList } from '../../words/format.ts';

const w = words.images;

export type ImageEdit = Omit<CallInput<'image.edit'>, 'image'>;

/** Writes it at once; the answer is what is wrong, or null. */
export async function editImage(image: Image, change: ImageEdit): Promise<GuesthouseError | null> {
  const answer = await call('image.edit', { image: image.id, ...change });
  return answer.ok ? null : answer.error;
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
