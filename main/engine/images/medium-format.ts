/**
 * Says what kind of file this is by its first and last bytes. QEMU's own guessing is never used: a guest could write a qcow2 header into its raw
 * disk and so make QEMU open a file of the host (CVE-2008-2004).
 */
import { Failure } from '../../../contract/errors.ts';
import type { MediumFormat, Packing } from '../../../contract/image.ts';
import type { ForeignFormat } from './foreign/foreign-disk.ts';

/** The bytes that decide: the first 64 KiB and the last 512. */
export type FileEnds = { head: Buffer; tail: Buffer; sizeBytes: number };

/** Disks of other products that are converted on import. */
const converted: { format: ForeignFormat; matches: (ends: FileEnds) => boolean }[] = [
  { format: 'vmdk', matches: ({ head }) => starts(head, 'KDMV') || starts(head, 'COWD') || starts(head, '# Disk DescriptorFile') },
  { format: 'vdi', matches: ({ head }) => head.length >= 68 && head.readUInt32LE(64) === 0xbeda107f },
  { format: 'vhdx', matches: ({ head }) => starts(head, 'vhdxfile') },
  { format: 'vhd', matches: ({ head, tail }) => starts(head, 'conectix') || starts(tail, 'conectix') },
];

/** Formats that are not taken, with the words for them. */
const foreign: { name: string; matches: (ends: FileEnds) => boolean }[] = [
  { name: 'a QED disk', matches: ({ head }) => starts(head, 'QED\0') },
  { name: 'a Parallels disk', matches: ({ head }) => starts(head, 'WithoutFreeSpace') || starts(head, 'WithouFreSpacExt') },
  { name: 'an Apple disk image (DMG)', matches: ({ tail }) => starts(tail, 'koly') },
];

const packed: { packing: Packing; magic: string }[] = [
  { packing: 'gzip', magic: '\x1f\x8b' },
  { packing: 'xz', magic: '\xfd7zXZ\0' },
  { packing: 'zstd', magic: '\x28\xb5\x2f\xfd' },
];

const archives: { name: string; magic: string }[] = [
  { name: 'bzip2', magic: 'BZh' },
  { name: 'ZIP', magic: 'PK\x03\x04' },
  { name: '7-Zip', magic: '7z\xbc\xaf\x27\x1c' },
];

const isoDescriptorOffset = 16 * 2048;
const convertHint = (name: string) => `Convert it first: qemu-img convert -O qcow2 '${name}' '${name.replace(/\.[^.]*$/, '')}.qcow2'`;

/**
 * @throws Failure `image/not-an-image` for what is recognised and not supported, and for what is not recognised; `image/truncated` for an ISO
 * that ends before its first descriptor; `image/encrypted` for a bare LUKS volume.
 */
export function detectFormat(ends: FileEnds, fileName: string): MediumFormat | Packing {
  const { head, sizeBytes } = ends;
  const refuse = (message: string, hint: string) => new Failure('image/not-an-image', message, { hint, path: 'path' });
  const quoted = `“${fileName}”`;
  if (sizeBytes === 0) throw refuse(`${quoted} is empty.`, 'Download or copy it again.');
  if (starts(head, 'QFI\xfb')) return 'qcow2';
  if (head.toString('latin1', isoDescriptorOffset + 1, isoDescriptorOffset + 6) === 'CD001') return 'iso';

  const known = converted.find((one) => one.matches(ends));
  if (known) return known.format;
  const other = foreign.find((one) => one.matches(ends));
  if (other) throw refuse(`${quoted} is ${other.name}, which cannot be used yet.`, convertHint(fileName));
  const pack = packed.find((one) => starts(head, one.magic));
  if (pack) return pack.packing;
  if (head.toString('latin1', 257, 262) === 'ustar') {
    if (/\.(ova|capsule)$/i.test(fileName))
      throw refuse(
        `${quoted} holds a whole machine.`,
        /\.ova$/i.test(fileName)
          ? 'Import the machine, which makes a guest of it, or import it into the library, where its disks become images.'
          : 'Import the machine, which makes a guest of it.',
      );
    throw refuse(`${quoted} is an archive (tar), not a disk image.`, 'Unpack it first, then choose what was in it.');
  }
  const archive = archives.find((one) => starts(head, one.magic));
  if (archive) throw refuse(`${quoted} is packed with ${archive.name}.`, 'Unpack it first, then choose what was in it.');
  if (starts(head, 'LUKS\xba\xbe')) {
    throw new Failure('image/encrypted', `${quoted} is an encrypted volume, which is not supported.`, { path: 'path' });
  }

  const isText = looksLikeText(head);
  if (/\.iso$/i.test(fileName)) {
    if (!isText && sizeBytes < isoDescriptorOffset + 2048) {
      throw new Failure('image/truncated', `${quoted} is cut short: it has only ${sizeBytes} bytes and ends before its first descriptor.`, {
        hint: 'Download or copy it again.',
        path: 'path',
      });
    }
    throw refuse(
      `${quoted} is not an ISO${isText ? ': it is a text file' : ''}.`,
      'Choose an ISO or a disk image; perhaps a download saved an error page.',
    );
  }
  if (isText) throw refuse(`${quoted} is a text file, not a disk image.`, 'Choose an ISO or a disk image.');
  if (looksLikeDisk(head) || (sizeBytes % 512 === 0 && /\.(img|raw|dd|bin|ima)$/i.test(fileName))) return 'raw';
  throw refuse(
    `${quoted} is neither a disk image nor an ISO.`,
    'Choose an ISO or a disk image. A raw disk needs the ending .img or .raw when it has no partitions.',
  );
}

/** Whether a raw disk can be told by its content: a boot record, a GUID partition table or a file system. */
function looksLikeDisk(head: Buffer): boolean {
  if (head.length < 4096) return false;
  if (head.readUInt16LE(510) === 0xaa55) return true;
  return head.toString('latin1', 512, 520) === 'EFI PART' || head.readUInt16LE(1024 + 0x38) === 0xef53 || starts(head, 'XFSB');
}

function looksLikeText(head: Buffer): boolean {
  const sample = head.subarray(0, 4096);
  if (sample.length === 0 || sample.includes(0)) return false;
  const odd = sample.filter((byte) => byte < 9 || (byte > 13 && byte < 32)).length;
  return odd / sample.length < 0.02;
}

function starts(buffer: Buffer, magic: string): boolean {
  return buffer.length >= magic.length && buffer.toString('latin1', 0, magic.length) === magic;
}
