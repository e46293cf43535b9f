/** The day after which an operating system gets no more updates, as libosinfo knows it. */
import type { OsIdentity } from '../../../contract/guest-spec.ts';
import { imageDetails } from '../../../contract/image.ts';
import type { OsRecognition } from '../os/os-recognition.ts';

/** Null for a system that is not known, or still has no such day. */
export async function endOfLifeOf(os: OsIdentity, recognition: Pick<OsRecognition, 'knowledgeOf'>): Promise<string | null> {
  const known = await recognition.knowledgeOf(os);
  // What is known of a relative says nothing of this release.
  const day = known?.id === os.id ? known.endOfLife : null;
  return imageDetails.shape.endOfLife.safeParse(day).data ?? null;
}
