/** Turns a disk of another product into a qcow2 file, and asks QEMU what it makes of one. */
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../../../../contract/errors.ts';
import { removeFile } from '../../files/durable.ts';
import { withSpaceWatched } from '../copy-medium.ts';
import { convertNodes, nodeSizeBytes } from '../qemu-img.ts';
import type { DiskPart, ForeignDisk, QemuNode } from './foreign-disk.ts';
import type { OpenForeign } from './open-foreign.ts';

export type ConvertForeign = {
  qemuImg: string;
  disk: Pick<OpenForeign, 'parts' | 'virtualSizeBytes' | 'identity'>;
  /** For messages. */
  sourcePath: string;
  target: string;
  keepFreeBytes: number;
  signal: AbortSignal;
  onProgress: (bytesDone: number, bytesTotal: number) => void;
};

/**
 * Makes `target` anew. The free space is watched meanwhile, and the source must be the same file afterwards.
 * @throws Failure `store/full`, `store/not-writable`, `image/changed`, `image/corrupt`; or the signal's reason.
 */
export async function convertForeign({
  qemuImg,
  disk,
  sourcePath,
  target,
  keepFreeBytes,
  signal,
  onProgress,
}: ConvertForeign): Promise<void> {
  const before = await disk.identity();
  await removeFile(target);
  await withNodes(disk, `${target}.pieces`, (nodes) =>
    withSpaceWatched(target, keepFreeBytes, signal, (watched) =>
      convertNodes(qemuImg, {
        nodes,
        target,
        signal: watched,
        onProgress: (share) => onProgress(Math.round(share * disk.virtualSizeBytes), disk.virtualSizeBytes),
      }),
    ),
  );
  if ((await disk.identity()) !== before) {
    throw new Failure('image/changed', `${sourcePath} changed while it was copied.`, {
      hint: 'Wait until it is complete, then try again.',
    });
  }
}

/** What QEMU takes the size of the disk to be. `scratch` is the name of a folder that is not there. @throws Failure `image/corrupt` */
export async function sizeByQemu(qemuImg: string, disk: Pick<ForeignDisk, 'parts'>, scratch: string): Promise<number> {
  return withNodes(disk, scratch, async (nodes) => {
    let sizeBytes = 0;
    for (const node of nodes) sizeBytes += await nodeSizeBytes(qemuImg, node);
    return sizeBytes;
  });
}

async function withNodes<T>({ parts }: Pick<ForeignDisk, 'parts'>, scratch: string, work: (nodes: QemuNode[]) => Promise<T>): Promise<T> {
  if (!parts.some((part) => 'splitPiece' in part)) return work(await nodesOf(parts, scratch));
  await rm(scratch, { recursive: true, force: true });
  await mkdir(scratch, { mode: 0o700 });
  try {
    return await work(await nodesOf(parts, scratch));
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function nodesOf(parts: readonly DiskPart[], scratch: string): Promise<QemuNode[]> {
  const nodes: QemuNode[] = [];
  for (const [index, part] of parts.entries()) {
    if ('node' in part) {
      nodes.push(part.node);
      continue;
    }
    // A link of ours, so that no path of the user's has to be quoted in VMware's way.
    const { filename, sectors } = part.splitPiece;
    await symlink(filename, join(scratch, `piece${index}.vmdk`));
    const description = join(scratch, `describes${index}.vmdk`);
    await writeFile(description, pieceDescription(`piece${index}.vmdk`, sectors), { mode: 0o600 });
    nodes.push({ driver: 'vmdk', backing: null, file: { driver: 'file', filename: description } });
  }
  return nodes;
}

function pieceDescription(file: string, sectors: number): string {
  return [
    '# Disk DescriptorFile',
    'version=1',
    'CID=fffffffe',
    'parentCID=ffffffff',
    'createType="twoGbMaxExtentSparse"',
    `RW ${sectors} SPARSE "${file}"`,
    '',
  ].join('\n');
}
