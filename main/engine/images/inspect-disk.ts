/** What a disk says of itself: its partitions, its labels and, where a Linux can be read, its own name. */
import type { OsIdentity } from '../../../contract/guest-spec.ts';
import { type InstalledPackage, noFacts, type SystemFacts } from '../../../contract/image.ts';
import { notRecognised, type OsRecognition, type Recognition, starterOsId } from '../os/os-recognition.ts';
import { type ByteSource, slice } from './byte-source.ts';
import { type ExtVolume, type OsRelease, openExtVolume, readOsRelease } from './ext-reader.ts';
import { type FileSystem, readFileSystem } from './file-system.ts';
import { architectureIn, readLinuxFacts } from './linux-facts.ts';
import { readPackages } from './packages/package-lists.ts';
import { type PartitionTable, readPartitionTable } from './partition-table.ts';

export type DiskReport = {
  recognition: Recognition;
  facts: SystemFacts;
  label: string | null;
  bootable: { bios: boolean; uefi: boolean };
  /** GPT disks with both ways to boot are meant for UEFI. */
  prefersUefi: boolean;
  notes: string[];
};

type Volume = { source: ByteSource; fileSystem: FileSystem };

export async function inspectDisk(disk: ByteSource, fileName: string, recognition: OsRecognition): Promise<DiskReport> {
  const table = await readPartitionTable(disk);
  const volumes = await readVolumes(disk, table);
  const esp = table?.partitions.some((partition) => partition.kind === 'esp') ?? false;
  const biosBoot = table?.partitions.some((partition) => partition.kind === 'bios-boot') ?? false;
  // The protective record of a GPT disk often has boot code that has nothing to start.
  const bios = table === null ? volumes.length > 0 : table.scheme === 'gpt' ? biosBoot || (table.bootCode && !esp) : table.bootCode;
  const notes: string[] = [];
  if (table === null && volumes.length === 0)
    notes.push('The disk has no partitions and no file system: it is empty, or of a kind that is not known.');
  else if (!bios && !esp) notes.push('Nothing on this disk looks as if a computer could start from it.');
  if (volumes.some(({ fileSystem }) => fileSystem.type === 'luks' || fileSystem.type === 'bitlocker')) {
    notes.push('A volume on this disk is encrypted: the guest will ask for its passphrase.');
  }
  const labels = volumes.map(({ fileSystem }) => fileSystem.label).filter((label) => label !== null);
  return {
    ...(await recognise(volumes, table, fileName, recognition)),
    label: labels[0] ?? null,
    bootable: { bios, uefi: esp },
    prefersUefi: esp && (table?.scheme === 'gpt' || !bios),
    notes,
  };
}

/** At most this many volumes are looked at. */
const volumesMax = 32;

async function readVolumes(disk: ByteSource, table: PartitionTable | null): Promise<Volume[]> {
  const sources = table
    ? table.partitions.slice(0, volumesMax).map(({ startBytes, sizeBytes }) => slice(disk, startBytes, sizeBytes))
    : [disk];
  const volumes: Volume[] = [];
  for (const source of sources) {
    const fileSystem = await readFileSystem(source);
    if (fileSystem) volumes.push({ source, fileSystem });
  }
  return volumes;
}

async function recognise(
  volumes: Volume[],
  table: PartitionTable | null,
  fileName: string,
  recognition: OsRecognition,
): Promise<Pick<DiskReport, 'recognition' | 'facts'>> {
  if (volumes.some(({ fileSystem }) => fileSystem.label === 'starter-home')) {
    return { recognition: { os: starterOs, by: 'By the label “starter-home” of one of its volumes.' }, facts: noFacts };
  }
  const linux = await findLinux(volumes);
  if (linux) return { recognition: await recognition.recogniseOsRelease(linux.release), facts: await readLinuxFacts(linux.volume) };
  return {
    recognition: await recogniseFromOutside(volumes, table, fileName, recognition),
    facts: { ...noFacts, architecture: architectureIn(fileName) },
  };
}

/** The first volume that has a Linux which says its name. */
async function findLinux(volumes: readonly Volume[]): Promise<{ volume: ExtVolume; release: OsRelease } | null> {
  for (const { source, fileSystem } of volumes) {
    if (fileSystem.type !== 'ext') continue;
    const volume = await openExtVolume(source);
    const release = volume && (await readOsRelease(volume));
    if (release) return { volume, release };
  }
  return null;
}

/** What is installed in the Linux on a disk; null when there is none, or none that can be read. */
export async function readDiskPackages(disk: ByteSource): Promise<InstalledPackage[] | null> {
  const linux = await findLinux(await readVolumes(disk, await readPartitionTable(disk)));
  const packages = linux && (await readPackages(linux.volume));
  return packages && packages.length > 0 ? packages : null;
}

/** Kinds of file systems that may hold a system, and that are read by nobody here. */
const unreadTypes = { xfs: 'XFS', btrfs: 'Btrfs', ntfs: 'NTFS', lvm: 'LVM' } as const;

/** Which of them a disk has; none when a Linux was found beside them, or when there is no system to look for. */
export async function unreadFileSystems(disk: ByteSource): Promise<string[]> {
  const volumes = await readVolumes(disk, await readPartitionTable(disk));
  const kinds = Object.entries(unreadTypes).filter(([type]) => volumes.some(({ fileSystem }) => fileSystem.type === type));
  return kinds.length === 0 || (await findLinux(volumes)) ? [] : kinds.map(([, name]) => name);
}

/** What the name of the file and the kinds of its volumes say, when nothing inside can be read. */
async function recogniseFromOutside(
  volumes: Volume[],
  table: PartitionTable | null,
  fileName: string,
  recognition: OsRecognition,
): Promise<Recognition> {
  const byName = await recognition.recogniseFileName(fileName);
  const family = familyOf(volumes, table);
  if (byName.by !== null && (family === null || byName.os.family === family)) return byName;
  return family === null
    ? notRecognised
    : { os: { ...notRecognised.os, name: familyNames[family], family }, by: 'By the kinds of its partitions.' };
}

const starterOs: OsIdentity = { id: starterOsId, name: 'Guesthouse starter', family: 'linux', version: '1', distro: 'debian' };
const familyNames = { linux: 'Linux', windows: 'Windows', bsd: 'BSD', macos: 'macOS' };

function familyOf(volumes: Volume[], table: PartitionTable | null): keyof typeof familyNames | null {
  const has = (...types: FileSystem['type'][]) => volumes.some(({ fileSystem }) => types.includes(fileSystem.type));
  if (has('ntfs', 'bitlocker')) return 'windows';
  if (has('ext', 'xfs', 'btrfs', 'swap', 'luks', 'lvm')) return 'linux';
  if (has('ufs')) return 'bsd';
  if (has('apfs', 'hfs+')) return 'macos';
  const kind = table?.partitions.map((partition) => partition.kind).find((one) => one === 'linux' || one === 'bsd');
  return kind === 'linux' || kind === 'bsd' ? kind : null;
}
