/**
 * Debian packages without installing them: which versions apt would choose, their libraries, the files themselves.
 * Works without root; the system's apt lists are used as they are, and refreshed into the cache folder when they do not suffice.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from './commands.ts';

export interface DebianPackage {
  name: string;
  version: string;
  architecture: string;
  /** Names of the packages it needs, the first of each group of alternatives. */
  needs: string[];
  sizeBytes: number;
  sha256: string;
}

/** How to call apt: nothing for the system's own lists, or options that point it at lists of our own. */
export type AptLists = readonly string[];
export const systemLists: AptLists = [];

/** Packages that apt does not know or could not fetch; `names` says which. */
export class PackagesMissing extends Error {
  readonly names: readonly string[];
  constructor(names: readonly string[], reason: string) {
    super(`${reason}: ${names.join(', ')}`);
    this.names = names;
  }
}

/** Reads what `apt-cache show` prints: stanzas of `Field: value`, separated by empty lines. */
export function parsePackages(text: string): DebianPackage[] {
  const packages: DebianPackage[] = [];
  for (const stanza of text.split(/\n\n+/)) {
    const field = (name: string) => stanza.match(new RegExp(`^${name}: (.*)$`, 'm'))?.[1] ?? '';
    const name = field('Package');
    if (name === '' || packages.some((known) => known.name === name)) continue;
    packages.push({
      name,
      version: field('Version'),
      architecture: field('Architecture'),
      needs: `${field('Pre-Depends')}, ${field('Depends')}`
        .split(',')
        .map((group) => group.split('|')[0]?.trim().split(/[ :(]/)[0] ?? '')
        .filter((needed) => needed !== ''),
      sizeBytes: Number(field('Size')),
      sha256: field('SHA256'),
    });
  }
  return packages;
}

async function showPackages(names: readonly string[], lists: AptLists): Promise<DebianPackage[]> {
  // apt-cache fails when it knows only some of the names: what is missing shows in the answer.
  const text = await runCommand('apt-cache', [...lists, 'show', '--no-all-versions', ...names]).catch(() => '');
  if (text !== '' || names.length === 1) return parsePackages(text);
  const each = await Promise.all(names.map((name) => showPackages([name], lists)));
  return each.flat();
}

/** The kernel's real package (the names given are those of packages that only depend on the newest one), with its modules. */
async function resolveKernel(names: readonly string[], lists: AptLists): Promise<string[]> {
  for (const name of names) {
    const [meta] = await showPackages([name], lists);
    const image = meta?.needs.find((needed) => /^linux-image-[0-9]/.test(needed));
    if (image === undefined) continue;
    // Ubuntu ships modules apart from the kernel, those of displays and sound in "extra"; Debian's kernel has them all.
    const split = image.replace(/^linux-image-/, 'linux-modules-');
    return [image, split, split.replace(/^linux-modules-/, 'linux-modules-extra-')];
  }
  throw new PackagesMissing([names.join(' or ')], 'apt does not know these packages');
}

/**
 * Every package to unpack, libraries included, with the version that apt would choose. Only libraries are followed: a package's scripts
 * do not run, so that what they need is not needed here.
 */
export async function resolvePackages(kernelNames: readonly string[], names: readonly string[], lists: AptLists): Promise<DebianPackage[]> {
  const kernel = await resolveKernel(kernelNames, lists);
  const resolved = new Map<string, DebianPackage>();
  let wanted = [...kernel, ...names];
  while (wanted.length > 0) {
    for (const found of await showPackages(wanted, lists)) resolved.set(found.name, found);
    const missing = wanted.filter((name) => !resolved.has(name) && !name.startsWith('linux-modules-'));
    if (missing.length > 0) throw new PackagesMissing(missing, 'apt does not know these packages');
    const libraries = [...resolved.values()].flatMap((known) => known.needs).filter((needed) => /^z?lib/.test(needed));
    wanted = [...new Set(libraries)].filter((library) => !resolved.has(library));
  }
  return [...resolved.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Fetches newer lists of packages into a folder of our own. Needs a network, not root. */
export async function refreshLists(directory: string): Promise<AptLists> {
  const listsDirectory = join(directory, 'lists');
  await mkdir(join(listsDirectory, 'partial'), { recursive: true });
  await mkdir(join(directory, 'cache', 'archives', 'partial'), { recursive: true });
  const lists = ['-o', `Dir::State::lists=${listsDirectory}`, '-o', `Dir::Cache=${join(directory, 'cache')}`, ...asCaller()];
  // Otherwise apt counts an archive that cannot be reached as a success with a warning.
  await runCommand('apt-get', [...lists, '-o', 'APT::Update::Error-Mode=any', '-q', 'update']);
  return lists;
}

/** apt drops to a user of its own when root runs it, who cannot write our folder. */
function asCaller(): string[] {
  return process.getuid?.() === 0 ? ['-o', 'APT::Sandbox::User=root'] : [];
}

export function packageFile(directory: string, wanted: DebianPackage): string {
  return join(directory, `${wanted.name}_${wanted.version.replaceAll(':', '%3a')}_${wanted.architecture}.deb`);
}

async function isIntact(file: string, sha256: string): Promise<boolean> {
  if (!existsSync(file)) return false;
  return (
    createHash('sha256')
      .update(await readFile(file))
      .digest('hex') === sha256
  );
}

/** Makes sure that every package's file is in the folder, whole. Throws {@link PackagesMissing} with what could not be had. */
export async function fetchPackages(packages: readonly DebianPackage[], directory: string, lists: AptLists): Promise<void> {
  await mkdir(directory, { recursive: true });
  const absent: DebianPackage[] = [];
  for (const wanted of packages) {
    const file = packageFile(directory, wanted);
    if (await isIntact(file, wanted.sha256)) continue;
    await rm(file, { force: true });
    absent.push(wanted);
  }
  if (absent.length === 0) return;
  const exact = absent.map((wanted) => `${wanted.name}=${wanted.version}`);
  let complaint = '';
  await runCommand('apt-get', [...lists, ...asCaller(), '-q', 'download', ...exact], { cwd: directory }).catch((error: Error) => {
    complaint = error.message;
  });
  const missing: string[] = [];
  for (const wanted of absent) {
    if (!(await isIntact(packageFile(directory, wanted), wanted.sha256))) missing.push(`${wanted.name}=${wanted.version}`);
  }
  if (missing.length > 0) throw new PackagesMissing(missing, `These packages could not be fetched (${complaint.split('\n').at(-1)})`);
}

/** Unpacks packages over each other into one folder. */
export async function unpackPackages(packages: readonly DebianPackage[], directory: string, into: string): Promise<void> {
  await mkdir(into, { recursive: true });
  for (const wanted of packages) await runCommand('dpkg', ['-x', packageFile(directory, wanted), into]);
}
