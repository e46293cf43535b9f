/** The manifest of an OVF: a line of `SHA256(file)= hex` for each file of the machine. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { Failure } from '../../../contract/errors.ts';
import type { ByteSource } from '../images/byte-source.ts';

export const manifestEntry = z.object({ file: z.string(), algorithm: z.enum(['sha1', 'sha256', 'sha512']), hex: z.string() });
export type ManifestEntry = z.infer<typeof manifestEntry>;

/** More text than any manifest has. */
export const manifestMaxBytes = 256 * 1024;

/** @throws Failure `machine/not-understood` for a line that is no hash: a manifest that cannot be read proves nothing. */
export function parseManifest(text: string): ManifestEntry[] {
  return text
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [, name, file, hex] = /^\s*(SHA-?1|SHA-?256|SHA-?512)\s*\((.+)\)\s*=\s*([0-9a-f]+)\s*$/i.exec(line) ?? [];
      const algorithm = manifestEntry.shape.algorithm.safeParse(name?.toLowerCase().replace('-', ''));
      if (!algorithm.success || !file || !hex) {
        throw new Failure('machine/not-understood', 'The manifest of the machine has a line that cannot be understood.', {
          hint: 'Export the machine again from the program that it comes from.',
          detail: line.slice(0, 200),
          path: 'path',
        });
      }
      return { file, algorithm: algorithm.data, hex: hex.toLowerCase() };
    });
}

/** @throws Failure `machine/wrong-hash` naming the file; or the signal's reason. */
export async function checkHash(
  source: ByteSource,
  entry: ManifestEntry,
  signal: AbortSignal,
  onRead: (bytes: number) => void,
): Promise<void> {
  const hash = createHash(entry.algorithm);
  for (let at = 0; at < source.sizeBytes; ) {
    signal.throwIfAborted();
    const bytes = await source.read(at, 1024 * 1024);
    if (bytes.length === 0) break;
    hash.update(bytes);
    at += bytes.length;
    onRead(bytes.length);
  }
  if (hash.digest('hex') === entry.hex) return;
  throw new Failure('machine/wrong-hash', `“${entry.file}” is not the file that the manifest of the machine names: its hash is another.`, {
    hint: 'It was damaged or changed on the way. Download or copy the machine again.',
    path: 'path',
  });
}
