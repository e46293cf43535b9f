/**
 * Disks in the formats of other products (VMDK, VDI, VHD, VHDX). Each is read by a parser of our own before QEMU opens it, and QEMU is then
 * told every file and format by name: it never reads a descriptor that could lead it elsewhere.
 */
import { Failure, type GuesthouseError } from '../../../../contract/errors.ts';
import type { ByteSource } from '../byte-source.ts';
import { virtualSizeMaxBytes } from '../qcow2-header.ts';

export const foreignFormats = ['vmdk', 'vdi', 'vhd', 'vhdx'] as const;
export type ForeignFormat = (typeof foreignFormats)[number];

/** A block node as QEMU's `json:` pseudo-protocol takes it. */
export type QemuNode = { driver: string; [option: string]: unknown };

/**
 * One piece of a disk. QEMU reads a piece of a split VMDK only through a description, so such a piece gets one of ours, which names it alone
 * (`convert-foreign.ts`).
 */
export type DiskPart = { node: QemuNode } | { splitPiece: { filename: string; sectors: number } };

/** Bytes as we read them and as QEMU is told of them: a file, or a member of an archive. */
export type DiskWindow = { source: ByteSource; node: QemuNode };

/** Opens another file of the same disk by its bare name. @throws Failure when there is none or it must not be followed. */
export type OpenSibling = (name: string) => Promise<DiskWindow>;

export type ForeignDisk = {
  format: ForeignFormat;
  virtualSizeBytes: number;
  /** One after the other they are the disk. */
  parts: DiskPart[];
  /** The disk as bytes, for looking into it. */
  content: ByteSource;
  /** Things worth knowing: split into several files, flat. */
  notes: string[];
};

/** Why a file is not taken, before it is known what it is called. */
export type Refusal = {
  refused: 'corrupt' | 'truncated' | 'too-large' | 'outside-reference' | 'encrypted' | 'not-an-image';
  problem: string;
};

export const refusal = (refused: Refusal['refused'], problem: string): Refusal => ({ refused, problem });

export function refuse(fileName: string, { refused, problem }: Refusal): Failure {
  const hints: Partial<Record<Refusal['refused'], string>> = {
    corrupt: 'Copy it again from where it came.',
    truncated: 'Copy it again from where it came.',
    'outside-reference': 'Export it whole from the program that made it, without snapshots, then choose that.',
    encrypted: 'Decrypt it in the program that made it.',
  };
  const more: Pick<GuesthouseError, 'hint' | 'path'> = { path: 'path', ...(hints[refused] ? { hint: hints[refused] } : {}) };
  return new Failure(`image/${refused}`, `“${fileName}” cannot be used: ${problem}`, more);
}

/** A size in bytes that a header states, or why it cannot be meant. */
export function acceptedSize(sizeBytes: bigint): number | Refusal {
  if (sizeBytes <= 0n) return refusal('corrupt', 'it says that its disk has no size.');
  if (sizeBytes > BigInt(virtualSizeMaxBytes))
    return refusal('too-large', 'its disk is said to be larger than 64 TiB, the most that is accepted.');
  if (sizeBytes % 512n !== 0n) return refusal('corrupt', 'the size of its disk is no number of whole sectors.');
  return Number(sizeBytes);
}

/**
 * A disk in blocks of which each lies somewhere in a file or nowhere. `locate` gives a block's bytes, shorter ones at the end of a file that
 * was cut, or null for one that reads as zeros.
 */
export function blockContent(sizeBytes: number, blockBytes: number, readBlock: (index: number) => Promise<ReadWithin | null>): ByteSource {
  return {
    sizeBytes,
    async read(offset, length) {
      const wanted = Math.max(0, Math.min(length, 4 * 1024 * 1024, sizeBytes - offset));
      const result = Buffer.alloc(wanted);
      for (let done = 0; done < wanted; ) {
        const position = offset + done;
        const within = position % blockBytes;
        const part = Math.min(blockBytes - within, wanted - done);
        const block = await readBlock(Math.floor(position / blockBytes));
        if (block) (await block(within, part)).copy(result, done);
        done += part;
      }
      return result;
    },
  };
}

/** Reads a part of one block. */
export type ReadWithin = (offset: number, length: number) => Promise<Buffer>;

/** Sources one after the other. */
export function joined(sources: readonly ByteSource[]): ByteSource {
  const sizeBytes = sources.reduce((sum, source) => sum + source.sizeBytes, 0);
  return {
    sizeBytes,
    async read(offset, length) {
      const wanted = Math.max(0, Math.min(length, 4 * 1024 * 1024, sizeBytes - offset));
      const result = Buffer.alloc(wanted);
      let start = 0;
      for (const source of sources) {
        const from = Math.max(offset, start);
        const to = Math.min(offset + wanted, start + source.sizeBytes);
        if (from < to) (await source.read(from - start, to - from)).copy(result, from - offset);
        start += source.sizeBytes;
      }
      return result;
    },
  };
}
