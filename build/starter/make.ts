/**
 * Makes the starter guest: a small Linux that shows its banner in seconds, built from Debian's packages without root and without
 * installing anything. See README.md beside this file. Runs as a script, too: `node build/starter/make.ts`.
 */
import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheDirectory } from '../places.ts';
import { exclusively } from '../setup/exclusive.ts';
import { buildCpio, type CpioEntry } from './cpio.ts';
import {
  type AptLists,
  type DebianPackage,
  fetchPackages,
  PackagesMissing,
  packageFile,
  refreshLists,
  resolvePackages,
  systemLists,
  unpackPackages,
} from './debian.ts';
import { diskLayout, isoVolumeId, makeDisk, makeIso } from './media.ts';
import { bootPackages, guestPackages, kernelPackages, toolPackages } from './packages.ts';
import { hashRecipe, starterFolderName } from './recipe.ts';
import { assembleSystem, starterBanner } from './system.ts';
import { UnpackedTools } from './unpacked-tools.ts';

export type Log = (line: string) => void;

/** Where a finished starter is. */
export interface StarterPaths {
  /** The disk, starter.qcow2. Never written to: guests get a copy. */
  diskPath: string;
  /** starter.json: a {@link StarterMetadata}. */
  metadataPath: string;
  /** The ISO of the same system, whose /home is in memory. */
  isoPath: string;
}

/** What starter.json holds. */
export interface StarterMetadata {
  name: string;
  os: { id: string; name: string; family: 'linux'; version: string; distro: string };
  banner: string;
  architecture: 'x86_64';
  kernelRelease: string;
  /** Debian package → version, for all that the guest is made of or made with. */
  packages: Record<string, string>;
  minimumMemoryMiB: number;
  recommendedMemoryMiB: number;
  /** The one that starts it soonest comes first. */
  firmware: ('bios' | 'uefi' | 'uefi-secure')[];
  disk: { file: string; format: 'qcow2'; virtualSizeBytes: number; sizeBytes: number; sha256: string };
  iso: { file: string; volumeId: string; sizeBytes: number; sha256: string };
  recipe: string;
  builtAt: string;
}

function pathsIn(directory: string): StarterPaths {
  return {
    diskPath: join(directory, 'starter.qcow2'),
    metadataPath: join(directory, 'starter.json'),
    isoPath: join(directory, 'starter.iso'),
  };
}

async function fileFacts(path: string): Promise<{ sizeBytes: number; sha256: string }> {
  const content = await readFile(path);
  return { sizeBytes: content.length, sha256: createHash('sha256').update(content).digest('hex') };
}

const helloFile = `This file is on the starter's own disk. Everything under /home outlives a restart; the rest of the system lives in
memory and starts afresh every time.
`;

/** Of what kernels can unpack, lz4 in its legacy form (-l) is by far the quickest under emulation. */
async function packInitramfs(tools: UnpackedTools, scratch: string, name: string, entries: readonly CpioEntry[]): Promise<string> {
  const unpacked = join(scratch, `${name}.cpio`);
  await writeFile(unpacked, buildCpio(entries));
  const packed = join(scratch, name);
  await tools.run('usr/bin/lz4', ['-l', '-9', '-q', unpacked, packed]);
  return packed;
}

async function build(
  directory: string,
  packages: readonly DebianPackage[],
  packagesDirectory: string,
  recipe: string,
  log: Log,
): Promise<void> {
  const scratch = join(directory, 'scratch');
  const root = join(scratch, 'packages');
  log('Unpacking them');
  await unpackPackages(packages, packagesDirectory, root);
  const tools = await UnpackedTools.open(root);
  const usrDirectory = join(scratch, 'usr');
  const system = await assembleSystem(tools, usrDirectory);

  log(`Making the starter's disk with Linux ${system.kernelRelease}`);
  const parts = {
    kernel: system.kernelPath,
    initramfs: await packInitramfs(tools, scratch, 'initrd', system.early),
    signedInitramfs: await packInitramfs(tools, scratch, 'initrd.signed', system.earlySigned),
    usrDirectory,
  };
  const homeDirectory = join(scratch, 'home');
  await mkdir(join(homeDirectory, 'root'), { recursive: true });
  await writeFile(join(homeDirectory, 'root', 'hello.txt'), helloFile);
  const paths = pathsIn(directory);
  await makeDisk(tools, scratch, parts, homeDirectory, paths.diskPath);
  log('Making its ISO');
  await makeIso(tools, scratch, parts, paths.isoPath);

  const metadata: StarterMetadata = {
    name: 'Guesthouse starter',
    os: { id: 'guesthouse-starter', name: 'Guesthouse starter', family: 'linux', version: '1', distro: 'debian' },
    banner: starterBanner,
    architecture: 'x86_64',
    kernelRelease: system.kernelRelease,
    packages: Object.fromEntries(packages.map(({ name, version }) => [name, version])),
    // BIOS gets by with 128; GRUB under UEFI, which needs free memory in one piece, does not.
    minimumMemoryMiB: 384,
    recommendedMemoryMiB: 512,
    firmware: ['bios', 'uefi', 'uefi-secure'],
    disk: { file: 'starter.qcow2', format: 'qcow2', virtualSizeBytes: diskLayout.size, ...(await fileFacts(paths.diskPath)) },
    iso: { file: 'starter.iso', volumeId: isoVolumeId, ...(await fileFacts(paths.isoPath)) },
    recipe,
    builtAt: new Date().toISOString(),
  };
  await writeFile(paths.metadataPath, `${JSON.stringify(metadata, null, 2)}\n`);
  await rm(scratch, { recursive: true, force: true });
}

/** Whether a process of this number runs, whoever owns it. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

interface FinishedStarter {
  paths: StarterPaths;
  builtAt: string;
}

/** The newest finished starter of this recipe, whatever its packages. */
async function findNewestStarter(starters: string, recipe: string): Promise<FinishedStarter | null> {
  const found: FinishedStarter[] = [];
  for (const name of await readdir(starters).catch(() => [])) {
    const paths = pathsIn(join(starters, name));
    if (!existsSync(paths.metadataPath)) continue;
    const metadata = JSON.parse(await readFile(paths.metadataPath, 'utf8')) as StarterMetadata;
    if (metadata.recipe === recipe) found.push({ paths, builtAt: metadata.builtAt });
  }
  found.sort((a, b) => (a.builtAt < b.builtAt ? 1 : -1));
  return found[0] ?? null;
}

/** Whether apt has learnt of other packages since. Asking it which are current takes many seconds, looking at its folder none. */
async function haveListsChangedSince(instant: string): Promise<boolean> {
  const lists = await stat('/var/lib/apt/lists').catch(() => null);
  return lists === null || lists.mtimeMs > Date.parse(instant);
}

const outdatedAfterMs = 30 * 24 * 60 * 60 * 1000;

/** Removes what builds that were killed left behind, starters that newer ones replaced a month ago, and packages that none is made of. */
async function tidy(starters: string, packagesDirectory: string, packages: readonly DebianPackage[]): Promise<void> {
  for (const name of await readdir(starters)) {
    const pid = Number(name.match(/^building-(\d+)-/)?.[1] ?? 0);
    const isLeftover = pid > 0 && pid !== process.pid && !isRunning(pid);
    const finished = await stat(pathsIn(join(starters, name)).metadataPath).catch(() => null);
    const isOutdated = finished !== null && Date.now() - finished.mtimeMs > outdatedAfterMs;
    if (isLeftover || isOutdated) await rm(join(starters, name), { recursive: true, force: true });
  }
  const wanted = new Set(packages.map((known) => packageFile(packagesDirectory, known)));
  for (const name of await readdir(packagesDirectory).catch(() => [])) {
    const file = join(packagesDirectory, name);
    if (!wanted.has(file)) await rm(file, { recursive: true, force: true });
  }
}

const allPackages = [...guestPackages, ...bootPackages, ...toolPackages];

/** Resolves with the system's lists of packages, or with fresh ones in the cache when those know too little. */
async function resolveWithLists(starters: string, log: Log): Promise<{ packages: DebianPackage[]; lists: AptLists }> {
  try {
    return { packages: await resolvePackages(kernelPackages, allPackages, systemLists), lists: systemLists };
  } catch (error) {
    if (!(error instanceof PackagesMissing)) throw error;
    log("apt's lists of packages lack some; fetching newer lists");
    const lists = await refreshLists(join(starters, 'apt')).catch(() => null);
    if (lists === null) throw error;
    return { packages: await resolvePackages(kernelPackages, allPackages, lists), lists };
  }
}

/**
 * Makes sure that the starter guest is in the cache, and says where. Takes no time when it is there and apt knows of nothing newer, half
 * a minute and some 90 MB of packages when it is not. Throws with the names of the packages when some can be had neither from the cache
 * nor from the network.
 */
export async function ensureStarter(cache: string, log: Log): Promise<StarterPaths> {
  if (process.arch !== 'x64')
    throw new Error(`The starter guest is made of x86-64 packages, which this ${process.arch} machine cannot unpack and run.`);
  const starters = join(cache, 'starter');
  await mkdir(starters, { recursive: true });
  const recipe = await hashRecipe();
  const newest = await findNewestStarter(starters, recipe);
  if (newest && !(await haveListsChangedSince(newest.builtAt))) return newest.paths;
  const resolved = await resolveWithLists(starters, log).catch(async (error: Error) => {
    if (newest === null) throw new Error(`The starter guest cannot be made. ${error.message}`, { cause: error });
    log(`apt could not say which packages are current (${error.message}); using the starter guest that is there`);
    return newest.paths;
  });
  if (!('packages' in resolved)) return resolved;

  const directory = join(starters, starterFolderName(recipe, resolved.packages));
  if (existsSync(pathsIn(directory).metadataPath)) return pathsIn(directory);

  return exclusively(
    join(starters, 'building-lock.db'),
    async () => (existsSync(pathsIn(directory).metadataPath) ? pathsIn(directory) : make(resolved, starters, recipe, log)),
    { onWait: (pid) => log(`Waiting for another build of the starter guest (process ${pid})`) },
  );
}

async function make(
  resolved: { packages: DebianPackage[]; lists: AptLists },
  starters: string,
  recipe: string,
  log: Log,
): Promise<StarterPaths> {
  const building = join(starters, `building-${process.pid}-${randomUUID()}`);
  try {
    const packagesDirectory = join(starters, 'packages');
    const totalMB = Math.round(resolved.packages.reduce((sum, wanted) => sum + wanted.sizeBytes, 0) / 1e6);
    log(`Making the starter guest: fetching ${resolved.packages.length} Debian packages (${totalMB} MB)`);
    const packages = await fetchFresh(resolved, packagesDirectory, starters, log);
    await tidy(starters, packagesDirectory, packages);
    await mkdir(building);
    await build(building, packages, packagesDirectory, recipe, log);
    const finished = join(starters, starterFolderName(recipe, packages));
    // Where the archive has moved on, another build may have made the same already.
    await rename(building, finished).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
    log(`The starter guest is ready: ${pathsIn(finished).diskPath}`);
    return pathsIn(finished);
  } finally {
    await rm(building, { recursive: true, force: true });
  }
}

/** Fetches, and where the archive has moved on since the lists were made, once more with fresh lists. */
async function fetchFresh(
  resolved: { packages: DebianPackage[]; lists: AptLists },
  packagesDirectory: string,
  starters: string,
  log: Log,
): Promise<DebianPackage[]> {
  try {
    await fetchPackages(resolved.packages, packagesDirectory, resolved.lists);
    return resolved.packages;
  } catch (error) {
    if (!(error instanceof PackagesMissing)) throw error;
    log('Some packages could not be fetched; trying newer lists of packages');
    const lists = await refreshLists(join(starters, 'apt')).catch(() => null);
    if (lists === null) throw new Error(`The starter guest cannot be made. ${error.message}`, { cause: error });
    const packages = await resolvePackages(kernelPackages, allPackages, lists);
    await fetchPackages(packages, packagesDirectory, lists);
    return packages;
  }
}

if (import.meta.main) {
  try {
    const paths = await ensureStarter(cacheDirectory(), (line) => process.stderr.write(`${line}\n`));
    process.stdout.write(`${paths.diskPath}\n`);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
    process.exitCode = 1;
  }
}
