/** A disk of a machine: a file, or a member of an archive that is read where it lies. */
import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import { z } from 'zod';
import { Failure } from '../../../contract/errors.ts';
import { type ByteSource, fileSource, slice } from '../images/byte-source.ts';
import { type DiskWindow, foreignFormats, type QemuNode } from '../images/foreign/foreign-disk.ts';
import { type OpenForeign, openForeign, openWindow } from '../images/foreign/open-foreign.ts';
import { acceptedHeader } from '../images/inspect.ts';
import { detectFormat } from '../images/medium-format.ts';
import { type OpenMedium, openMedium } from '../images/open-medium.ts';
import { qcow2HeaderBytes } from '../images/qcow2-header.ts';
import { qcow2Disk } from '../images/qcow2-reader.ts';

const machineDiskFormat = z.enum(['qcow2', 'raw', ...foreignFormats]);

/** Where a disk is and what it is, kept with the job that copies it. */
export const machineDiskRef = z.object({
  path: z.string(),
  member: z.object({ offset: z.number(), sizeBytes: z.number() }).nullable(),
  /** For messages. */
  name: z.string(),
  format: machineDiskFormat,
});
export type MachineDiskRef = z.infer<typeof machineDiskRef>;

/** A disk of any format, open: what it is made of for QEMU, and what is in it for us. */
export type OpenMachineDisk = Omit<OpenForeign, 'format' | 'notes' | 'content'> & { content: ByteSource | null; fileSizeBytes: number };

/** @throws Failure `image/*` naming the disk. */
export async function openMachineDisk(ref: MachineDiskRef): Promise<OpenMachineDisk> {
  const medium = await openMedium(ref.path);
  try {
    const disk = await openIn(medium, ref);
    return {
      ...disk,
      async close() {
        await disk.close();
        await medium.file.close();
      },
    };
  } catch (thrown) {
    await medium.file.close();
    throw thrown;
  }
}

async function openIn(medium: OpenMedium, { member, name, format }: MachineDiskRef): Promise<OpenMachineDisk> {
  const fileSizeBytes = member?.sizeBytes ?? medium.sizeBytes;
  if (!member && format !== 'qcow2' && format !== 'raw')
    return { ...(await openForeign(medium, format, { fileName: name })), fileSizeBytes };
  const window = windowOf(medium, member);
  const identity = () => identityOf(medium);
  const close = async () => undefined;
  if (format !== 'qcow2' && format !== 'raw') {
    const disk = await openWindow(format, window, name, async (file) => {
      throw new Failure('image/outside-reference', `“${name}” cannot be used: its data are in another file, ${file}.`, { path: 'path' });
    });
    return { ...disk, identity, close, fileSizeBytes };
  }
  if (format === 'raw') {
    const virtualSizeBytes = Math.ceil(fileSizeBytes / 512) * 512;
    return {
      virtualSizeBytes,
      parts: [{ node: { driver: 'raw', file: window.node } }],
      content: window.source,
      identity,
      close,
      fileSizeBytes,
    };
  }
  const header = acceptedHeader(await window.source.read(0, qcow2HeaderBytes), { sizeBytes: fileSizeBytes }, name);
  const node: QemuNode = { driver: 'qcow2', backing: null, file: window.node };
  return {
    virtualSizeBytes: header.virtualSizeBytes,
    parts: [{ node }],
    content: qcow2Disk(window.source, header),
    identity,
    close,
    fileSizeBytes,
  };
}

function windowOf(medium: OpenMedium, member: MachineDiskRef['member']): DiskWindow {
  const source = fileSource(medium.file, medium.sizeBytes);
  const node = { driver: 'file', filename: medium.realPath, locking: 'auto' };
  if (!member) return { source, node };
  return {
    source: slice(source, member.offset, member.sizeBytes),
    node: { driver: 'raw', offset: member.offset, size: member.sizeBytes, file: node },
  };
}

async function identityOf({ file }: OpenMedium): Promise<string> {
  const found = await file.stat({ bigint: true });
  return [found.dev, found.ino, found.size, found.mtimeNs].join('|');
}

/**
 * What a file or member is, by its own bytes; a disk that is said to be raw is raw, whatever a guest wrote to its beginning.
 * @throws Failure `image/not-an-image`, also for what is packed or an ISO.
 */
export async function recogniseDisk(
  path: string,
  member: MachineDiskRef['member'],
  saidRaw: boolean,
  name = basename(path),
): Promise<MachineDiskRef> {
  if (saidRaw) return { path, member, name, format: 'raw' };
  const file = await open(path, 'r').catch((thrown: unknown) => {
    throw new Failure('image/unreadable', `${path} cannot be read.`, { detail: String(thrown), path: 'path' });
  });
  try {
    const { size } = await file.stat();
    const whole = fileSource(file, size);
    const source = member ? slice(whole, member.offset, member.sizeBytes) : whole;
    const head = await source.read(0, qcow2HeaderBytes);
    const tail = await source.read(Math.max(0, source.sizeBytes - 512), 512);
    const format = machineDiskFormat.safeParse(detectFormat({ head, tail, sizeBytes: source.sizeBytes }, name));
    if (format.success) return { path, member, name, format: format.data };
    throw new Failure('image/not-an-image', `“${name}” is an ISO or packed, and not a disk of a machine.`, {
      hint: 'Unpack it first.',
      path: 'path',
    });
  } finally {
    await file.close();
  }
}
