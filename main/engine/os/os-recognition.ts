/** Says which operating system a medium holds, and what the database knows of it. */
import { join } from 'node:path';
import { type OsIdentity, unknownOs } from '../../../contract/guest-spec.ts';
import type { Layout } from '../files/layout.ts';
import { recogniseByFileName, recogniseByVolumeId } from './os-fallback.ts';
import { identityOf } from './os-identity.ts';
import { type KnownOs, loadOsinfo, type OsinfoIndex } from './osinfo-index.ts';
import type { OsinfoMedium } from './osinfo-parse.ts';

/** What an ISO 9660 volume says of itself. */
export type IsoTraits = {
  volumeId: string;
  systemId: string;
  publisherId: string;
  applicationId: string;
  volumeSizeBytes: number;
};

export const starterOsId = 'guesthouse-starter';

/** `by` says in plain words how, and is null when it was not recognised. */
export type Recognition = { os: OsIdentity; by: string | null };
export const notRecognised: Recognition = { os: unknownOs, by: null };

export type OsRecognition = {
  recogniseIso(traits: IsoTraits, fileName: string): Promise<Recognition>;
  /** What the name of a file suggests. */
  recogniseFileName(fileName: string): Promise<Recognition>;
  /** By what an operating system calls itself in /etc/os-release. */
  recogniseOsRelease(fields: { id: string; versionId: string; prettyName: string; idLike: string }): Promise<Recognition>;
  /** Every operating system that the database knows, newest first; none without a database. */
  systems(): Promise<OsIdentity[]>;
  /** What is known of `os`, or of the newest release of the same family of releases; null when nothing is. */
  knowledgeOf(os: OsIdentity): Promise<KnownOs | null>;
};

export function createOsRecognition(deps: { layout: Pick<Layout, 'cache'>; environment?: NodeJS.ProcessEnv }): OsRecognition {
  const cacheFile = join(deps.layout.cache, 'osinfo.json');
  let loading: Promise<OsinfoIndex | null> | null = null;
  const index = () => {
    loading ??= loadOsinfo(cacheFile, deps.environment ?? process.env).catch(() => null);
    return loading;
  };
  const byId = async (id: string | null): Promise<KnownOs | null> => {
    if (id === null) return null;
    return (await index())?.entries.find((entry) => entry.id === id) ?? null;
  };
  /** The database's own name and version for what a rule recognised. */
  const refine = async (os: OsIdentity): Promise<OsIdentity> => {
    const known = await byId(os.id);
    return known ? identityOf(known) : os;
  };

  return {
    async recogniseIso(traits, fileName) {
      const known = await index();
      const match = known ? matchIso(known.entries, traits, fileName) : null;
      const byVolume = recogniseByVolumeId(traits.volumeId);
      // "fedora-unknown" is what the database calls releases that are newer than itself: a rule that reads the version knows better.
      if (match && !(match.id.endsWith('-unknown') && byVolume?.version)) {
        return { os: identityOf(match), by: `By the disc’s label “${traits.volumeId}”, which libosinfo’s database knows.` };
      }
      if (byVolume) return { os: await refine(byVolume), by: `By the disc’s label “${traits.volumeId}”.` };
      return this.recogniseFileName(fileName);
    },

    async recogniseFileName(fileName) {
      const guess = recogniseByFileName(fileName);
      return guess ? { os: await refine(guess), by: `Guessed from the file’s name “${fileName}”.` } : notRecognised;
    },

    async recogniseOsRelease({ id, versionId, prettyName, idLike }) {
      const known = await index();
      const major = versionId.split('.')[0] ?? '';
      const match = known?.entries.find(
        (entry) => (entry.distro === id || entry.id.startsWith(id)) && (entry.version === versionId || entry.version === major),
      );
      const by = `By /etc/os-release on the disk: “${prettyName}”.`;
      if (match) return { os: identityOf(match), by };
      const distro = id || idLike.split(/\s+/)[0] || null;
      return { os: { id: id ? `${id}${versionId}` : null, name: prettyName, family: 'linux', version: versionId || null, distro }, by };
    },

    async systems() {
      const known = [...((await index())?.entries ?? [])];
      return known.sort((one, other) => ((one.releaseDate ?? '') < (other.releaseDate ?? '') ? 1 : -1)).map(identityOf);
    },

    async knowledgeOf(os) {
      const known = await index();
      // The starter is made from Debian, but needs far less.
      if (!known || os.id === starterOsId) return null;
      const exact = await byId(os.id);
      if (exact) return exact;
      const relatives = known.entries.filter(
        (entry) => os.distro !== null && entry.distro === os.distro && (os.family !== 'windows' || entry.version === os.version),
      );
      return newest(relatives);
    },
  };
}

/** Finds the release that fits best. Like libosinfo, every pattern that is given must be found somewhere in its field. */
export function matchIso(entries: readonly KnownOs[], traits: IsoTraits, fileName: string): KnownOs | null {
  const named = recogniseByFileName(fileName);
  let best: { entry: KnownOs; score: number[] } | null = null;
  for (const entry of entries) {
    for (const medium of entry.media) {
      if (!mediumMatches(medium, traits)) continue;
      const score = [
        // A label that several releases share is decided by the file's name, then by who says most about it.
        named !== null && (named.id === entry.id || (named.distro === entry.distro && named.version === entry.version)) ? 1 : 0,
        medium.volumeSizeBytes === null ? 0 : 1,
        [medium.volumeId, medium.applicationId, medium.publisherId, medium.systemId].filter((one) => one !== null).length,
        medium.architecture === 'x86_64' ? 1 : 0,
        Date.parse(entry.releaseDate ?? '') || 0,
        medium.volumeId?.length ?? 0,
      ];
      if (best === null || compare(score, best.score) > 0) best = { entry, score };
    }
  }
  return best?.entry ?? null;
}

function mediumMatches(medium: OsinfoMedium, traits: IsoTraits): boolean {
  // A rule that only knows who pressed the disc says nothing about what is on it.
  if (medium.volumeId === null && medium.applicationId === null) return false;
  if (medium.volumeSizeBytes !== null && medium.volumeSizeBytes !== traits.volumeSizeBytes) return false;
  return (
    found(medium.volumeId, traits.volumeId) &&
    found(medium.systemId, traits.systemId) &&
    found(medium.publisherId, traits.publisherId) &&
    found(medium.applicationId, traits.applicationId)
  );
}

const compiled = new Map<string, RegExp | null>();

function found(pattern: string | null, subject: string): boolean {
  if (pattern === null) return true;
  let expression = compiled.get(pattern);
  if (expression === undefined) {
    try {
      expression = new RegExp(pattern);
    } catch {
      // The database is written for another regular expression engine.
      expression = null;
    }
    compiled.set(pattern, expression);
  }
  return expression?.test(subject) ?? false;
}

function compare(one: readonly number[], other: readonly number[]): number {
  for (const [index, value] of one.entries()) {
    const difference = value - (other[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function newest(entries: readonly KnownOs[]): KnownOs | null {
  // Rolling releases and "unknown" entries have no date and stand for the newest.
  const dated = entries.filter((entry) => entry.releaseDate !== null);
  return (
    dated.reduce<KnownOs | null>(
      (latest, entry) => (latest === null || (entry.releaseDate ?? '') > (latest.releaseDate ?? '') ? entry : latest),
      null,
    ) ??
    entries[0] ??
    null
  );
}
