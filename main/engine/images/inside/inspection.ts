/**
 * What libguestfs' programs say of a system on a disk, in our words. A stranger's disk was read for it: nothing is believed further than it is
 * shown, and everything is bounded.
 */
import { Failure } from '../../../../contract/errors.ts';
import type { OsIdentity } from '../../../../contract/guest-spec.ts';
import type { ImageArchitecture, InstalledPackage, SystemFacts } from '../../../../contract/image.ts';
import { childAt, childrenOf, parseXml, type XmlNode } from '../../transfer/xml-document.ts';
import { architectureIn, packageDatabases, patchedAt, sortKernels } from '../linux-facts.ts';
import { listOf } from '../packages/package-lists.ts';

export type Inspection = {
  /** Short id of libosinfo: "debian12"; null when libguestfs knows none. */
  osinfo: string | null;
  name: string;
  family: OsIdentity['family'];
  distro: string | null;
  version: string | null;
  architecture: ImageArchitecture | null;
  packages: SystemFacts['packages'];
  /** Null when its package manager is none that libguestfs reads. */
  list: InstalledPackage[] | null;
  /** Of the kernels that are packages; {@link parseLook} knows the rest. */
  kernels: string[];
};

// Maps, since they are asked for words from a stranger's disk.
const managers = new Map<string, NonNullable<SystemFacts['packages']>['manager']>([
  ['deb', 'dpkg'],
  ['rpm', 'rpm'],
  ['apk', 'apk'],
  ['pacman', 'pacman'],
]);
const families = new Map<string, OsIdentity['family']>([
  ['linux', 'linux'],
  ['windows', 'windows'],
  ['freebsd', 'bsd'],
  ['netbsd', 'bsd'],
  ['openbsd', 'bsd'],
]);

/**
 * The first system that virt-inspector found; null when it found none.
 * @throws Failure `machine/not-understood` for what is no such description
 */
export function parseInspection(xml: string): Inspection | null {
  // Long texts about each package, of which nothing is kept.
  const root = parseXml(xml.replaceAll(/<(description|summary|url|source_package|install_path)>[^<]*<\/\1>/g, ''));
  if (root.name !== 'operatingsystems') {
    throw new Failure('machine/not-understood', 'virt-inspector answered with something else than a list of systems.');
  }
  const [system] = childrenOf(root, 'operatingsystem');
  if (!system) return null;
  const said = (name: string, form = /^\S.{0,199}$/u) => plain(childAt(system, name), form);
  const family = families.get(said('name') ?? '') ?? 'other';
  const major = said('major_version', /^\d{1,5}$/);
  const minor = said('minor_version', /^\d{1,5}$/);
  const version =
    major === null || (major === '0' && (minor ?? '0') === '0') ? null : [major, minor].filter((part) => part && part !== '0').join('.');
  const distro = said('distro', /^[a-z][a-z0-9.-]{0,40}$/);
  const manager = managers.get(said('package_format') ?? '') ?? null;
  const applications = childrenOf(childAt(system, 'applications'), 'application');
  const list = applications.length === 0 ? [] : listOf(applications.map((one) => packageOf(one, family)));
  return {
    osinfo: said('osinfo', /^[a-z][a-z0-9.-]{0,60}$/),
    // Of a Debian it is what is in /etc/debian_version: a number alone.
    name:
      said('product_name', /^(?=.*\p{L})\S.{0,199}$/u) ??
      [distro && distro.charAt(0).toUpperCase() + distro.slice(1), version].filter(Boolean).join(' '),
    family,
    distro: distro === 'windows' ? 'win' : distro,
    version: family === 'windows' ? (said('product_name')?.match(/\d[\w.]*/)?.[0] ?? version) : version,
    architecture: architectureIn(said('arch') ?? ''),
    packages: manager && { manager, count: list.length > 0 ? list.length : null },
    list: list.length > 0 ? list : null,
    kernels: sortKernels(applications.flatMap(kernelOf)),
  };
}

function packageOf(application: XmlNode, family: OsIdentity['family']): InstalledPackage {
  const text = (name: string) => childAt(application, name)?.text ?? '';
  // Windows keeps programs under names that are often numbers.
  const name = (family === 'windows' && text('display_name')) || text('name');
  const epoch = /^[1-9]\d{0,5}$/.test(text('epoch')) ? `${text('epoch')}:` : '';
  return { name, version: `${epoch}${[text('version'), text('release')].filter(Boolean).join('-')}` };
}

/** A kernel's package says its release: in its name with dpkg, as its version with rpm. */
function kernelOf(application: XmlNode): string[] {
  const text = (name: string) => childAt(application, name)?.text ?? '';
  const byName = /^linux-image-(?:unsigned-)?(\d.+?)$/.exec(text('name'))?.[1];
  if (byName !== undefined) return byName.endsWith('-dbg') ? [] : [byName];
  if (!['kernel', 'kernel-core'].includes(text('name')) || text('release') === '') return [];
  return [`${text('version')}-${text('release')}${text('arch') ? `.${text('arch')}` : ''}`];
}

function plain(node: XmlNode | null, form: RegExp): string | null {
  const text = (node?.text ?? '').replaceAll(/[\p{C}\s]+/gu, ' ').trim();
  return text !== 'unknown' && form.test(text) ? text : null;
}

/** What guestfish is told to look at once the system's file systems are mounted, to be read by {@link parseLook}. */
export const lookScript = [
  ...['/lib/modules', '/usr/lib/modules'].flatMap((folder) => ['echo kernels', `-ls ${folder}`]),
  ...packageDatabases.flatMap(({ path }) => [`echo "database ${path}"`, `-statns /${path}`]),
  '',
].join('\n');

/** Never throws: what makes no sense is not known. */
export function parseLook(output: string): Pick<SystemFacts, 'kernels' | 'patchLevel' | 'patchLevelFrom'> {
  const kernels: string[] = [];
  let part = '';
  let patched: ReturnType<typeof patchedAt> | null = null;
  for (const line of output.split('\n')) {
    if (line === 'kernels') part = line;
    else if (line.startsWith('database ')) part = line.slice('database '.length);
    else if (part === 'kernels') kernels.push(line);
    else if (patched === null && packageDatabases.some(({ path }) => path === part)) {
      const seconds = /^st_mtime_sec: (\d{1,12})$/.exec(line)?.[1];
      if (seconds !== undefined) patched = patchedAt(part, Number(seconds));
    }
  }
  return { kernels: sortKernels(kernels), patchLevel: patched?.patchLevel ?? null, patchLevelFrom: patched?.patchLevelFrom ?? null };
}
