/**
 * What a Linux says of itself on its disk: the processor it is made for, its kernels, its packages, and up to when it has its updates. Nothing
 * is run and nothing is believed further than it is shown.
 */
import { type ImageArchitecture, noFacts, type SystemFacts } from '../../../contract/image.ts';
import { versionKey } from '../../../contract/version-order.ts';
import type { ExtVolume } from './ext-reader.ts';

type Manager = NonNullable<SystemFacts['packages']>['manager'];

/**
 * Where each package manager keeps what is installed. The file or folder is written whenever a package comes, goes or is updated, so its time
 * is the day of the last update. Also asked of running guests (`catalogue/guest-facts.ts`).
 */
export const packageDatabases: readonly { manager: Manager; path: string }[] = [
  { manager: 'dpkg', path: 'var/lib/dpkg/status' },
  { manager: 'apk', path: 'lib/apk/db/installed' },
  { manager: 'apk', path: 'usr/lib/apk/db/installed' },
  { manager: 'rpm', path: 'usr/lib/sysimage/rpm/rpmdb.sqlite' },
  { manager: 'rpm', path: 'usr/lib/sysimage/rpm/Packages.db' },
  { manager: 'rpm', path: 'var/lib/rpm/rpmdb.sqlite' },
  { manager: 'rpm', path: 'var/lib/rpm/Packages.db' },
  { manager: 'rpm', path: 'var/lib/rpm/Packages' },
  { manager: 'pacman', path: 'var/lib/pacman/local' },
];

export async function readLinuxFacts(volume: ExtVolume): Promise<SystemFacts> {
  const found = await findPackages(volume);
  return {
    architecture: await readArchitecture(volume),
    kernels: sortKernels(await readKernels(volume)),
    ...(found ? patchedAt(found.path, found.modifiedAt) : { patchLevel: null, patchLevelFrom: null }),
    packages: found ? { manager: found.manager, count: await countPackages(volume, found.manager) } : null,
  };
}

/** The patch level that the time of a package database stands for. A clock that was never set says nothing. */
export function patchedAt(path: string, modifiedAtSeconds: number): Pick<SystemFacts, 'patchLevel' | 'patchLevelFrom'> {
  const earliest = Date.UTC(2000, 0, 1) / 1000;
  if (modifiedAtSeconds < earliest || modifiedAtSeconds > Date.UTC(2100, 0, 1) / 1000) return noFacts;
  const day = new Date(modifiedAtSeconds * 1000).toISOString().slice(0, 10);
  return { patchLevel: day, patchLevelFrom: `The day on which packages were last changed, by the time of /${path}.` };
}

/** Newest first, each once, bounded: names from a disk are shown and searched. */
export function sortKernels(releases: readonly string[]): string[] {
  const plausible = releases.filter((release) => /^\d[\w.+~-]{0,100}$/.test(release));
  const key = (release: string) => versionKey(release) ?? '';
  return [...new Set(plausible)].sort((one, other) => (key(one) < key(other) ? 1 : key(one) > key(other) ? -1 : 0)).slice(0, 16);
}

async function findPackages(volume: ExtVolume): Promise<{ manager: Manager; path: string; modifiedAt: number } | null> {
  for (const { manager, path } of packageDatabases) {
    const modifiedAt = await volume.modifiedAt(path);
    if (modifiedAt !== null) return { manager, path, modifiedAt };
  }
  return null;
}

async function countPackages(volume: ExtVolume, manager: Manager): Promise<number | null> {
  if (manager === 'dpkg') return (await volume.list('var/lib/dpkg/info'))?.filter((name) => name.endsWith('.list')).length ?? null;
  if (manager === 'pacman') return (await volume.list('var/lib/pacman/local'))?.filter((name) => name !== 'ALPM_DB_VERSION').length ?? null;
  if (manager === 'rpm') return null;
  const installed =
    (await volume.readStart('lib/apk/db/installed', 4 * 1024 * 1024)) ??
    (await volume.readStart('usr/lib/apk/db/installed', 4 * 1024 * 1024));
  return installed?.toString('latin1').match(/^P:/gm)?.length ?? null;
}

async function readKernels(volume: ExtVolume): Promise<string[]> {
  const modules = (await volume.list('lib/modules')) ?? (await volume.list('usr/lib/modules')) ?? [];
  if (modules.length > 0) return modules;
  return ((await volume.list('boot')) ?? []).filter((name) => name.startsWith('vmlinuz-')).map((name) => name.slice('vmlinuz-'.length));
}

/** Programs that one of is on every Linux. */
const programs = ['usr/bin/env', 'bin/sh', 'bin/busybox', 'usr/lib/systemd/systemd'];

/** Machines of ELF (https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html). */
const elfMachines: Record<number, ImageArchitecture> = {
  3: 'i686',
  21: 'ppc64le',
  22: 's390x',
  40: 'arm',
  62: 'x86_64',
  183: 'aarch64',
  243: 'riscv64',
};

async function readArchitecture(volume: ExtVolume): Promise<ImageArchitecture | null> {
  for (const path of programs) {
    const header = await volume.readStart(path, 64);
    if (!header || header.length < 20 || header.toString('latin1', 0, 4) !== '\x7fELF') continue;
    const isBigEndian = header[5] === 2;
    return elfMachines[isBigEndian ? header.readUInt16BE(18) : header.readUInt16LE(18)] ?? null;
  }
  return null;
}

const architectureWords: readonly [RegExp, ImageArchitecture][] = [
  [/(?<![a-z0-9])(x86[_-]64|amd64|x64)(?![a-z0-9])/i, 'x86_64'],
  [/(?<![a-z0-9])(aarch64|arm64)(?![a-z0-9])/i, 'aarch64'],
  [/(?<![a-z0-9])(i[3-6]86|x86)(?![a-z0-9])/i, 'i686'],
  [/(?<![a-z0-9])(armhf|armel|armv7l?|armv6l?)(?![a-z0-9])/i, 'arm'],
  [/(?<![a-z0-9])riscv64(?![a-z0-9])/i, 'riscv64'],
  [/(?<![a-z0-9])(ppc64le|ppc64el)(?![a-z0-9])/i, 'ppc64le'],
  [/(?<![a-z0-9])s390x(?![a-z0-9])/i, 's390x'],
];

/** The processor that a label, a file name or `uname -m` names. */
export function architectureIn(text: string): ImageArchitecture | null {
  return architectureWords.find(([pattern]) => pattern.test(text))?.[1] ?? null;
}
