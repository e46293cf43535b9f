/**
 * Reads the header of a qcow2 file (docs/interop/qcow2.txt in QEMU's tree) without believing it. What is refused here is refused before any
 * other program opens the file: a header can make QEMU open a file of the host, or fill its memory.
 */

export type Qcow2Header = {
  version: 2 | 3;
  clusterBits: number;
  virtualSizeBytes: number;
  /** What the file says it lies on; never followed. */
  backingFile: string | null;
  /** Name of an external data file, as the header extension gives it. */
  dataFile: string | null;
  /** The guest's data are in another file, whether named or not. */
  externalData: boolean;
  encryption: 'none' | 'aes' | 'luks' | 'unknown';
  corrupt: boolean;
  dirty: boolean;
  compression: 'zlib' | 'zstd';
  /** Sub-clusters change the shape of the second-level tables. */
  extendedL2: boolean;
  l1Entries: number;
  l1Offset: number;
  refcountTableOffset: number;
  refcountTableClusters: number;
  snapshots: number;
  snapshotsOffset: number;
};

/** `problem` says in plain words why the file is not taken; `kind` chooses the error code. */
export type Qcow2Refusal = { kind: 'not-qcow2' | 'corrupt' | 'too-large' | 'truncated'; problem: string };

/** As much of the file as the header can fill: it ends within the first cluster, and no name in it is longer than 1023 bytes. */
export const qcow2HeaderBytes = 64 * 1024;

/** More than any disk that a person means to have: 64 TiB. */
export const virtualSizeMaxBytes = 64 * 1024 ** 4;

const magic = 0x514649fb;
const incompatible = { dirty: 0, corrupt: 1, externalData: 2, compression: 3, extendedL2: 4 };
const backingNameMaxBytes = 1023;

export function isQcow2(head: Buffer): boolean {
  return head.length >= 8 && head.readUInt32BE(0) === magic;
}

/**
 * Parses the first {@link qcow2HeaderBytes} of a file of `fileSizeBytes`.
 *
 * INVARIANT: never throws, whatever the bytes (`qcow2-header.test.ts`).
 */
export function parseQcow2Header(head: Buffer, fileSizeBytes: number): Qcow2Header | Qcow2Refusal {
  if (!isQcow2(head)) return { kind: 'not-qcow2', problem: 'It does not begin as a qcow2 file does.' };
  if (head.length < 72) return { kind: 'truncated', problem: 'It ends inside its header.' };
  const version = head.readUInt32BE(4);
  if (version !== 2 && version !== 3)
    return { kind: 'corrupt', problem: `It is qcow version ${version}; versions 2 and 3 are understood.` };
  if (version === 3 && head.length < 104) return { kind: 'truncated', problem: 'It ends inside its header.' };

  const clusterBits = head.readUInt32BE(20);
  if (clusterBits < 9 || clusterBits > 21) return corrupt(`its cluster size is 2^${clusterBits} bytes`);
  const clusterBytes = 2 ** clusterBits;
  const virtualSize = head.readBigUInt64BE(24);
  if (virtualSize > BigInt(virtualSizeMaxBytes)) {
    return { kind: 'too-large', problem: `Its disk is said to have ${formatHuge(virtualSize)}; 64 TiB is the most that is accepted.` };
  }
  const header: Qcow2Header = {
    version,
    clusterBits,
    virtualSizeBytes: Number(virtualSize),
    backingFile: null,
    dataFile: null,
    externalData: false,
    encryption: encryptionOf(head.readUInt32BE(32)),
    corrupt: false,
    dirty: false,
    compression: 'zlib',
    extendedL2: false,
    l1Entries: head.readUInt32BE(36),
    l1Offset: safeNumber(head.readBigUInt64BE(40)),
    refcountTableOffset: safeNumber(head.readBigUInt64BE(48)),
    refcountTableClusters: head.readUInt32BE(56),
    snapshots: head.readUInt32BE(60),
    snapshotsOffset: safeNumber(head.readBigUInt64BE(64)),
  };
  let headerBytes = 72;
  if (version === 3) {
    const features = head.readBigUInt64BE(72);
    const has = (bit: number) => (features & (1n << BigInt(bit))) !== 0n;
    if (features >> 5n !== 0n) return { kind: 'corrupt', problem: 'It needs features that this program does not know.' };
    header.dirty = has(incompatible.dirty);
    header.corrupt = has(incompatible.corrupt);
    header.externalData = has(incompatible.externalData);
    header.extendedL2 = has(incompatible.extendedL2);
    const refcountOrder = head.readUInt32BE(96);
    if (refcountOrder > 6) return corrupt(`its reference counts have 2^${refcountOrder} bits`);
    headerBytes = head.readUInt32BE(100);
    if (headerBytes < 104 || headerBytes % 8 !== 0 || headerBytes > clusterBytes)
      return corrupt(`its header is said to have ${headerBytes} bytes`);
    if (has(incompatible.compression)) {
      const type = headerBytes > 104 && head.length > 104 ? head[104] : undefined;
      if (type !== 1) return corrupt('its compression is of an unknown kind');
      header.compression = 'zstd';
    }
  }
  return (
    readExtensions(head, headerBytes, clusterBytes, header) ??
    readBackingName(head, clusterBytes, header) ??
    checkTables(header, clusterBytes, fileSizeBytes) ??
    header
  );
}

const corrupt = (what: string): Qcow2Refusal => ({ kind: 'corrupt', problem: `Its header is damaged: ${what}.` });

function encryptionOf(method: number): Qcow2Header['encryption'] {
  return method === 0 ? 'none' : method === 1 ? 'aes' : method === 2 ? 'luks' : 'unknown';
}

/** Header extensions: type and length of 4 bytes each, data padded to 8. Ends with type 0. */
function readExtensions(head: Buffer, headerBytes: number, clusterBytes: number, header: Qcow2Header): Qcow2Refusal | null {
  const end = Math.min(head.length, clusterBytes);
  for (let at = headerBytes; at + 8 <= end; ) {
    const type = head.readUInt32BE(at);
    const length = head.readUInt32BE(at + 4);
    if (type === 0) return null;
    if (length > end - at - 8) return corrupt('one of its extensions is longer than the header');
    // "DATA": the name of the external data file.
    if (type === 0x44415441) header.dataFile = printable(head.subarray(at + 8, at + 8 + Math.min(length, backingNameMaxBytes)));
    at += 8 + Math.ceil(length / 8) * 8;
  }
  return null;
}

function readBackingName(head: Buffer, clusterBytes: number, header: Qcow2Header): Qcow2Refusal | null {
  const offset = head.readBigUInt64BE(8);
  const length = head.readUInt32BE(16);
  if (offset === 0n) return null;
  if (length > backingNameMaxBytes) return corrupt(`the name of its backing file is said to have ${length} bytes`);
  const end = offset + BigInt(length);
  if (end > BigInt(clusterBytes) || end > BigInt(head.length)) return corrupt('the name of its backing file lies outside the header');
  header.backingFile = printable(head.subarray(Number(offset), Number(end))) || '(a file without a name)';
  return null;
}

/** "\xe2\x79\x2a\xca": the format of the backing file. */
const backingFormatExtension = 0xe2792aca;

/**
 * The first bytes of a qcow2 file that builds upon another, with another name and format of that: what is written instead of them when the file
 * leaves the store. Null when the name does not fit where the old one stands, which it does when it is not longer.
 */
export function editBase(head: Buffer, name: string, format: 'qcow2' | 'raw'): Buffer | null {
  const at = Number(head.readBigUInt64BE(8));
  const length = head.readUInt32BE(16);
  const bytes = Buffer.from(name);
  if (at === 0 || bytes.length > length) return null;
  const edited = Buffer.from(head);
  edited.fill(0, at, at + length);
  bytes.copy(edited, at);
  edited.writeUInt32BE(bytes.length, 16);
  const headerBytes = head.readUInt32BE(4) === 3 ? head.readUInt32BE(100) : 72;
  for (let next = headerBytes; next + 8 <= edited.length; ) {
    const type = edited.readUInt32BE(next);
    const extensionBytes = Math.ceil(edited.readUInt32BE(next + 4) / 8) * 8;
    if (type === 0) break;
    if (type === backingFormatExtension && extensionBytes >= format.length) {
      edited.fill(0, next + 8, next + 8 + extensionBytes);
      edited.write(format, next + 8, 'latin1');
      edited.writeUInt32BE(format.length, next + 4);
    }
    next += 8 + extensionBytes;
  }
  return edited;
}

/** Tables must be where the file has bytes, and no larger than the disk needs. */
function checkTables(header: Qcow2Header, clusterBytes: number, fileSizeBytes: number): Qcow2Refusal | null {
  const { l1Entries, l1Offset, refcountTableOffset, refcountTableClusters, snapshots, snapshotsOffset } = header;
  const entryBytes = header.extendedL2 ? 16 : 8;
  const needed = Math.ceil(header.virtualSizeBytes / (clusterBytes * (clusterBytes / entryBytes)));
  // A table keeps its size when a disk shrinks, so it may be larger than needed, but not without bound.
  if (l1Entries < needed) return corrupt(`its first table has ${l1Entries} entries and needs ${needed}`);
  if (l1Entries * 8 > 32 * 1024 ** 2) return corrupt(`its first table has ${l1Entries} entries`);
  if (l1Entries > 0 && (l1Offset % clusterBytes !== 0 || l1Offset === 0)) return corrupt('its first table is at an impossible place');
  if (refcountTableOffset % clusterBytes !== 0 || refcountTableOffset === 0)
    return corrupt('its table of reference counts is at an impossible place');
  if (refcountTableClusters * clusterBytes > 8 * 1024 ** 2 || refcountTableClusters === 0)
    return corrupt(`its table of reference counts has ${refcountTableClusters} clusters`);
  if (snapshots > 65_536) return corrupt(`it is said to have ${snapshots} snapshots`);
  if (snapshots > 0 && (snapshotsOffset % clusterBytes !== 0 || snapshotsOffset === 0))
    return corrupt('its table of snapshots is at an impossible place');
  const ends = [l1Offset + l1Entries * 8, refcountTableOffset + refcountTableClusters * clusterBytes, snapshots > 0 ? snapshotsOffset : 0];
  const end = Math.max(...ends);
  if (end > fileSizeBytes) {
    return { kind: 'truncated', problem: `Its tables reach to byte ${end}, but the file has ${fileSizeBytes} bytes.` };
  }
  return null;
}

/** A name from outside, fit to be shown: control characters stand as "?". */
function printable(bytes: Buffer): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is being replaced
  return bytes.toString('utf8').replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e]/g, '?');
}

function safeNumber(value: bigint): number {
  return value > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(value);
}

function formatHuge(bytes: bigint): string {
  return `${(bytes / (1n << 40n)).toLocaleString('en-US')} TiB`;
}
