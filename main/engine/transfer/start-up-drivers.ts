/**
 * Whether a Linux finds its disk on virtio when it starts. Until its root is mounted a Linux has the drivers within its kernel and those in its
 * initial file system, and some distributions put only those in there that the old machine needed. Never throws: what cannot be read is not
 * known.
 */
import zlib from 'node:zlib';
import { versionKey } from '../../../contract/version-order.ts';
import type { ExtVolume } from '../images/ext-reader.ts';

export type StartUpDrivers = {
  kernel: string;
  /** The initial file system, or the kernel itself, has them. */
  ready: boolean;
  /** They are on the disk at least, so that another initial file system can be made with them. */
  onDisk: boolean;
};

const initialMaxBytes = 192 * 1024 * 1024;
const unpackedMaxBytes = 1024 * 1024 * 1024;
const listMaxBytes = 8 * 1024 * 1024;

/**
 * @param volumes every volume of the machine that can be read: /boot may be one of its own
 * @returns null when there is no kernel, or nothing of it that can be read
 */
export async function readStartUpDrivers(volumes: readonly ExtVolume[]): Promise<StartUpDrivers | null> {
  for (const volume of volumes) {
    const folder = (await volume.list('usr/lib/modules')) ? 'usr/lib/modules' : 'lib/modules';
    const kernel = newest((await volume.list(folder)) ?? []);
    if (kernel === null) continue;
    const list = async (name: string) => (await volume.readStart(`${folder}/${kernel}/${name}`, listMaxBytes))?.toString('latin1') ?? '';
    const builtIn = await list('modules.builtin');
    const onDisk = hasDrivers(builtIn + (await list('modules.dep')));
    if (hasDrivers(builtIn)) return { kernel, ready: true, onDisk };
    for (const each of volumes) {
      const packed = await readInitial(each, kernel);
      const ready = packed && (await holdsDrivers(packed));
      if (ready !== null) return { kernel, ready, onDisk };
    }
  }
  return null;
}

function newest(releases: readonly string[]): string | null {
  const key = (release: string) => versionKey(release) ?? '';
  const plausible = releases.filter((release) => /^\d[\w.+~-]{0,100}$/.test(release));
  return plausible.reduce<string | null>((best, one) => (best === null || key(one) > key(best) ? one : best), null);
}

async function readInitial(volume: ExtVolume, kernel: string): Promise<Buffer | null> {
  for (const folder of ['boot/', '']) {
    for (const name of [`initrd.img-${kernel}`, `initramfs-${kernel}.img`, `initrd-${kernel}`]) {
      const found = await volume.readStart(`${folder}${name}`, initialMaxBytes);
      if (found && found.length > 0) return found;
    }
  }
  return null;
}

/** A bus and a disk upon it, in a list of modules. */
function hasDrivers(list: string): boolean {
  return /\/virtio_pci\.ko/.test(list) && /\/virtio_(blk|scsi)\.ko/.test(list);
}
/** Names of files in a cpio archive, each behind its header: lists of modules that are not there stand in archives as well. */
const named = {
  bus: /07070[12][0-9A-Fa-f]{104}[\w./+~-]{0,200}\/virtio_pci\.ko/,
  disk: /07070[12][0-9A-Fa-f]{104}[\w./+~-]{0,200}\/virtio_(blk|scsi)\.ko/,
};
const nameMaxLength = 512;

/** Null when it is packed in a way that Node does not know. */
export async function holdsDrivers(initial: Buffer): Promise<boolean | null> {
  // In front may be archives that are not packed, with updates of the processor's own program.
  let at = skipZeros(initial, 0);
  for (;;) {
    const end = endOfArchive(initial, at);
    if (end === null) break;
    const text = initial.toString('latin1', at, end);
    if (named.bus.test(text) && named.disk.test(text)) return true;
    at = skipZeros(initial, end);
  }
  if (at >= initial.length) return false;
  const unpack = unpackerOf(initial.subarray(at, at + 4));
  return unpack && searchUnpacked(initial.subarray(at), unpack);
}

function skipZeros(bytes: Buffer, start: number): number {
  let at = start;
  while (at < bytes.length && bytes[at] === 0) at += 1;
  return at;
}

function unpackerOf(head: Buffer): (() => zlib.Gunzip | zlib.ZstdDecompress) | null {
  if (head[0] === 0x1f && head[1] === 0x8b) return () => zlib.createGunzip({ chunkSize: 1024 * 1024 });
  // The oldest Node that the engine runs on has no Zstandard.
  if (head.length === 4 && head.readUInt32LE(0) === 0xfd2fb528 && typeof zlib.createZstdDecompress === 'function')
    return () => zlib.createZstdDecompress({ chunkSize: 1024 * 1024 });
  return null;
}

/** Ends as soon as they are found, or after more than any initial file system has. */
function searchUnpacked(packed: Buffer, unpack: () => zlib.Gunzip | zlib.ZstdDecompress): Promise<boolean | null> {
  return new Promise((settle) => {
    const stream = unpack();
    const seen = { bus: false, disk: false };
    let before = '';
    let total = 0;
    const end = (answer: boolean | null) => {
      stream.destroy();
      settle(answer);
    };
    stream.on('data', (chunk: Buffer) => {
      const text = before + chunk.toString('latin1');
      before = text.slice(-nameMaxLength);
      total += chunk.length;
      seen.bus ||= named.bus.test(text);
      seen.disk ||= named.disk.test(text);
      if (seen.bus && seen.disk) end(true);
      else if (total > unpackedMaxBytes) end(null);
    });
    stream.on('end', () => end(false));
    stream.on('error', () => end(null));
    stream.end(packed);
  });
}

/** Where a cpio archive ("newc", which is not packed) that begins at `start` ends; null when none does, or it is cut off. */
function endOfArchive(bytes: Buffer, start: number): number | null {
  const align = (at: number) => start + Math.ceil((at - start) / 4) * 4;
  for (let at = start; at + 110 <= bytes.length; ) {
    const header = bytes.toString('latin1', at, at + 110);
    if (!/^07070[12][0-9A-Fa-f]{104}$/.test(header)) return null;
    const field = (index: number) => Number.parseInt(header.slice(6 + index * 8, 14 + index * 8), 16);
    const nameBytes = field(11);
    const name = bytes.toString('latin1', at + 110, at + 110 + nameBytes - 1);
    const next = align(align(at + 110 + nameBytes) + field(6));
    if (name === 'TRAILER!!!') return Math.min(next, bytes.length);
    if (next <= at) return null;
    at = next;
  }
  return null;
}
