/** libosinfo's database, parsed once per version of the database and kept compact in the cache folder. */
import { mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { type OsinfoDatabase, osinfoDatabase } from './osinfo-folders.ts';
import { type OsinfoEntry, osinfoEntry, parseOsinfoFile } from './osinfo-parse.ts';

/** An operating system with what it takes over from the releases it derives from. */
export type KnownOs = OsinfoEntry;

export type OsinfoIndex = { version: string; entries: readonly KnownOs[] };

/** Raised whenever what is kept changes, so that an older cache is not used. */
const cacheFormat = 1;
const cached = z.object({ format: z.literal(cacheFormat), key: z.string(), entries: z.array(osinfoEntry) });

/** The database, or null when none is installed. Files in it that cannot be read are passed over. */
export async function loadOsinfo(cacheFile: string, environment: NodeJS.ProcessEnv): Promise<OsinfoIndex | null> {
  const database = await osinfoDatabase(environment);
  if (!database) return null;
  const key = [database.folder, database.version, (await stat(join(database.folder, 'os'))).mtimeMs].join('|');
  const known = await readCache(cacheFile, key);
  if (known) return { version: database.version, entries: known };
  const entries = resolveParents(await parseAll(database));
  await writeCache(cacheFile, { format: cacheFormat, key, entries });
  return { version: database.version, entries };
}

async function parseAll(database: OsinfoDatabase): Promise<OsinfoEntry[]> {
  const root = join(database.folder, 'os');
  const files = (await readdir(root, { recursive: true, withFileTypes: true })).filter(
    (entry) => entry.isFile() && entry.name.endsWith('.xml'),
  );
  const entries: OsinfoEntry[] = [];
  for (const file of files) {
    try {
      // Reading one file at a time lets other work of the engine in between.
      entries.push(...parseOsinfoFile(await readFile(join(file.parentPath, file.name), 'utf8')));
    } catch {}
  }
  return mergeExtensions(entries);
}

/** A file in a folder "win-xp.d" adds to the operating system that "win-xp.xml" describes, under the same id. */
export function mergeExtensions(entries: readonly OsinfoEntry[]): OsinfoEntry[] {
  const byId = new Map<string, OsinfoEntry>();
  for (const entry of entries) {
    const other = byId.get(entry.fullId);
    if (!other) {
      byId.set(entry.fullId, entry);
      continue;
    }
    const [base, extension] = other.family !== '' ? [other, entry] : [entry, other];
    byId.set(entry.fullId, {
      ...base,
      devices: [...base.devices, ...extension.devices],
      devicesRemoved: [...base.devicesRemoved, ...extension.devicesRemoved],
      media: [...base.media, ...extension.media],
    });
  }
  return [...byId.values()];
}

/** Fills in from parents what an entry does not say itself: resources, firmware and devices, as libosinfo does. */
export function resolveParents(entries: readonly OsinfoEntry[]): KnownOs[] {
  const byId = new Map(entries.map((entry) => [entry.fullId, entry]));
  const resolved = new Map<string, KnownOs>();
  const resolve = (entry: OsinfoEntry, below: ReadonlySet<string>): KnownOs => {
    const done = resolved.get(entry.fullId);
    if (done) return done;
    let full: KnownOs = entry;
    for (const parentId of entry.parents) {
      const parent = byId.get(parentId);
      // A database that derives two releases from each other must not hang the engine.
      if (!parent || below.has(parentId) || below.size > 64) continue;
      full = inherit(full, resolve(parent, new Set([...below, entry.fullId])));
    }
    resolved.set(entry.fullId, full);
    return full;
  };
  return entries.map((entry) => resolve(entry, new Set()));
}

function inherit(child: KnownOs, parent: KnownOs): KnownOs {
  const own = child.resources;
  const theirs = parent.resources;
  const removed = new Set(child.devicesRemoved);
  return {
    ...child,
    firmware: { bios: child.firmware.bios ?? parent.firmware.bios, uefi: child.firmware.uefi ?? parent.firmware.uefi },
    resources: {
      minimumMemoryMiB: own.minimumMemoryMiB ?? theirs.minimumMemoryMiB,
      memoryMiB: own.memoryMiB ?? theirs.memoryMiB,
      cpus: own.cpus ?? theirs.cpus,
      minimumDiskGiB: own.minimumDiskGiB ?? theirs.minimumDiskGiB,
      diskGiB: own.diskGiB ?? theirs.diskGiB,
    },
    devices: [...new Set([...child.devices, ...parent.devices.filter((device) => !removed.has(device))])],
  };
}

async function readCache(file: string, key: string): Promise<KnownOs[] | null> {
  try {
    const found = cached.parse(JSON.parse(await readFile(file, 'utf8')));
    return found.key === key ? found.entries : null;
  } catch {
    return null;
  }
}

/** A cache that cannot be written is only slower. */
async function writeCache(file: string, content: z.infer<typeof cached>): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    const temporary = `${file}.${process.pid}.tmp`;
    await writeFile(temporary, JSON.stringify(content), { mode: 0o600 });
    await rename(temporary, file);
  } catch {}
}
