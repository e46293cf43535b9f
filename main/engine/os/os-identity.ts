/** Turns libosinfo's words for an operating system into the contract's. Pure. */
import type { OsIdentity } from '../../../contract/guest-spec.ts';
import type { KnownOs } from './osinfo-index.ts';

const families: Record<string, OsIdentity['family']> = {
  linux: 'linux',
  winnt: 'windows',
  win9x: 'windows',
  win16: 'windows',
  msdos: 'dos',
  dos: 'dos',
  freebsd: 'bsd',
  openbsd: 'bsd',
  netbsd: 'bsd',
  dragonflybsd: 'bsd',
  bsd: 'bsd',
  darwin: 'macos',
  solaris: 'solaris',
};

/** What is shown and stored of a known operating system. */
export function identityOf(os: Pick<KnownOs, 'id' | 'name' | 'family' | 'version' | 'distro'>): OsIdentity {
  // libosinfo counts FreeDOS as a Linux.
  const family = os.distro === 'freedos' || os.distro === 'msdos' ? 'dos' : (families[os.family] ?? 'other');
  return { id: os.id, name: os.name.replace(/^Microsoft (?=Windows)/, ''), family, version: os.version, distro: os.distro || null };
}
