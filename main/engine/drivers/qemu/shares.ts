/**
 * Folders of this computer that a guest can mount. virtiofs where its daemon can serve the folder, one process a share, which ends with
 * QEMU; else 9p, which QEMU serves itself. What goes over the console is served by the engine (main/engine/shared-folders).
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { Failure } from '../../../../contract/errors.ts';
import { type GuestSpec, type Share, type ShareProtocol, sharesOverConsole } from '../../../../contract/guest-spec.ts';
import type { GuestFiles } from '../../files/layout.ts';
import { runTool } from '../../host/bounded-process.ts';
import { readPidFile } from './find-qemu.ts';
import { commandLine, identify, isAlive, signalProcess, waitUntil } from './process-table.ts';

/** `generation`: virtiofsd in C came with QEMU up to 7.2 and serves for root only; the one in Rust followed it. */
type VirtioFsDaemon = { path: string; generation: 'c' | 'rust' };

/** One that cannot start ends at once; a busy computer takes long. */
const startTimeoutMs = 30_000;

/** How a share is served. A folder that may only be read is served by 9p, since not every virtiofsd can refuse to write. */
export function protocolOf(share: Share, daemon: VirtioFsDaemon | null, isRoot: boolean): ShareProtocol {
  if (share.via === 'webdav') return 'webdav';
  if (!daemon || share.readOnly) return '9p';
  return daemon.generation === 'rust' || isRoot ? 'virtiofs' : '9p';
}

/** Which generation the program is, by what it says of itself. @returns null when it cannot be run */
async function describeDaemon(path: string | null): Promise<VirtioFsDaemon | null> {
  if (path === null) return null;
  const { status, stdout } = await runTool(path, ['--version'], { timeoutMs: 5_000 });
  if (status !== 0) return null;
  // "virtiofsd version 7.2.22 (Debian …)" with FUSE's version behind it, or "virtiofsd 1.10.0".
  return { path, generation: /FUSE kernel interface/.test(stdout) ? 'c' : 'rust' };
}

/** @throws Failure `guest/share-missing` naming the folder */
export async function checkShares(spec: Pick<GuestSpec, 'name' | 'shares'>): Promise<void> {
  for (const [index, { path, tag }] of spec.shares.entries()) {
    const facts = await stat(await realpath(path).catch(() => path)).catch(() => null);
    if (facts?.isDirectory()) continue;
    throw new Failure('guest/share-missing', `${spec.name} shares ${path} as ${tag}, and there is no such folder.`, {
      hint: 'Make the folder, or take the share out of the guest’s hardware.',
      path: `shares.${index}.path`,
    });
  }
}

/** A comma would begin another option of FUSE, and a backslash quotes it. */
const quoteFuseOption = (value: string): string => value.replace(/[\\,]/g, '\\$&');

/** Starts the daemon of one share. @throws Failure `guest/start-failed` with its own words */
export async function startShare(daemon: VirtioFsDaemon, share: Share, name: string, files: GuestFiles): Promise<void> {
  const socket = files.shareSocket(share.id);
  await rm(socket, { force: true });
  const words =
    daemon.generation === 'c'
      ? [
          '-f',
          `--socket-path=${socket}`,
          '-o',
          `source=${quoteFuseOption(share.path)}`,
          '-o',
          'cache=auto',
          '-o',
          'sandbox=chroot',
          '-o',
          'log_level=warn',
        ]
      : ['--socket-path', socket, '--shared-dir', share.path, '--cache', 'auto', '--log-level', 'warn'];
  const child = spawn(daemon.path, words, { detached: true, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  let ended: string | null = null;
  child.stderr?.on('data', (bytes: Buffer) => {
    said = (said + bytes.toString('utf8')).slice(-4096);
  });
  child.once('error', (error) => {
    ended = error.message;
  });
  child.once('exit', (code) => {
    ended ??= `it ended with exit status ${code}`;
  });
  await waitUntil(() => ended !== null || existsSync(socket), startTimeoutMs);
  if (ended === null && existsSync(socket) && child.pid !== undefined) {
    await writeFile(files.sharePid(share.id), String(child.pid));
    child.stderr?.destroy();
    child.unref();
    return;
  }
  child.kill('SIGKILL');
  throw new Failure(
    'guest/start-failed',
    `${name} did not start: the folder ${share.path} could not be shared${ended ? `, ${ended}` : ''}.`,
    {
      detail: said,
    },
  );
}

/** Ends what serves the shares of a guest whose QEMU is gone. Idempotent. */
export async function stopShares(files: GuestFiles): Promise<void> {
  const names = await readdir(files.run).catch(() => []);
  for (const id of names.flatMap((name) => /^(share\d+)\.pid$/.exec(name)?.[1] ?? [])) {
    const pid = readPidFile(files.sharePid(id));
    const daemon = pid === null ? null : identify(pid);
    if (!daemon || !commandLine(daemon.pid).some((argument) => argument.includes(files.shareSocket(id)))) continue;
    signalProcess(daemon, 'SIGTERM');
    if (!(await waitUntil(() => !isAlive(daemon), 2_000))) signalProcess(daemon, 'SIGKILL');
  }
}

/** How the shares of a QEMU that runs are served, from its arguments; those that go over its console by what it runs with. */
export function sharesOf(argv: readonly string[], spec: Pick<GuestSpec, 'shares' | 'display'>): Map<string, ShareProtocol> {
  const overConsole = sharesOverConsole(spec) ? spec.shares.filter(({ via }) => via === 'webdav') : [];
  const shares = new Map<string, ShareProtocol>(overConsole.map(({ id }) => [id, 'webdav']));
  for (const argument of argv) {
    const match = /^(vhost-user-fs-pci|virtio-9p-pci),id=([a-z0-9-]+)/.exec(argument);
    if (match?.[2]) shares.set(match[2], match[1] === 'virtio-9p-pci' ? '9p' : 'virtiofs');
  }
  return shares;
}

/** How each share will be served at a start on this computer. */
export async function planShares(
  spec: Pick<GuestSpec, 'shares'>,
  virtiofsdPath: () => Promise<string | null>,
): Promise<{ shares: Map<string, ShareProtocol>; daemon: VirtioFsDaemon | null }> {
  if (spec.shares.length === 0) return { shares: new Map(), daemon: null };
  const daemon = spec.shares.some(({ via }) => via === 'mount') ? await describeDaemon(await virtiofsdPath()) : null;
  const isRoot = process.getuid?.() === 0;
  return { shares: new Map(spec.shares.map((share) => [share.id, protocolOf(share, daemon, isRoot)])), daemon };
}

/** Why QEMU cannot save the state of a guest with these shares, or null when it can. */
export function sharesBlockSuspend({ shares }: Pick<GuestSpec, 'shares'>): string | null {
  const first = shares.find(({ via }) => via === 'mount');
  return first ? `The guest shares the folder ${first.path}, and what it has open there cannot be saved.` : null;
}
