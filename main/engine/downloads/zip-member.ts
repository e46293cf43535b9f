/** Takes one file out of a ZIP archive: APPNOTE.TXT of PKWARE, sections 4.3.7, 4.3.12 and 4.3.16. The archive is not trusted. */
import { createReadStream, createWriteStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { crc32, createInflateRaw } from 'node:zlib';
import { Failure } from '../../../contract/errors.ts';
import { toWriteFailure } from '../files/durable.ts';
import { demandSpace } from '../images/copy-medium.ts';

const endOfDirectory = 0x06054b50;
const directoryEntry = 0x02014b50;
const localHeader = 0x04034b50;
/** The end record, and the longest comment behind it. */
const tailBytes = 22 + 0xffff;
const directoryAtMostBytes = 16 * 1024 * 1024;

type Member = { name: string; method: number; crc: number; packedBytes: number; sizeBytes: number; headerOffset: number };

export type UnpackOptions = {
  archive: string;
  /** Which member: one name must match. */
  member: RegExp;
  target: string;
  keepFreeBytes: number;
  signal: AbortSignal;
  onProgress(bytesDone: number, bytesTotal: number): void;
};

/** Writes the member to `target`, whole, and forces it to the disk. @throws Failure `download/archive-bad`, `store/full`, `store/not-writable` */
export async function unpackMember({ archive, member, target, keepFreeBytes, signal, onProgress }: UnpackOptions): Promise<void> {
  const file = await open(archive, 'r');
  try {
    const matching = (await listMembers(file)).filter((one) => member.test(one.name));
    const [wanted] = matching;
    if (!wanted || matching.length > 1) throw bad(matching.length === 0 ? 'it holds no such image' : 'it holds several such images');
    if (wanted.packedBytes === 0) throw bad('the image in it is empty');
    if (wanted.method !== 0 && wanted.method !== 8) throw bad('the image is packed in a way that is not understood');
    await demandSpace(target, wanted.sizeBytes, keepFreeBytes);
    const start = await dataOffset(file, wanted.headerOffset);
    await writeMember(archive, wanted, start, target, signal, onProgress);
  } finally {
    await file.close();
  }
}

async function writeMember(
  archive: string,
  { method, packedBytes, sizeBytes, crc }: Member,
  start: number,
  target: string,
  signal: AbortSignal,
  onProgress: UnpackOptions['onProgress'],
): Promise<void> {
  let done = 0;
  let sum = 0;
  // What an archive says of its size is what was made room for, and not a byte more is written.
  const counted = new Transform({
    transform(piece: Buffer, _encoding, pass) {
      done += piece.length;
      if (done > sizeBytes) return pass(bad('it unpacks to more than it says'));
      sum = crc32(piece, sum);
      onProgress(done, sizeBytes);
      pass(null, piece);
    },
  });
  try {
    const packed = createReadStream(archive, { start, end: start + packedBytes - 1 });
    const written = createWriteStream(target, { mode: 0o600, flush: true });
    if (method === 0) await pipeline(packed, counted, written, { signal });
    else await pipeline(packed, createInflateRaw(), counted, written, { signal });
  } catch (thrown) {
    if (signal.aborted) throw signal.reason;
    if (thrown instanceof Failure) throw thrown;
    if (thrown instanceof Error && 'code' in thrown && String(thrown.code).startsWith('Z_')) throw bad('it is damaged');
    throw toWriteFailure(thrown, target);
  }
  if (done !== sizeBytes || sum !== crc) throw bad('it is damaged');
}

async function listMembers(file: FileHandle): Promise<Member[]> {
  const { size } = await file.stat();
  const tail = await readAt(file, Math.max(0, size - tailBytes), Math.min(size, tailBytes));
  let end = tail.length - 22;
  while (end >= 0 && tail.readUInt32LE(end) !== endOfDirectory) end -= 1;
  if (end < 0) throw bad('it is no ZIP archive');
  const count = tail.readUInt16LE(end + 10);
  const bytes = tail.readUInt32LE(end + 12);
  const offset = tail.readUInt32LE(end + 16);
  if (bytes > directoryAtMostBytes || offset + bytes > size) throw bad('its directory cannot be read');
  const directory = await readAt(file, offset, bytes);
  const members: Member[] = [];
  let at = 0;
  for (let index = 0; index < count; index += 1) {
    if (at + 46 > directory.length || directory.readUInt32LE(at) !== directoryEntry) throw bad('its directory cannot be read');
    const nameBytes = directory.readUInt16LE(at + 28);
    const flags = directory.readUInt16LE(at + 8);
    const encrypted = (flags & 1) !== 0;
    members.push({
      name: directory.toString('utf8', at + 46, at + 46 + nameBytes),
      method: encrypted ? -1 : directory.readUInt16LE(at + 10),
      crc: directory.readUInt32LE(at + 16),
      packedBytes: directory.readUInt32LE(at + 20),
      sizeBytes: directory.readUInt32LE(at + 24),
      headerOffset: directory.readUInt32LE(at + 42),
    });
    at += 46 + nameBytes + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
  }
  return members;
}

async function dataOffset(file: FileHandle, headerOffset: number): Promise<number> {
  const header = await readAt(file, headerOffset, 30);
  if (header.length < 30 || header.readUInt32LE(0) !== localHeader) throw bad('it is damaged');
  return headerOffset + 30 + header.readUInt16LE(26) + header.readUInt16LE(28);
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await file.read(buffer, 0, length, position);
  return buffer.subarray(0, bytesRead);
}

function bad(why: string): Failure {
  return new Failure('download/archive-bad', `The archive that was downloaded cannot be used: ${why}.`, {
    hint: 'Download it again; if it stays so, get the image from its makers’ page and import it.',
  });
}
