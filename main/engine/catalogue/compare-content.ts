/** Compares the disks inside two images of the store, block by block, reading only where at least one of them has data. */
import type { FileHandle } from 'node:fs/promises';
import { Failure } from '../../../contract/errors.ts';
import type { Image } from '../../../contract/image.ts';
import type { ContentDifference } from '../../../contract/image-catalogue.ts';
import { type ByteSource, fileSource } from '../images/byte-source.ts';
import { openMedium } from '../images/open-medium.ts';
import { parseQcow2Header, qcow2HeaderBytes } from '../images/qcow2-header.ts';
import { qcow2Disk } from '../images/qcow2-reader.ts';
import { type DataRange, dataRanges } from '../images/qemu-img.ts';

const blockBytes = 64 * 1024;
const chunkBytes = 4 * 1024 * 1024;
/** Parts of the map: enough for a picture, little enough to send. */
const mapParts = 128;

export type Comparing = {
  one: Pick<Image, 'path' | 'format' | 'name'>;
  other: Comparing['one'];
  qemuImg: string;
  signal: AbortSignal;
  onProgress: (bytesDone: number, bytesTotal: number) => void;
};

/** @throws Failure `image/not-comparable`, `image/corrupt`, `image/file-missing`; or the signal's reason. */
export async function compareContent({
  one,
  other,
  qemuImg,
  signal,
  onProgress,
}: Comparing): Promise<Omit<ContentDifference, 'comparedAt'>> {
  const first = await openDisk(one);
  try {
    const second = await openDisk(other);
    try {
      const ranges = unite([...(await rangesOf(one, qemuImg)), ...(await rangesOf(other, qemuImg))]);
      return await compareDisks(first.disk, second.disk, ranges, signal, onProgress);
    } finally {
      await second.file.close();
    }
  } finally {
    await first.file.close();
  }
}

/** @param ranges where at least one of them has data: sorted, apart, and beginning and ending at whole blocks */
export async function compareDisks(
  one: ByteSource,
  other: ByteSource,
  ranges: readonly DataRange[],
  signal: AbortSignal,
  onProgress: Comparing['onProgress'],
): Promise<Omit<ContentDifference, 'comparedAt'>> {
  const spanBytes = Math.max(one.sizeBytes, other.sizeBytes);
  const partBytes = Math.max(blockBytes, Math.ceil(spanBytes / mapParts / blockBytes) * blockBytes);
  const differing = new Array<number>(Math.max(1, Math.ceil(spanBytes / partBytes))).fill(0);
  const found = { sameBytes: 0, changedBytes: 0, onlyOneBytes: 0, onlyOtherBytes: 0 };
  const total = ranges.reduce((sum, { lengthBytes }) => sum + lengthBytes, 0);
  let done = 0;
  for (const { offset, lengthBytes } of ranges) {
    for (let at = offset; at < offset + lengthBytes; at += chunkBytes) {
      signal.throwIfAborted();
      const length = Math.min(chunkBytes, offset + lengthBytes - at);
      const [ones, others] = await Promise.all([readPadded(one, at, length), readPadded(other, at, length)]);
      for (let within = 0; within < length; within += blockBytes) {
        const kind = compareBlocks(ones.subarray(within, within + blockBytes), others.subarray(within, within + blockBytes));
        if (kind === null) continue;
        found[kind] += blockBytes;
        const part = Math.floor((at + within) / partBytes);
        if (kind !== 'sameBytes') differing[part] = (differing[part] ?? 0) + blockBytes;
      }
      done += length;
      onProgress(done, total);
    }
  }
  return { blockBytes, spanBytes, ...found, map: differing.map((bytes) => Math.min(1, bytes / partBytes)) };
}

const zeros = Buffer.alloc(blockBytes);

/** Null when there is nothing in either. */
function compareBlocks(one: Buffer, other: Buffer): 'sameBytes' | 'changedBytes' | 'onlyOneBytes' | 'onlyOtherBytes' | null {
  const isEmpty = one.equals(zeros);
  if (one.equals(other)) return isEmpty ? null : 'sameBytes';
  if (isEmpty) return 'onlyOtherBytes';
  return other.equals(zeros) ? 'onlyOneBytes' : 'changedBytes';
}

/** What lies beyond the end of the smaller disk reads as zeros. */
async function readPadded(source: ByteSource, offset: number, length: number): Promise<Buffer> {
  const bytes = await source.read(offset, length);
  return bytes.length === length ? bytes : Buffer.concat([bytes], length);
}

/** Ranges of either, joined where they touch, and widened to whole blocks. */
export function unite(ranges: readonly DataRange[]): DataRange[] {
  const wide = ranges
    .filter(({ lengthBytes }) => lengthBytes > 0)
    .map(({ offset, lengthBytes }) => ({
      start: Math.floor(offset / blockBytes) * blockBytes,
      end: Math.ceil((offset + lengthBytes) / blockBytes) * blockBytes,
    }))
    .sort((a, b) => a.start - b.start);
  const united: { start: number; end: number }[] = [];
  for (const range of wide) {
    const before = united.at(-1);
    if (before && range.start <= before.end) before.end = Math.max(before.end, range.end);
    else united.push({ ...range });
  }
  return united.map(({ start, end }) => ({ offset: start, lengthBytes: end - start }));
}

function rangesOf({ path, format }: Comparing['one'], qemuImg: string): Promise<DataRange[]> {
  return dataRanges(qemuImg, path, format === 'qcow2' ? 'qcow2' : 'raw');
}

async function openDisk({ path, format, name }: Comparing['one']): Promise<{ disk: ByteSource; file: FileHandle }> {
  const { file, sizeBytes } = await openMedium(path);
  try {
    const source = fileSource(file, sizeBytes);
    if (format !== 'qcow2') return { disk: source, file };
    const header = parseQcow2Header(await source.read(0, qcow2HeaderBytes), sizeBytes);
    const disk = 'problem' in header ? null : qcow2Disk(source, header);
    if (!disk) throw new Failure('image/not-comparable', `The disk inside “${name}” is of a kind that cannot be read here.`);
    return { disk, file };
  } catch (thrown) {
    await file.close();
    throw thrown;
  }
}
