/**
 * A capsule: a tar archive with `capsule.json` first, which says what the guest is and which files with which hashes follow. Its disks stand
 * alone, whatever they built upon where they came from.
 */
import { z } from 'zod';
import type { GuestSpec } from '../../../contract/guest-spec.ts';
import { instant } from '../../../contract/ids.ts';
import { parseStoredSpec } from '../guests/spec-migrations.ts';
import { notUnderstood } from './foreign-machine.ts';

export const capsuleManifestName = 'capsule.json';

const capsuleFile = z.object({
  name: z.string().regex(/^[a-zA-Z0-9][a-zA-Z0-9._-]{0,90}$/),
  role: z.enum(['disk', 'nvram', 'tpm']),
  /** Of a disk: which of the spec's. */
  diskId: z.string().nullable(),
  sizeBytes: z.number().int().nonnegative(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

const capsuleManifest = z.object({
  /** Grows when an older Guesthouse could no longer understand a capsule. */
  capsule: z.literal(1),
  madeBy: z.string().max(200),
  exportedAt: instant,
  /** As it is stored; an older one is brought forward. */
  spec: z.record(z.string(), z.unknown()),
  files: z.array(capsuleFile).max(200),
  /**
   * States that the guest can go back to, oldest first, each with the spec and the files of its own. None is written yet; a capsule that has
   * some is taken without them, and that is said.
   */
  snapshots: z.array(
    z.object({
      id: z.string(),
      parent: z.string().nullable(),
      name: z.string(),
      note: z.string(),
      takenAt: instant,
      spec: z.record(z.string(), z.unknown()),
      files: z.array(capsuleFile).max(200),
    }),
  ),
});
export type CapsuleManifest = z.infer<typeof capsuleManifest>;
export type CapsuleFile = z.infer<typeof capsuleFile>;

/** @throws Failure `machine/not-understood`, `database/newer` for one of a later Guesthouse */
export function parseCapsule(text: string): { manifest: CapsuleManifest; spec: GuestSpec } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (thrown) {
    throw notUnderstood('its list of contents is no JSON.', String(thrown));
  }
  const parsed = capsuleManifest.safeParse(value);
  if (!parsed.success)
    throw notUnderstood('its list of contents is not as it should be, or of a newer Guesthouse.', parsed.error.message.slice(0, 1000));
  return { manifest: parsed.data, spec: parseStoredSpec(JSON.stringify(parsed.data.spec)) };
}
