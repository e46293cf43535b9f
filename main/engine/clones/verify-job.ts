/**
 * Whether what disks build upon is still what it was. Images are read again and held against their SHA-256; layers, whose bytes may be
 * rearranged when they are tidied, are checked by QEMU.
 */
import { createHash } from 'node:crypto';
import { open, stat, utimes } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { Failure } from '../../../contract/errors.ts';
import { imageId } from '../../../contract/ids.ts';
import type { Image } from '../../../contract/image.ts';
import type { Feed } from '../feed/feed.ts';
import type { Layout } from '../files/layout.ts';
import { awayFileFailure, mustBeReachable } from '../files/moved-folder.ts';
import type { HostCapabilities } from '../host/capabilities.ts';
import type { Images } from '../images/images.ts';
import { checkDisk } from '../images/qemu-img.ts';
import type { JobDefinition } from '../jobs/job-definition.ts';
import { layerIdOf } from '../layers/disk-chain.ts';
import { readStoreDisks } from '../layers/layer-graph.ts';

const verifyInput = z.object({ images: z.array(imageId), layers: z.boolean() });
export type VerifyInput = z.infer<typeof verifyInput>;

export type VerifyParts = {
  layout: Layout;
  images: Pick<Images, 'list'>;
  host: Pick<HostCapabilities, 'qemuImgPath'>;
};

const chunkBytes = 1024 ** 2;
/** An image is written before its row is; a file that is newer than its row was changed by somebody else. */
const slackMs = 2_000;

/** A sentence for an image whose file is not as it was, by what can be told at a glance; null when it is. */
export async function changedAtAGlance({
  name,
  path,
  sizeBytes,
  addedAt,
}: Pick<Image, 'name' | 'path' | 'sizeBytes' | 'addedAt'>): Promise<string | null> {
  const found = await stat(path).catch(() => null);
  if (!found) {
    const away = await awayFileFailure(path, `The image “${name}”`);
    return away?.message ?? `The file of the image “${name}” is gone: ${path}.`;
  }
  if (found.size === sizeBytes && found.mtimeMs <= Date.parse(addedAt) + slackMs) return null;
  return `The image “${name}” was changed outside Guesthouse: ${path}.`;
}

/** Looked at once, when the engine starts. */
export async function tellOfChangedBases({ images }: Pick<VerifyParts, 'images'>, feed: Feed): Promise<void> {
  for (const image of images.list()) {
    if (image.builtUponBy.length === 0) continue;
    const problem = await changedAtAGlance(image);
    if (problem === null) continue;
    const guests = image.builtUponBy.map((name) => `“${name}”`).join(', ');
    feed.record({
      severity: 'problem',
      kind: 'image.changed',
      text: `${problem} The disks of ${guests} build upon it and may be damaged. “guesthouse image verify” reads it whole.`,
      imageId: image.id,
    });
  }
}

export function defineVerify({ layout, images, host }: VerifyParts): JobDefinition<VerifyInput> {
  return {
    kind: 'image.verify',
    parseInput: (value) => verifyInput.parse(value),
    afterCrash: 'resume',
    cancellable: true,
    steps: [
      {
        name: 'Read the images',
        weight: 9,
        async run({ input, signal, progress }) {
          const wanted = images.list().filter((image) => input.images.includes(image.id));
          const totalBytes = wanted.reduce((sum, image) => sum + image.sizeBytes, 0);
          const wrong: string[] = [];
          let doneBytes = 0;
          for (const image of wanted) {
            const sha256 = await hashFile(image.path, signal, (bytes) => progress(doneBytes + bytes, totalBytes));
            doneBytes += image.sizeBytes;
            if (sha256 !== image.sha256)
              wrong.push(`“${image.name}”${image.builtUponBy.length > 0 ? `, upon which ${image.builtUponBy.join(', ')} build` : ''}`);
            // It was only touched: from now on it looks as it should.
            else if ((await changedAtAGlance(image)) !== null) await utimes(image.path, new Date(image.addedAt), new Date(image.addedAt));
          }
          if (wrong.length === 0) return;
          throw new Failure('image/corrupt', `What was imported is not what is there now: ${wrong.join('; ')}.`, {
            hint: 'Put the files back from a backup before the guests upon them are started again.',
          });
        },
      },
      {
        name: 'Check the frozen disks',
        weight: 1,
        async run({ input, signal }) {
          if (!input.layers) return;
          const qemuImg = await host.qemuImgPath();
          const layers = (await readStoreDisks(layout)).filter(({ path }) => layerIdOf(path, layout.layers) !== null);
          const wrong: string[] = [];
          for (const { path, bases } of layers) {
            signal.throwIfAborted();
            mustBeReachable(dirname(path), 'A frozen disk');
            if (bases === null || (await checkDisk(qemuImg, path)).state === 'corrupt') wrong.push(path);
          }
          if (wrong.length === 0) return;
          throw new Failure('image/corrupt', `Frozen disks are damaged: ${wrong.join(', ')}.`, {
            hint: 'Put the files back from a backup before the guests upon them are started again.',
          });
        },
      },
    ],
  };
}

async function hashFile(path: string, signal: AbortSignal, onProgress: (bytesDone: number) => void): Promise<string> {
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') throw new Failure('image/file-missing', `The file ${path} is gone.`);
    throw new Failure('image/unreadable', `The file ${path} cannot be read.`, { detail: error.message });
  });
  try {
    const hash = createHash('sha256');
    const buffer = Buffer.allocUnsafe(chunkBytes);
    let done = 0;
    for (;;) {
      signal.throwIfAborted();
      const { bytesRead } = await file.read(buffer, 0, chunkBytes, done);
      if (bytesRead === 0) return hash.digest('hex');
      hash.update(buffer.subarray(0, bytesRead));
      done += bytesRead;
      onProgress(done);
    }
  } finally {
    await file.close();
  }
}
