/** Which entries of the list are shown, and under which heading. Pure. */
import type { DownloadEntry } from '../../../contract/download.ts';

export type DownloadFilter = 'all' | 'discs' | 'disks';
type Family = 'linux' | 'bsd' | 'windows' | 'other';

const families: readonly Family[] = ['linux', 'bsd', 'windows', 'other'];

/** Every word must begin somewhere in what is said of the entry. */
function isWanted(entry: DownloadEntry, text: string, filter: DownloadFilter): boolean {
  if (filter === 'disks' && entry.kind !== 'disk') return false;
  if (filter === 'discs' && entry.kind === 'disk') return false;
  const said = [entry.name, entry.summary, entry.os.name, entry.os.distro, entry.version, entry.id].join(' ').toLocaleLowerCase();
  return text
    .toLocaleLowerCase()
    .split(/\s+/)
    .every((word) => said.includes(word));
}

function familyOf({ os }: DownloadEntry): Family {
  // A system that runs programs for Windows is not Windows.
  if (os.distro === 'reactos') return 'other';
  return families.find((family) => family === os.family) ?? 'other';
}

/** The entries by family, in the order of the list; families without any are left out. */
export function groupDownloads(
  entries: readonly DownloadEntry[],
  text: string,
  filter: DownloadFilter,
): { family: Family; entries: DownloadEntry[] }[] {
  const wanted = entries.filter((entry) => isWanted(entry, text.trim(), filter));
  return families
    .map((family) => ({ family, entries: wanted.filter((entry) => familyOf(entry) === family) }))
    .filter((group) => group.entries.length > 0);
}
