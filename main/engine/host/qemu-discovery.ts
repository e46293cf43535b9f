/**
 * Finds QEMU's programs and what each can do. A binary that does not start, hangs or prints nonsense is reported and left out:
 * INVARIANT: one broken binary never empties the list (`tests/integration/host-doctor.test.ts`).
 */
import { constants } from 'node:fs';
import { access, realpath, stat } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { z } from 'zod';
import { architecture, type GuestSpec } from '../../../contract/guest-spec.ts';
import { type AnswerCache, createAnswerCache } from './answer-cache.ts';
import { lastLines, runTool } from './bounded-process.ts';
import { parseAccelerators, parseCpuModels, parseDevices, parseMachines, parseSpice, parseVersion } from './qemu-help.ts';

const description = z.object({
  version: z.string(),
  architecture,
  spice: z.boolean(),
  userNetworking: z.boolean(),
  machines: z.array(z.string()),
  cpuModels: z.array(z.string()),
  devices: z.array(z.string()),
  accelerators: z.array(z.string()),
});

/** One working QEMU. `identity` changes when the binary or its modules do. */
export type DescribedQemu = z.infer<typeof description> & { path: string; identity: string };
export type BrokenQemu = { path: string; reason: string; detail: string | null };
export type FoundQemu = { working: DescribedQemu[]; broken: BrokenQemu[] };

export type QemuDiscovery = {
  find(options: { refresh: boolean }): Promise<FoundQemu>;
  /** A program that belongs to QEMU, such as `qemu-img`; null when none is found. */
  program(name: string): Promise<string | null>;
};

const helpTimeoutMs = 15_000;
const suffix = process.platform === 'win32' ? '.exe' : '';
const binaries: { name: string; architecture: GuestSpec['architecture'] }[] = [
  { name: `qemu-system-x86_64${suffix}`, architecture: 'x86_64' },
  { name: `qemu-system-aarch64${suffix}`, architecture: 'aarch64' },
  // Red Hat's name for the QEMU of the host's own architecture.
  { name: 'qemu-kvm', architecture: process.arch === 'arm64' ? 'aarch64' : 'x86_64' },
];

/**
 * Folders in the order in which they are searched. `GUESTHOUSE_QEMU_FOLDER` replaces all of them: that is how a test takes QEMU away, and
 * how a user pins one build.
 */
export function qemuFolders(settingsFolder: string | null, environment: NodeJS.ProcessEnv): string[] {
  if (environment.GUESTHOUSE_QEMU_FOLDER) return [environment.GUESTHOUSE_QEMU_FOLDER];
  const usual: Partial<Record<NodeJS.Platform, string[]>> = {
    linux: ['/usr/bin', '/usr/local/bin', '/usr/libexec', '/opt/qemu/bin', '/snap/bin', '/run/current-system/sw/bin'],
    darwin: ['/opt/homebrew/bin', '/usr/local/bin', '/opt/local/bin'],
    win32: ['C:\\Program Files\\qemu', 'C:\\msys64\\ucrt64\\bin', 'C:\\msys64\\mingw64\\bin'],
  };
  const path = (environment.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  return [...new Set([...(settingsFolder ? [settingsFolder] : []), ...path, ...(usual[process.platform] ?? [])])];
}

export function createQemuDiscovery(deps: { cacheFile: string; folders: () => string[] }): QemuDiscovery {
  const cache = createAnswerCache(deps.cacheFile, description);
  return {
    async find({ refresh }) {
      const found: FoundQemu = { working: [], broken: [] };
      const seen = new Set<string>();
      for (const candidate of await candidates(deps.folders())) {
        if (seen.has(candidate.target)) continue;
        seen.add(candidate.target);
        const result = await describe(candidate.path, candidate.architecture, cache, refresh);
        if ('reason' in result) found.broken.push(result);
        else found.working.push(result);
      }
      return found;
    },
    async program(name) {
      for (const folder of deps.folders()) {
        const path = join(folder, `${name}${suffix}`);
        if (await isExecutable(path)) return path;
      }
      return null;
    },
  };
}

type Candidate = { path: string; target: string; architecture: GuestSpec['architecture'] };

async function candidates(folders: string[]): Promise<Candidate[]> {
  const all: Candidate[] = [];
  for (const binary of binaries) {
    for (const folder of folders) {
      const path = join(folder, binary.name);
      if (!(await isExecutable(path))) continue;
      // /bin and /usr/bin are the same folder on many systems.
      all.push({ path, target: await realpath(path).catch(() => path), architecture: binary.architecture });
    }
  }
  return all;
}

export async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

async function describe(
  path: string,
  binaryArchitecture: GuestSpec['architecture'],
  cache: AnswerCache<z.infer<typeof description>>,
  refresh: boolean,
): Promise<DescribedQemu | BrokenQemu> {
  try {
    const identity = await identityOf(path);
    const known = refresh ? undefined : await cache.get(identity);
    if (known) return { ...known, path, identity };
    const fresh = await ask(path, binaryArchitecture);
    if ('reason' in fresh) return fresh;
    await cache.set(identity, fresh);
    return { ...fresh, path, identity };
  } catch (error) {
    return { path, reason: 'It could not be read.', detail: String(error) };
  }
}

/** Path, time and size of the binary and times of the folders of its modules: SPICE is a module that may be installed later. */
async function identityOf(path: string): Promise<string> {
  const binary = await stat(path);
  const prefix = dirname(dirname(path));
  const moduleFolders = [
    '/usr/lib/x86_64-linux-gnu/qemu',
    '/usr/lib/aarch64-linux-gnu/qemu',
    '/usr/lib64/qemu',
    '/usr/lib/qemu',
    join(prefix, 'lib', 'qemu'),
  ];
  const times = await Promise.all(
    [...new Set(moduleFolders)].map((folder) =>
      stat(folder).then(
        (found) => found.mtimeMs,
        () => 0,
      ),
    ),
  );
  return [path, binary.mtimeMs, binary.size, ...times].join('|');
}

async function ask(path: string, binaryArchitecture: GuestSpec['architecture']): Promise<z.infer<typeof description> | BrokenQemu> {
  const help = async (...args: string[]) => {
    const end = await runTool(path, args, { timeoutMs: helpTimeoutMs, maxOutputBytes: 1024 * 1024 });
    return { ...end, text: `${end.stdout}\n${end.stderr}` };
  };
  const versionEnd = await help('--version');
  const version = parseVersion(versionEnd.text);
  if (version === null) {
    const reason = versionEnd.timedOut
      ? `It did not answer “--version” within ${helpTimeoutMs / 1000} s.`
      : versionEnd.startError
        ? `It cannot be started (${versionEnd.startError.code ?? versionEnd.startError.message}).`
        : 'It does not answer “--version” as QEMU does.';
    return { path, reason, detail: lastLines(versionEnd.text) || null };
  }
  const machines = parseMachines((await help('-machine', 'help')).text);
  if (machines.length === 0) return { path, reason: 'It lists no machine types.', detail: null };
  return {
    version,
    architecture: binaryArchitecture,
    machines,
    cpuModels: parseCpuModels((await help('-cpu', 'help')).text),
    devices: parseDevices((await help('-device', 'help')).text),
    accelerators: parseAccelerators((await help('-accel', 'help')).text),
    spice: parseSpice((await help('-spice', 'help')).text),
    userNetworking: /^user$/m.test((await help('-netdev', 'help')).text),
  };
}
