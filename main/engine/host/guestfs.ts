/**
 * Tools that use libguestfs, where they are installed: virt-v2v, virt-inspector, guestfish. They look into disks within a virtual machine of
 * their own, so that what is wrong with a file system meets a kernel that holds nothing else. Each run has a deadline, a folder of its own, and
 * ends with everything that it started.
 */
import { access, constants, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runTool, type ToolEnd, type ToolOptions } from './bounded-process.ts';
import { findProgram, systemToolFolders } from './host-facts.ts';

/** Absolute paths; null for what is not installed. */
export type GuestfsTools = {
  virtV2v: string | null;
  /** Works on the disk itself; part of virt-v2v since 2.0. */
  virtV2vInPlace: string | null;
  /** Without it virt-v2v opens no disk. */
  nbdkit: string | null;
  /** Programs that virt-v2v puts into a Windows; distributions do not all ship them. */
  windowsTools: string | null;
  /** A disc or folder with drivers for Windows that came with the system; an image of the library serves as well. */
  windowsDrivers: string | null;
  /** Says which system is on a disk, with its packages. */
  virtInspector: string | null;
  guestfish: string | null;
};

export async function findGuestfsTools(environment: NodeJS.ProcessEnv): Promise<GuestfsTools> {
  const program = (name: string) => findProgram(name, environment, systemToolFolders);
  const [virtV2v, virtV2vInPlace, nbdkit, windowsTools, windowsDrivers, virtInspector, guestfish] = await Promise.all([
    program('virt-v2v'),
    findProgram('virt-v2v-in-place', environment, [...systemToolFolders, '/usr/libexec']),
    program('nbdkit'),
    findWindowsTools(environment.VIRT_TOOLS_DATA_DIR ?? '/usr/share/virt-tools'),
    findFirst([environment.VIRTIO_WIN, '/usr/share/virtio-win/virtio-win.iso', '/usr/share/virtio-win']),
    program('virt-inspector'),
    program('guestfish'),
  ]);
  return { virtV2v, virtV2vInPlace, nbdkit, windowsTools, windowsDrivers, virtInspector, guestfish };
}

async function findWindowsTools(folder: string): Promise<string | null> {
  const names = await readdir(folder).catch(() => []);
  return names.some((name) => name === 'rhsrvany.exe' || name === 'pvvxsvc.exe') ? folder : null;
}

async function findFirst(paths: readonly (string | undefined)[]): Promise<string | null> {
  for (const path of paths) {
    const isThere = await access(path ?? '', constants.R_OK).then(
      () => true,
      () => false,
    );
    if (path && isThere) return path;
  }
  return null;
}

export type GuestfsRun = Pick<ToolOptions, 'timeoutMs' | 'signal' | 'onOutput' | 'maxOutputBytes' | 'input'> & {
  /** Hardware acceleration failed its probe: libguestfs would try it all the same, and hang or abort. */
  emulated: boolean;
  /** Where what it writes for itself may become large. */
  scratchFolder: string;
  environment?: NodeJS.ProcessEnv;
};

/** What its machine gets. virt-v2v asks for more by itself when it needs it. */
export const guestfsMemoryMiB = 1280;

/** Runs one of the tools; never rejects, as {@link runTool}. Its appliance is kept where libguestfs keeps it, for all programs that use it. */
export async function runGuestfs(path: string, args: readonly string[], options: GuestfsRun): Promise<ToolEnd> {
  const { emulated, scratchFolder, environment = {}, ...run } = options;
  // Sockets are in it, whose paths must be short.
  const sockets = await mkdtemp(join(tmpdir(), 'gh-v-'));
  try {
    return await runTool(path, args, {
      ...run,
      withChildren: true,
      environment: {
        ...process.env,
        LIBGUESTFS_BACKEND: 'direct',
        ...(emulated ? { LIBGUESTFS_BACKEND_SETTINGS: 'force_tcg' } : {}),
        LIBGUESTFS_MEMSIZE: String(guestfsMemoryMiB),
        LIBGUESTFS_TMPDIR: scratchFolder,
        LIBGUESTFS_CACHEDIR: process.env.LIBGUESTFS_CACHEDIR ?? '/var/tmp',
        VIRT_V2V_TMPDIR: scratchFolder,
        TMPDIR: sockets,
        ...environment,
      },
    });
  } finally {
    await rm(sockets, { recursive: true, force: true });
  }
}
