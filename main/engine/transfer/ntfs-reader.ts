/**
 * Reads of an NTFS volume what decides whether a copy of it can be started and written to: whether it was closed, whether Windows sleeps on
 * it, and which drivers it has. Bounded and read-only; what is damaged reads as absent.
 */
import type { ByteSource } from '../images/byte-source.ts';

export type NtfsVolume = {
  /** The volume was in use when it was last written, or Windows wants to check it. */
  dirty(): Promise<boolean | null>;
  /** Names in a folder, by their path in lower case; null when it is not there or cannot be read. */
  list(...path: string[]): Promise<ReadonlySet<string> | null>;
  /** The first bytes of a file in the root folder; null when there is none. */
  head(name: string, length: number): Promise<Buffer | null>;
};

type Attribute = { type: number; name: string; resident: Buffer | null; runs: Run[]; sizeBytes: number };
type Run = { cluster: number | null; clusters: number };
type Entry = { name: string; record: number };

const attributeType = { volumeInformation: 0x70, data: 0x80, indexRoot: 0x90, indexAllocation: 0xa0 };
const record = { volume: 3, root: 5 };
/** More than the largest folder of Windows needs. */
const indexMaxBytes = 32 * 1024 * 1024;
const runsMax = 10_000;

/** Null when the source is no NTFS volume that can be read. */
export async function openNtfs(source: ByteSource): Promise<NtfsVolume | null> {
  const boot = await source.read(0, 512);
  if (boot.length < 512 || boot.toString('latin1', 3, 11) !== 'NTFS    ') return null;
  const sectorBytes = boot.readUInt16LE(11);
  const perCluster = boot.readUInt8(13);
  // Since Windows 10 large clusters are written as a negative power of two.
  const clusterBytes = sectorBytes * (perCluster > 128 ? 2 ** (256 - perCluster) : perCluster);
  const recordCode = boot.readInt8(64);
  const recordBytes = recordCode < 0 ? 2 ** -recordCode : recordCode * clusterBytes;
  const sane =
    [512, 1024, 2048, 4096].includes(sectorBytes) &&
    clusterBytes >= 512 &&
    clusterBytes <= 2 ** 21 &&
    recordBytes >= 512 &&
    recordBytes <= 65_536;
  if (!sane) return null;
  const tableOffset = Number(boot.readBigUInt64LE(48)) * clusterBytes;

  const rawRecord = async (offset: number): Promise<Buffer | null> => {
    const bytes = await source.read(offset, recordBytes);
    return bytes.length === recordBytes && bytes.toString('latin1', 0, 4) === 'FILE' ? repaired(bytes, sectorBytes) : null;
  };
  const first = await rawRecord(tableOffset);
  const tableRuns = first ? (attributesOf(first).find(({ type }) => type === attributeType.data)?.runs ?? []) : [];
  if (tableRuns.length === 0) return null;

  const readRuns = async (runs: readonly Run[], offset: number, length: number): Promise<Buffer> => {
    const result = Buffer.alloc(length);
    let start = 0;
    for (const { cluster, clusters } of runs) {
      const end = start + clusters * clusterBytes;
      const from = Math.max(offset, start);
      const to = Math.min(offset + length, end);
      // Each read of a source is bounded, so long runs are read in pieces.
      for (let at = from; at < to && cluster !== null; at += 1024 * 1024) {
        (await source.read(cluster * clusterBytes + at - start, Math.min(1024 * 1024, to - at))).copy(result, at - offset);
      }
      start = end;
    }
    return result;
  };
  const attributes = async (number: number): Promise<Attribute[]> => {
    const bytes = await readRuns(tableRuns, number * recordBytes, recordBytes);
    const whole = bytes.toString('latin1', 0, 4) === 'FILE' ? repaired(bytes, sectorBytes) : null;
    return whole ? attributesOf(whole) : [];
  };
  const entriesOf = async (folder: number): Promise<Entry[] | null> => {
    const found = (await attributes(folder)).filter(({ name }) => name === '$I30');
    const root = found.find(({ type }) => type === attributeType.indexRoot)?.resident;
    if (!root || root.length < 32) return null;
    const entries = indexEntries(root.subarray(16));
    const blockBytes = root.readUInt32LE(8);
    const allocation = found.find(({ type }) => type === attributeType.indexAllocation);
    if (!allocation || blockBytes < 512 || blockBytes > 65_536) return entries;
    const total = Math.min(allocation.sizeBytes, indexMaxBytes);
    for (let at = 0; at + blockBytes <= total; at += blockBytes) {
      const block = await readRuns(allocation.runs, at, blockBytes);
      const whole = block.toString('latin1', 0, 4) === 'INDX' ? repaired(block, sectorBytes) : null;
      if (whole) entries.push(...indexEntries(whole.subarray(24)));
    }
    return entries;
  };
  const folderAt = async (path: readonly string[]): Promise<Entry[] | null> => {
    let entries = await entriesOf(record.root);
    for (const name of path) {
      const next = entries?.find((entry) => entry.name === name);
      entries = next ? await entriesOf(next.record) : null;
    }
    return entries;
  };

  return {
    async dirty() {
      const information = (await attributes(record.volume)).find(({ type }) => type === attributeType.volumeInformation)?.resident;
      return information && information.length >= 12 ? (information.readUInt16LE(10) & 1) === 1 : null;
    },
    async list(...path) {
      const entries = await folderAt(path);
      return entries && new Set(entries.map((entry) => entry.name));
    },
    async head(name, length) {
      const entry = (await folderAt([]))?.find((one) => one.name === name);
      const data = entry && (await attributes(entry.record)).find((one) => one.type === attributeType.data && one.name === '');
      if (!data) return null;
      return data.resident ? data.resident.subarray(0, length) : readRuns(data.runs, 0, Math.min(length, data.sizeBytes));
    },
  };
}

/** Puts back the last two bytes of each sector, which hold a mark against torn writes. Null when the marks do not fit. */
function repaired(bytes: Buffer, sectorBytes: number): Buffer | null {
  const whole = Buffer.from(bytes);
  const at = whole.readUInt16LE(4);
  const count = whole.readUInt16LE(6);
  if (count < 1 || at + count * 2 > whole.length || (count - 1) * sectorBytes > whole.length) return null;
  const mark = whole.readUInt16LE(at);
  for (let index = 1; index < count; index++) {
    const end = index * sectorBytes - 2;
    if (whole.readUInt16LE(end) !== mark) return null;
    whole.writeUInt16LE(whole.readUInt16LE(at + index * 2), end);
  }
  return whole;
}

function attributesOf(whole: Buffer): Attribute[] {
  const found: Attribute[] = [];
  for (let at = whole.readUInt16LE(20); at + 24 <= whole.length; ) {
    const type = whole.readUInt32LE(at);
    const length = whole.readUInt32LE(at + 4);
    if (type === 0xffff_ffff || length < 24 || at + length > whole.length) break;
    const part = whole.subarray(at, at + length);
    const nameLength = part.readUInt8(9);
    const nameAt = part.readUInt16LE(10);
    const name = nameAt + nameLength * 2 <= part.length ? part.toString('utf16le', nameAt, nameAt + nameLength * 2) : '';
    if (part.readUInt8(8) === 0) {
      const from = part.readUInt16LE(20);
      const resident = part.subarray(from, Math.min(part.length, from + part.readUInt32LE(16)));
      found.push({ type, name, resident, runs: [], sizeBytes: resident.length });
    } else if (part.length >= 64) {
      const sizeBytes = Number(part.readBigUInt64LE(48));
      found.push({ type, name, resident: null, runs: runsOf(part.subarray(part.readUInt16LE(32))), sizeBytes });
    }
    at += length;
  }
  return found;
}

/** Runs of clusters: a byte with the widths of length and distance, then both; without a distance they are a hole. */
function runsOf(bytes: Buffer): Run[] {
  const runs: Run[] = [];
  let cluster = 0;
  for (let at = 0; at < bytes.length && runs.length < runsMax; ) {
    const widths = bytes[at] ?? 0;
    const lengthBytes = widths & 15;
    const distanceBytes = widths >> 4;
    if (widths === 0 || lengthBytes === 0 || lengthBytes > 6 || distanceBytes > 6 || at + 1 + lengthBytes + distanceBytes > bytes.length)
      break;
    const clusters = bytes.readUIntLE(at + 1, lengthBytes);
    if (distanceBytes > 0) cluster += bytes.readIntLE(at + 1 + lengthBytes, distanceBytes);
    if (cluster < 0) break;
    runs.push({ cluster: distanceBytes === 0 ? null : cluster, clusters });
    at += 1 + lengthBytes + distanceBytes;
  }
  return runs;
}

/** The entries behind an index header: file names with the number of their record. */
function indexEntries(header: Buffer): Entry[] {
  const entries: Entry[] = [];
  if (header.length < 16) return entries;
  const end = Math.min(header.length, header.readUInt32LE(4));
  for (let at = header.readUInt32LE(0); at + 16 <= end; ) {
    const length = header.readUInt16LE(at + 8);
    const isLast = (header.readUInt16LE(at + 12) & 2) !== 0;
    if (isLast || length < 16 || at + length > end) break;
    const nameLength = at + 81 <= end ? header.readUInt8(at + 80) : 0;
    const nameEnd = at + 82 + nameLength * 2;
    if (nameLength > 0 && nameEnd <= end) {
      entries.push({ name: header.toString('utf16le', at + 82, nameEnd).toLowerCase(), record: header.readUIntLE(at, 6) });
    }
    at += length;
  }
  return entries;
}
