/**
 * Networks that join chosen guests and nothing else. Each is a QEMU without a machine whose only work is to pass frames on: a hub with a
 * Unix socket for every card that is plugged in. Like guests it outlives the engine, and it ends with its last card. Nothing of it is
 * on TCP, and the host is not on it.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Failure } from '../../../../contract/errors.ts';
import type { GuestSpec, Nic } from '../../../../contract/guest-spec.ts';
import type { GuestFiles } from '../../files/layout.ts';
import { QmpClient } from '../../qmp/qmp-client.ts';
import { option } from './arguments/option.ts';
import { waitUntil } from './process-table.ts';
import { spawnWrapped } from './wrapper.ts';

/** One that cannot start ends at once; a busy computer takes long. */
const startTimeoutMs = 30_000;
const connectTimeoutMs = 5_000;
const connectEveryMs = 20;
const exitFileTimeoutMs = 2_000;

/** One after the other for each network, so that none ends while a card joins it. */
const turns = new Map<string, Promise<unknown>>();

type Hub = { folder: string; qmp: string; pid: string; log: string; exit: string };

/** A network is a folder beside those of the guests that run; its name is the user's, so the folder has a number made of it. */
function hubOf(name: string, files: GuestFiles): Hub {
  const number = createHash('sha256').update(name).digest('hex').slice(0, 9);
  const folder = join(dirname(files.run), `n${number}`);
  return {
    folder,
    qmp: join(folder, 'qmp.sock'),
    pid: join(folder, 'qemu.pid'),
    log: join(folder, 'qemu.log'),
    exit: join(folder, 'exit'),
  };
}

const isolatedNics = (nics: readonly Nic[]): Nic[] => nics.filter((nic) => nic.mode === 'isolated');

/** @throws Failure `guest/spec-invalid` for a QEMU that is too old for it */
export function checkNetworks(spec: GuestSpec, qemuVersion: string): void {
  const [major = 0, minor = 0] = qemuVersion.split('.').map(Number);
  if (isolatedNics(spec.nics).length === 0 || major > 7 || (major === 7 && minor >= 2)) return;
  throw new Failure('guest/spec-invalid', `Isolated networks need QEMU 7.2 or newer; this is ${qemuVersion}.`, {
    hint: 'Use the user-mode network, or a newer QEMU.',
    path: 'nics',
  });
}

/** Plugs the cards of a guest into their networks, which begin when they have to; before the guest's QEMU starts. */
export async function joinNetworks(qemuPath: string, guestId: string, nics: readonly Nic[], files: GuestFiles): Promise<void> {
  for (const nic of isolatedNics(nics)) {
    const name = nic.network ?? '';
    const hub = hubOf(name, files);
    await inTurn(hub, async () => {
      const qmp = await connectOrStart(qemuPath, name, hub);
      try {
        const port = portOf(guestId, nic.id);
        await unplugPort(qmp, port);
        await rm(files.networkSocket(nic.id), { force: true });
        const addr = { type: 'unix', path: files.networkSocket(nic.id) };
        await qmp.execute('netdev_add', { type: 'stream', id: port, server: true, addr });
        await qmp.execute('netdev_add', { type: 'hubport', id: `${port}-hub`, hubid: 0, netdev: port });
      } finally {
        qmp.close();
      }
    });
    await remember(files, { network: name, port: portOf(guestId, nic.id) });
  }
}

/** Takes all cards of a guest that has ended out of their networks; a network without cards ends. Idempotent. */
export async function leaveNetworks(files: GuestFiles): Promise<void> {
  for (const { network, port } of await remembered(files)) {
    const hub = hubOf(network, files);
    await inTurn(hub, async () => {
      const qmp = await QmpClient.connect(hub.qmp, connectTimeoutMs).catch(() => null);
      if (!qmp) return;
      try {
        await unplugPort(qmp, port);
        const left = await qmp.execute('human-monitor-command', { 'command-line': 'info network' });
        if (/type=stream/.test(left)) return;
        await qmp.execute('quit', {});
        await qmp.closed;
        // The shell around it writes down how it ended, and would do so into a folder that is being removed.
        await waitUntil(() => existsSync(hub.exit), exitFileTimeoutMs);
        await rm(hub.folder, { recursive: true, force: true });
      } finally {
        qmp.close();
      }
    });
  }
}

/** QEMU's ids begin with a letter and have no more than letters, digits, "-", "." and "_". */
const portOf = (guestId: string, nicId: string): string => `${guestId}-${nicId}`;

async function unplugPort(qmp: QmpClient, port: string): Promise<void> {
  for (const id of [`${port}-hub`, port]) {
    await qmp.execute('netdev_del', { id }).catch(() => {
      // It is not there, which is what is wanted.
    });
  }
}

async function inTurn(hub: Hub, work: () => Promise<void>): Promise<void> {
  const mine = (turns.get(hub.folder) ?? Promise.resolve()).then(work, work);
  turns.set(
    hub.folder,
    mine.catch(() => {}),
  );
  await mine;
}

async function connectOrStart(qemuPath: string, name: string, hub: Hub): Promise<QmpClient> {
  const there = existsSync(hub.qmp) ? await QmpClient.connect(hub.qmp, connectTimeoutMs).catch(() => null) : null;
  if (there) return there;
  await rm(hub.folder, { recursive: true, force: true });
  await mkdir(hub.folder, { recursive: true, mode: 0o700 });
  await spawnWrapped([qemuPath, ...hubArguments(name, hub)], hub.log, hub.exit, hub.folder);
  const deadline = Date.now() + startTimeoutMs;
  for (;;) {
    const qmp = await QmpClient.connect(hub.qmp, connectTimeoutMs).catch(() => null);
    if (qmp) return qmp;
    if (existsSync(hub.exit) || Date.now() > deadline) {
      throw new Failure('guest/start-failed', `The isolated network ${name} did not start.`, {
        detail: await readFile(hub.log, 'utf8').catch(() => ''),
      });
    }
    await new Promise((done) => setTimeout(done, connectEveryMs));
  }
}

function hubArguments(name: string, hub: Hub): string[] {
  return [
    '-name',
    option(null, { guest: `network ${name}`, process: 'guest-network' }),
    // It runs, although there is nothing to run: frames are only passed on by a machine that does.
    ...['-machine', 'none', '-nodefaults', '-no-user-config', '-display', 'none'],
    ...(process.platform === 'linux'
      ? ['-sandbox', option('on', { obsolete: 'deny', elevateprivileges: 'deny', spawn: 'deny', resourcecontrol: 'deny' })]
      : []),
    ...['-pidfile', hub.pid],
    ...['-qmp', option(`unix:${hub.qmp.replaceAll(',', ',,')}`, { server: true, wait: false })],
  ];
}

type Plugged = { network: string; port: string };

/** What the guest is plugged into is written beside its sockets, for any later engine to take it out again. */
async function remember(files: GuestFiles, plugged: Plugged): Promise<void> {
  const all = (await remembered(files)).filter(({ port }) => port !== plugged.port);
  await writeFile(files.networks, JSON.stringify([...all, plugged]));
}

async function remembered(files: GuestFiles): Promise<Plugged[]> {
  try {
    return JSON.parse(await readFile(files.networks, 'utf8')) as Plugged[];
  } catch {
    return [];
  }
}
