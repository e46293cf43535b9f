/**
 * Lists the members of a tar archive (POSIX ustar, as OVA files are) without unpacking it: they are then read where they lie. Nothing is
 * written, so no member can land anywhere; names that could are refused all the same, since they are shown and compared.
 */
import { Failure } from '../../../contract/errors.ts';
import type { ByteSource } from '../images/byte-source.ts';

export type TarMember = { name: string; offset: number; sizeBytes: number };

const blockBytes = 512;
/** An OVA has a description, a manifest, a certificate and a few disks. */
const ovaMembersMax = 1000;

/** @throws Failure `machine/archive-refused`, or `image/truncated` for one that ends inside a member. */
export async function readTarMembers(archive: ByteSource, fileName: string, membersMax = ovaMembersMax): Promise<TarMember[]> {
  const members: TarMember[] = [];
  const names = new Set<string>();
  for (let at = 0; at + blockBytes <= archive.sizeBytes; ) {
    const header = await archive.read(at, blockBytes);
    if (header.every((byte) => byte === 0)) return members;
    const refuse = (what: string) => refused(fileName, what);
    if (!checksumFits(header)) throw refuse('it is damaged.');
    const sizeBytes = numberField(header, 124, 12);
    if (sizeBytes === null) throw refuse('a member of it has no size.');
    const offset = at + blockBytes;
    if (offset + sizeBytes > archive.sizeBytes) {
      throw new Failure('image/truncated', `“${fileName}” is cut short.`, { hint: 'Download or copy it again.', path: 'path' });
    }
    at = offset + Math.ceil(sizeBytes / blockBytes) * blockBytes;
    const type = String.fromCharCode(header[156] ?? 0);
    // Notes about the next member that change neither its name nor its size, such as its time.
    if (type === 'x' || type === 'g') {
      const notes = (await archive.read(offset, Math.min(sizeBytes, 64 * 1024))).toString('utf8');
      if (sizeBytes > 64 * 1024 || /^\d+ (path|linkpath|size|GNU\.)/m.test(notes)) throw refuse('it uses extensions that an OVA does not.');
      continue;
    }
    const name = memberName(header);
    if (type !== '0' && type !== '\0') throw refuse(`${shown(name)} in it is a link, a folder or a device, and an OVA holds only files.`);
    if (!isPlainName(name)) throw refuse(`a file in it is called ${shown(name)}, which leads out of the archive.`);
    if (names.has(name)) throw refuse(`it holds ${shown(name)} twice.`);
    if (members.length >= membersMax) throw refuse(`it holds more than ${membersMax} files.`);
    names.add(name);
    members.push({ name, offset, sizeBytes });
  }
  return members;
}

function memberName(header: Buffer): string {
  const field = (from: number, length: number) => header.toString('utf8', from, from + length).split('\0')[0] ?? '';
  const isUstar = header.toString('latin1', 257, 262) === 'ustar' && header[262] === 0;
  const prefix = isUstar ? field(345, 155) : '';
  const name = prefix ? `${prefix}/${field(0, 100)}` : field(0, 100);
  return name.replace(/^\.\//, '');
}

/** A bare name: an OVA has no folders. */
function isPlainName(name: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  return name !== '' && name !== '.' && name !== '..' && !/[/\\\u0000-\u001f]/.test(name);
}

/** Octal digits, or since GNU tar a binary number for more than 8 GiB. */
function numberField(header: Buffer, offset: number, length: number): number | null {
  const first = header[offset] ?? 0;
  if ((first & 0x80) !== 0) {
    if (first !== 0x80) return null;
    const value = header.subarray(offset + 1, offset + length).reduce((sum, byte) => sum * 256 + byte, 0);
    return Number.isSafeInteger(value) ? value : null;
  }
  const digits = header
    .toString('latin1', offset, offset + length)
    .replaceAll('\0', ' ')
    .trim();
  return /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : null;
}

function checksumFits(header: Buffer): boolean {
  const said = numberField(header, 148, 8);
  const sum = header.reduce((total, byte, index) => total + (index >= 148 && index < 156 ? 32 : byte), 0);
  return said === sum;
}

function shown(name: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is being removed
  return `“${name.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, '').slice(0, 200)}”`;
}

function refused(fileName: string, what: string): Failure {
  return new Failure('machine/archive-refused', `“${fileName}” is not taken: ${what}`, {
    hint: 'Export the machine again from the program that it comes from.',
    path: 'path',
  });
}
