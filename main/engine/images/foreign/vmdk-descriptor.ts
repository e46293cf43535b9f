/**
 * The text that describes a VMware disk: its kind, its parent, and the extents that one after the other are the disk. It can name any file of
 * the host (CVE-2015-5163 was that), so it is read here and never given to QEMU.
 */
import { type Refusal, refusal } from './foreign-disk.ts';

export type VmdkExtent =
  | { type: 'sparse'; sectors: number; file: string }
  | { type: 'flat'; sectors: number; file: string; offsetSectors: number }
  | { type: 'zero'; sectors: number };

export type VmdkDescriptor = { createType: string; extents: VmdkExtent[] };

/** More text than any descriptor has: one of 2 TB in pieces of 2 GB has 1,000 lines. */
export const descriptorMaxBytes = 256 * 1024;
const extentsMax = 4096;

/** INVARIANT: never throws, and names no file outside the descriptor's folder (`main/engine/images/foreign/vmdk-descriptor.test.ts`). */
export function parseVmdkDescriptor(text: string): VmdkDescriptor | Refusal {
  if (!/^\s*#\s*Disk DescriptorFile/i.test(text)) return refusal('not-an-image', 'it is no description of a VMware disk.');
  const field = (name: string) => new RegExp(`^\\s*${name}\\s*=\\s*"?([^"\\r\\n]*)"?\\s*$`, 'im').exec(text)?.[1]?.trim() ?? null;
  const parent = field('parentFileNameHint');
  const parentId = field('parentCID');
  if (parent !== null || (parentId !== null && !/^f{8}$/i.test(parentId))) {
    return refusal(
      'outside-reference',
      `it is only the difference to another disk${parent === null ? '' : `, ${shown(parent)}`}, as a snapshot makes it, and that one is not followed.`,
    );
  }
  if (field('encoding')?.toLowerCase().includes('encrypt') || /^\s*encryption\.|ddb\.(encryption|iofilters)/im.test(text)) {
    return refusal('encrypted', 'it is encrypted.');
  }
  const extents: VmdkExtent[] = [];
  for (const line of text.split(/\r?\n/)) {
    if (!/^\s*(RW|RDONLY|NOACCESS)\s/.test(line)) continue;
    if (extents.length >= extentsMax) return refusal('corrupt', `it has more than ${extentsMax} pieces.`);
    const extent = parseExtent(line.trim());
    if ('refused' in extent) return extent;
    extents.push(extent);
  }
  if (extents.length === 0) return refusal('corrupt', 'it names no pieces of which the disk is made.');
  return { createType: field('createType') ?? 'unknown', extents };
}

/** `RW 4192256 SPARSE "disk-s001.vmdk"`, `RW 100 FLAT "disk-flat.vmdk" 0`, `RW 63 ZERO` */
function parseExtent(line: string): VmdkExtent | Refusal {
  const parts = /^(RW|RDONLY|NOACCESS)\s+(\d{1,15})\s+([A-Z0-9]+)(?:\s+"([^"]*)"(?:\s+(\d{1,15}))?)?/.exec(line);
  if (!parts) return refusal('corrupt', 'one of the lines that name its pieces cannot be understood.');
  const [, access, sectorsText, type, file, offsetText] = parts;
  const sectors = Number(sectorsText);
  if (access === 'NOACCESS') return refusal('corrupt', 'a piece of it is marked as not to be read.');
  if (sectors < 1) return refusal('corrupt', 'a piece of it has no size.');
  if (type === 'ZERO') return { type: 'zero', sectors };
  if (type !== 'SPARSE' && type !== 'FLAT' && type !== 'VMFS') {
    return refusal('not-an-image', `a piece of it is of the kind ${type}, which only the server that made it can read.`);
  }
  const problem = nameProblem(file);
  if (problem) return problem;
  const name = file ?? '';
  return type === 'SPARSE'
    ? { type: 'sparse', sectors, file: name }
    : { type: 'flat', sectors, file: name, offsetSectors: Number(offsetText ?? 0) };
}

/** Only a bare name, of a file in the same folder, is followed. */
function nameProblem(name: string | undefined): Refusal | null {
  if (!name) return refusal('corrupt', 'a piece of it has no file.');
  const bare = !/[/\\\0]/.test(name) && name !== '.' && name !== '..' && Buffer.byteLength(name) <= 255;
  return bare ? null : refusal('outside-reference', `it names ${shown(name)}, a file outside its own folder, which is not followed.`);
}

/** What a stranger wrote, short and without control characters. */
function shown(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is being removed
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, '').slice(0, 200);
}
