/**
 * Which packages are installed on a disk, by what its package manager keeps of them. Nothing is run, and no more is believed than fits into a
 * list: what is no name is left out.
 */
import type { InstalledPackage } from '../../../../contract/image.ts';
import type { ExtVolume } from '../ext-reader.ts';

/** A desktop with everything has some five thousand. */
export const packagesMax = 50_000;
/** dpkg keeps about a kilobyte on each of them. */
const databaseMaxBytes = 32 * 1024 * 1024;

/** Null when none of the package managers that can be read here has anything. */
export async function readPackages(volume: ExtVolume): Promise<InstalledPackage[] | null> {
  const dpkg = await volume.readStart('var/lib/dpkg/status', databaseMaxBytes);
  if (dpkg) return parseDpkgStatus(dpkg.toString('utf8'));
  for (const path of ['lib/apk/db/installed', 'usr/lib/apk/db/installed']) {
    const apk = await volume.readStart(path, databaseMaxBytes);
    if (apk) return parseApkInstalled(apk.toString('utf8'));
  }
  const pacman = await volume.list('var/lib/pacman/local');
  return pacman && parsePacmanFolders(pacman);
}

/** deb822 paragraphs. What was removed and left its settings behind is not installed. */
export function parseDpkgStatus(text: string): InstalledPackage[] {
  return listOf(
    text.split(/\n\n+/).flatMap((paragraph) => {
      if (!/^Status: \S+ \S+ installed$/m.test(paragraph)) return [];
      return [{ name: fieldOf(paragraph, 'Package: '), version: fieldOf(paragraph, 'Version: ') }];
    }),
  );
}

/** Paragraphs of apk: a letter, a colon, a value. */
export function parseApkInstalled(text: string): InstalledPackage[] {
  return listOf(text.split(/\n\n+/).map((paragraph) => ({ name: fieldOf(paragraph, 'P:'), version: fieldOf(paragraph, 'V:') })));
}

/** pacman keeps a folder for each: name, version and release, with dashes between, and dashes in the name. */
export function parsePacmanFolders(names: readonly string[]): InstalledPackage[] {
  return listOf(
    names.flatMap((name) => {
      const parts = /^(.+)-([^-]+-[^-]+)$/.exec(name);
      return parts ? [{ name: parts[1] ?? '', version: parts[2] ?? '' }] : [];
    }),
  );
}

/** By name, each once (several architectures of one are one), bounded. */
export function listOf(found: readonly InstalledPackage[]): InstalledPackage[] {
  const known = new Map<string, InstalledPackage>();
  for (const { name, version } of found) {
    // Any printable text: programs of Windows have spaces in their names.
    if (!/^[\p{L}\p{N}][^\p{C}]{0,199}$/u.test(name) || !/^[^\p{C}]{0,100}$/u.test(version)) continue;
    known.set(`${name}\n${version}`, { name, version });
    if (known.size === packagesMax) break;
  }
  const before = (one: InstalledPackage, other: InstalledPackage) =>
    one.name < other.name || (one.name === other.name && one.version < other.version) ? -1 : 1;
  return [...known.values()].sort(before);
}

function fieldOf(paragraph: string, beginning: string): string {
  const start = paragraph.startsWith(beginning) ? 0 : paragraph.indexOf(`\n${beginning}`) + 1;
  if (start === 0 && !paragraph.startsWith(beginning)) return '';
  const end = paragraph.indexOf('\n', start);
  return paragraph.slice(start + beginning.length, end < 0 ? undefined : end).trim();
}
