/**
 * Reads a medium without trusting it and says what it is.
 *
 * INVARIANT: a file that names another file is refused before any other program opens it (`tests/integration/images-inspect.test.ts`).
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { Failure } from '../../../contract/errors.ts';
import type { FirmwareKind, OsIdentity } from '../../../contract/guest-spec.ts';
import {
  type ImageFormat,
  type InstalledPackage,
  type MediumFormat,
  type MediumReport,
  noFacts,
  type Packing,
  type SystemFacts,
} from '../../../contract/image.ts';
import { type OsRecognition, starterOsId } from '../os/os-recognition.ts';
import { type ByteSource, fileSource, memorySource } from './byte-source.ts';
import { sizeByQemu } from './foreign/convert-foreign.ts';
import type { ForeignFormat } from './foreign/foreign-disk.ts';
import { type ForeignOptions, openForeign } from './foreign/open-foreign.ts';
import { inspectDisk, readDiskPackages, unreadFileSystems } from './inspect-disk.ts';
import { type IsoReport, readIso } from './iso9660.ts';
import { architectureIn } from './linux-facts.ts';
import { detectFormat } from './medium-format.ts';
import { type OpenMedium, openMedium } from './open-medium.ts';
import { packingName, peekPacked } from './packed-file.ts';
import { isQcow2, parseQcow2Header, type Qcow2Header, qcow2HeaderBytes, virtualSizeMaxBytes } from './qcow2-header.ts';
import { qcow2Disk } from './qcow2-reader.ts';
import { checkDisk, diskInfo } from './qemu-img.ts';
import { starterMetadataBeside } from './starter-metadata.ts';

export type Inspector = {
  /** @throws Failure `image/*` saying what is wrong with the file. */
  inspect(path: string): Promise<MediumReport>;
  /** Reads what was unpacked under another name. It is on its own: whatever files it names are not opened. @throws as `inspect` */
  inspectUnpacked(path: string, fileName: string): Promise<MediumReport>;
  /** What is installed in the system on a disk of the store; null when that cannot be read. @throws as `inspect` for the file itself */
  packagesOn(path: string, format: ImageFormat): Promise<InstalledPackage[] | null>;
  /** Which file systems on a disk of the store may hold a system, but cannot be read here. @throws as `packagesOn` */
  unreadOn(path: string, format: ImageFormat): Promise<string[]>;
};

/** Forms ask again at every keystroke, so reports are kept as long as the file does not change. */
const reportsKept = 64;

export function createInspector(deps: { recognition: OsRecognition; qemuImgPath: () => Promise<string> }): Inspector {
  const kept = new Map<string, Promise<MediumReport>>();
  return {
    async inspectUnpacked(path, fileName) {
      const medium = await openMedium(path);
      try {
        return await examine(medium, deps, { fileName, alone: true });
      } finally {
        await medium.file.close();
      }
    },

    packagesOn: (path, format) => onDisk(path, format, readDiskPackages),
    unreadOn: async (path, format) => (await onDisk(path, format, unreadFileSystems)) ?? [],

    async inspect(path) {
      const medium = await openMedium(path);
      try {
        const key = `${path}|${medium.identity}`;
        const known = kept.get(key) ?? examine(medium, deps);
        kept.set(key, known);
        const [oldest] = kept.keys();
        if (kept.size > reportsKept && oldest !== undefined) kept.delete(oldest);
        // What was wrong may be mended without the file changing: another program lets go of it, qemu-img is installed.
        known.catch(() => kept.delete(key));
        const report = await known;
        // A disk in several files may change in those that the key says nothing of.
        if (report.format === 'vmdk') kept.delete(key);
        return report;
      } finally {
        await medium.file.close();
      }
    },
  };
}

type Deps = { recognition: OsRecognition; qemuImgPath: () => Promise<string> };

/** What `read` finds on a disk of the store; null for a disc, and for a disk whose content cannot be read. */
async function onDisk<Found>(path: string, format: ImageFormat, read: (disk: ByteSource) => Promise<Found>): Promise<Found | null> {
  if (format === 'iso') return null;
  const medium = await openMedium(path);
  try {
    const source = fileSource(medium.file, medium.sizeBytes);
    if (format === 'raw') return await read(source);
    const disk = qcow2Disk(source, acceptedHeader(await source.read(0, qcow2HeaderBytes), medium, basename(path)));
    return disk && (await read(disk));
  } finally {
    await medium.file.close();
  }
}

async function examine(medium: OpenMedium, deps: Deps, naming: ForeignOptions = {}): Promise<MediumReport> {
  const source = fileSource(medium.file, medium.sizeBytes);
  const head = await source.read(0, qcow2HeaderBytes);
  const tail = await source.read(Math.max(0, medium.sizeBytes - 512), 512);
  const fileName = naming.fileName ?? basename(medium.realPath);
  const detected = detectFormat({ head, tail, sizeBytes: medium.sizeBytes }, fileName);
  const linkNotes = medium.realPath === medium.path ? [] : [`This is a link to ${medium.realPath}.`];
  if (detected === 'gzip' || detected === 'xz' || detected === 'zstd') return examinePacked(medium, detected, fileName, deps, linkNotes);
  const base = { path: medium.path, format: detected, packing: null, fileSizeBytes: medium.sizeBytes };
  if (detected === 'iso') return { ...base, ...(await examineIso(medium, source, fileName, deps, linkNotes)) };
  return { ...base, ...(await examineDisk(medium, source, head, detected, { ...naming, fileName }, deps, linkNotes)) };
}

/** What the first bytes of a packed file say; all of it is looked at once it is unpacked. */
async function examinePacked(
  medium: OpenMedium,
  packing: Packing,
  fileName: string,
  deps: Deps,
  linkNotes: string[],
): Promise<MediumReport> {
  const head = await peekPacked(medium, packing);
  const inner = unpackedName(fileName);
  const format = detectFormat({ head, tail: Buffer.alloc(0), sizeBytes: Math.ceil(head.length / 512) * 512 }, inner);
  if (format === 'gzip' || format === 'xz' || format === 'zstd') {
    throw new Failure('image/not-an-image', `“${fileName}” is packed twice.`, {
      hint: 'Unpack it first, then choose what was in it.',
      path: 'path',
    });
  }
  const iso = format === 'iso' ? await readIso(memorySource(head)) : null;
  const { os, by } = iso ? await deps.recognition.recogniseIso(iso, inner) : await deps.recognition.recogniseFileName(inner);
  const header = format === 'qcow2' ? acceptedHeader(head, { sizeBytes: Number.MAX_SAFE_INTEGER }, fileName) : null;
  return {
    path: medium.path,
    format,
    packing,
    fileSizeBytes: medium.sizeBytes,
    virtualSizeBytes: iso?.claimedSizeBytes ?? header?.virtualSizeBytes ?? 0,
    label: iso?.volumeId || null,
    os,
    recognisedBy: by,
    bootable: iso?.bootable ?? { bios: true, uefi: false },
    firmware: 'bios',
    facts: iso ? isoFacts(iso, inner) : { ...noFacts, architecture: architectureIn(inner) },
    notes: [...linkNotes, `It is packed with ${packingName(packing)}: all of it is looked at when it is unpacked.`],
  };
}

/** "debian.raw.xz" is "debian.raw" inside. */
export function unpackedName(fileName: string): string {
  return fileName.replace(/\.(gz|gzip|xz|zst|zstd)$/i, '') || fileName;
}

type Examined = Omit<MediumReport, 'path' | 'format' | 'packing' | 'fileSizeBytes'>;

async function examineIso(medium: OpenMedium, source: ByteSource, fileName: string, deps: Deps, linkNotes: string[]): Promise<Examined> {
  const iso = await readIso(source);
  if (!iso)
    throw new Failure('image/corrupt', `The volume descriptors of “${fileName}” are damaged.`, {
      hint: 'Download or copy it again.',
      path: 'path',
    });
  if (medium.sizeBytes < iso.claimedSizeBytes) {
    throw new Failure(
      'image/truncated',
      `“${fileName}” is cut short: it has ${formatBytes(medium.sizeBytes)} of the ${formatBytes(iso.claimedSizeBytes)} that its contents say.`,
      { hint: 'Download or copy it again.', path: 'path' },
    );
  }
  const { os, by } = await deps.recognition.recogniseIso(iso, fileName);
  const notes = [...linkNotes];
  if (!iso.bootable.bios && !iso.bootable.uefi)
    notes.push('Nothing on this disc can be started: a guest can read it, but not boot from it.');
  notes.push(...(await aboutOs(os, deps.recognition)));
  return {
    virtualSizeBytes: medium.sizeBytes,
    label: iso.volumeId || null,
    os,
    recognisedBy: by,
    bootable: iso.bootable,
    firmware: await isoFirmware(os, iso.bootable, deps.recognition),
    facts: isoFacts(iso, fileName),
    notes,
  };
}

async function examineDisk(
  medium: OpenMedium,
  source: ByteSource,
  head: Buffer,
  format: Exclude<MediumFormat, 'iso'>,
  naming: ForeignOptions & { fileName: string },
  deps: Deps,
  linkNotes: string[],
): Promise<Examined> {
  const { fileName } = naming;
  const notes = [...linkNotes];
  if (format !== 'qcow2' && format !== 'raw') return examineForeign(medium, format, naming, deps, notes);
  let disk: ByteSource | null = source;
  let virtualSizeBytes = medium.sizeBytes;
  if (format === 'qcow2') {
    const header = acceptedHeader(head, medium, fileName);
    virtualSizeBytes = header.virtualSizeBytes;
    disk = qcow2Disk(source, header);
    notes.push(...(await crossCheck(medium, header, fileName, deps)));
    if (header.snapshots > 0)
      notes.push(
        `It holds ${header.snapshots} snapshot${header.snapshots === 1 ? '' : 's'} of its own; a copy is made of its present state.`,
      );
  } else if (medium.sizeBytes > virtualSizeMaxBytes) {
    throw new Failure('image/too-large', `“${fileName}” has ${formatBytes(medium.sizeBytes)}; 64 TiB is the most that is accepted.`, {
      path: 'path',
    });
  }
  const starter = await starterMetadataBeside(medium.realPath, medium.sizeBytes);
  return describeDisk(disk, virtualSizeBytes, fileName, deps, notes, starter);
}

/** A disk of another product, read by our own readers; then QEMU is asked whether it sees the same size. */
async function examineForeign(
  medium: OpenMedium,
  format: ForeignFormat,
  naming: ForeignOptions & { fileName: string },
  deps: Deps,
  notes: string[],
): Promise<Examined> {
  const { fileName } = naming;
  const disk = await openForeign(medium, format, naming);
  const scratch = await mkdtemp(join(tmpdir(), 'guesthouse-'));
  try {
    if ((await sizeByQemu(await deps.qemuImgPath(), disk, join(scratch, 'pieces'))) !== disk.virtualSizeBytes) {
      throw new Failure('image/corrupt', `“${fileName}” cannot be used: QEMU and Guesthouse read different sizes in its header.`, {
        path: 'path',
      });
    }
    const converted = `It is converted to qcow2 when it is copied.`;
    return await describeDisk(disk.content, disk.virtualSizeBytes, fileName, deps, [...notes, ...disk.notes, converted], null);
  } finally {
    await disk.close();
    await rm(scratch, { recursive: true, force: true });
  }
}

async function describeDisk(
  disk: ByteSource | null,
  virtualSizeBytes: number,
  fileName: string,
  deps: Deps,
  notes: string[],
  starter: Awaited<ReturnType<typeof starterMetadataBeside>>,
): Promise<Examined> {
  const report = disk ? await inspectDisk(disk, fileName, deps.recognition) : null;
  const os = starter?.os ?? report?.recognition.os ?? (await deps.recognition.recogniseFileName(fileName)).os;
  const bootable = report?.bootable ?? { bios: true, uefi: false };
  return {
    virtualSizeBytes,
    label: report?.label ?? null,
    os,
    recognisedBy: starter ? 'By the description that set-up wrote beside it.' : (report?.recognition.by ?? null),
    bootable,
    facts: report?.facts ?? noFacts,
    firmware: starter?.firmware[0] ?? diskFirmware(os, bootable, report?.prefersUefi ?? false),
    notes: [...notes, ...(report?.notes ?? ['The content of this disk could not be read.']), ...(await aboutOs(os, deps.recognition))],
  };
}

/** A disc has the updates of the day on which it was made; the processor is in its label or its name, if anywhere. */
function isoFacts(iso: IsoReport, fileName: string): SystemFacts {
  return {
    ...noFacts,
    architecture: architectureIn(iso.volumeId) ?? architectureIn(fileName),
    ...(iso.madeOn === null ? {} : { patchLevel: iso.madeOn, patchLevelFrom: 'The day on which the disc was made, as it says itself.' }),
  };
}

/**
 * Looks once more at a copy of what was inspected, in case that changed in between.
 * @throws Failure as {@link Inspector.inspect} does for what a header can say.
 */
export async function recheckHeader(path: string, report: Pick<MediumReport, 'path' | 'format' | 'fileSizeBytes'>): Promise<void> {
  const medium = await openMedium(path);
  try {
    const head = await fileSource(medium.file, medium.sizeBytes).read(0, qcow2HeaderBytes);
    const fileName = basename(report.path);
    if (report.format === 'qcow2') acceptedHeader(head, medium, fileName);
    if (medium.sizeBytes === report.fileSizeBytes && isQcow2(head) === (report.format === 'qcow2')) return;
    throw new Failure('image/changed', `“${fileName}” changed while it was copied.`, {
      hint: 'Wait until it is complete, then try again.',
    });
  } finally {
    await medium.file.close();
  }
}

/** Whether a qcow2 file can be taken as it is, with nothing inside that a new guest should not have. @throws as {@link recheckHeader} */
export async function isPlainQcow2(medium: OpenMedium): Promise<boolean> {
  const head = await fileSource(medium.file, medium.sizeBytes).read(0, qcow2HeaderBytes);
  const header = acceptedHeader(head, medium, basename(medium.realPath));
  return header.snapshots === 0 && !header.dirty;
}

/**
 * @param base the only name of a backing file that is accepted; it is not followed either.
 * @throws Failure for everything in the header that must not reach another program.
 */
export function acceptedHeader(
  head: Buffer,
  medium: Pick<OpenMedium, 'sizeBytes'>,
  fileName: string,
  base: string | null = null,
): Qcow2Header {
  const header = parseQcow2Header(head, medium.sizeBytes);
  const again = { hint: 'Download or copy it again.', path: 'path' };
  if ('problem' in header) {
    const codes = {
      'not-qcow2': 'image/not-an-image',
      corrupt: 'image/corrupt',
      'too-large': 'image/too-large',
      truncated: 'image/truncated',
    } as const;
    throw new Failure(
      codes[header.kind],
      `“${fileName}” cannot be used. ${header.problem}`,
      header.kind === 'too-large' ? { path: 'path' } : again,
    );
  }
  if (header.backingFile !== null && header.backingFile !== base) {
    throw new Failure(
      'image/outside-reference',
      `“${fileName}” is only the difference to another file, ${header.backingFile}, which is not followed.`,
      {
        hint: 'If you trust both files, join them first: qemu-img convert -O qcow2 FILE WHOLE.qcow2',
        path: 'path',
      },
    );
  }
  if (header.externalData || header.dataFile !== null) {
    throw new Failure(
      'image/outside-reference',
      `“${fileName}” keeps its data in another file, ${header.dataFile ?? 'which it does not name'}, which is not followed.`,
      {
        hint: 'If you trust both files, join them first: qemu-img convert -O qcow2 FILE WHOLE.qcow2',
        path: 'path',
      },
    );
  }
  if (header.encryption !== 'none') {
    throw new Failure('image/encrypted', `“${fileName}” is an encrypted disk image, which is not supported.`, {
      hint: 'Decrypt it first with qemu-img convert.',
      path: 'path',
    });
  }
  if (header.corrupt) {
    throw new Failure('image/corrupt', `“${fileName}” is marked as damaged by the program that last wrote to it.`, {
      hint: 'Keep a copy, then try: qemu-img check -r all FILE',
      path: 'path',
    });
  }
  return header;
}

/** What QEMU's own tool says of a file that our reading found harmless. */
async function crossCheck(medium: OpenMedium, header: Qcow2Header, fileName: string, deps: Deps): Promise<string[]> {
  const qemuImg = await deps.qemuImgPath();
  const info = await diskInfo(qemuImg, medium.realPath, 'qcow2');
  if (info.virtualSizeBytes !== header.virtualSizeBytes) {
    throw new Failure('image/corrupt', `“${fileName}” cannot be used: QEMU and Guesthouse read different sizes in its header.`, {
      path: 'path',
    });
  }
  const check = await checkDisk(qemuImg, medium.realPath);
  if (check.state === 'corrupt') {
    throw new Failure('image/corrupt', `“${fileName}” is damaged: the tables that say where its data are do not fit together.`, {
      hint: 'Copy it again from where it came, or keep a copy and try: qemu-img check -r all FILE',
      ...(check.detail ? { detail: check.detail } : {}),
      path: 'path',
    });
  }
  if (check.state === 'leaks') return ['Some of its space is lost to an earlier crash; a copy gets it back.'];
  if (check.state === 'not-checked') return ['It was not checked for damage: that would have taken too long.'];
  return [];
}

async function aboutOs(os: OsIdentity, recognition: OsRecognition): Promise<string[]> {
  if (os.family === 'macos') return ['macOS may only be run on Apple’s computers, and is not supported as a guest.'];
  const known = await recognition.knowledgeOf(os);
  const ended = known?.endOfLife;
  return known?.id === os.id && ended && Date.parse(ended) < Date.now() ? [`${os.name} gets no more security updates since ${ended}.`] : [];
}

/** The firmware that an installer disc wants: what it can boot, and of two ways the one its operating system is made for. */
async function isoFirmware(os: OsIdentity, bootable: MediumReport['bootable'], recognition: OsRecognition): Promise<FirmwareKind> {
  if (bootable.uefi && isWindows11(os)) return 'uefi-secure';
  if (bootable.uefi && !bootable.bios) return 'uefi';
  if (!bootable.uefi) return 'bios';
  const known = await recognition.knowledgeOf(os);
  if (known?.firmware.uefi === true) return 'uefi';
  return os.family === 'linux' && os.id !== null && os.id !== starterOsId && (known === null || (known.releaseDate ?? '9999') >= '2018')
    ? 'uefi'
    : 'bios';
}

function diskFirmware(os: OsIdentity, bootable: MediumReport['bootable'], prefersUefi: boolean): FirmwareKind {
  if (bootable.uefi && isWindows11(os)) return 'uefi-secure';
  return prefersUefi || (bootable.uefi && !bootable.bios) ? 'uefi' : 'bios';
}

/** Windows 11, and the server release made from it: they refuse to be installed without Secure Boot and a TPM. */
export function isWindows11(os: OsIdentity): boolean {
  return os.family === 'windows' && (os.id === 'win11' || os.id === 'win2k25');
}

function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} bytes`;
  const units = ['KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = -1;
  do {
    value /= 1024;
    unit++;
  } while (value >= 1024 && unit < units.length - 1);
  return `${value.toFixed(1)} ${units[unit]}`;
}
