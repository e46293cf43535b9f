/**
 * Every name that Guesthouse gives to a file or folder on disk, once. Described for people in `docs/on-disk-layout.md`.
 *
 * INVARIANT: nothing outside these folders is written or deleted unless the user named that path
 * (`main/engine/files/layout.test.ts`).
 */
import { homedir } from 'node:os';
import { join, resolve, sep } from 'node:path';
import { type DataRoot, dataRootOf } from '../../../contract/data-root.ts';
import { Failure } from '../../../contract/errors.ts';
import type { GuestId, ImageId, LayerId, SnapshotId } from '../../../contract/ids.ts';

/** A Unix socket's path ends in a NUL inside `sockaddr_un.sun_path`, which has 108 bytes on Linux and 104 on macOS and BSD. */
const socketPathMaxBytes = (process.platform === 'linux' ? 108 : 104) - 1;

export type Layout = ReturnType<typeof layoutOf>;
export type GuestFiles = ReturnType<Layout['guest']>;

/** Names in one folder. `join` would leave a dozen pieces of every name in memory, and a thousand guests have thirty names each. */
function below(folder: string): (name: string) => string {
  const start = `${folder}${sep}`;
  return (name) => `${start}${name}`;
}

/** Names below one data root; all its paths are absolute. */
export function layoutOf({ home, run, logs, engineSocket }: DataRoot) {
  const bases = { layers: join(home, 'layers'), images: join(home, 'images') };
  return {
    home,
    run,
    logs,
    database: join(home, 'guesthouse.db'),
    databaseBackups: join(home, 'database-backups'),
    images: join(home, 'images'),
    layers: join(home, 'layers'),
    guests: join(home, 'guests'),
    trash: join(home, 'trash'),
    downloads: join(home, 'downloads'),
    /** The user's own keyrings and keys, for signatures of downloads. */
    keyrings: join(home, 'keyrings'),
    cache: join(home, 'cache'),
    /** Chains of disks as QEMU's tools see them, only while one works with them. */
    views: join(home, 'cache', 'views'),
    engineSocket,
    engineLock: join(home, 'engine.lock'),
    engineLog: join(logs, 'engine.log'),
    image: (id: ImageId, format: string) => join(home, 'images', `${id}.${format}`),
    /** An image that is still being copied. Left behind only by an engine that died, and then removed. */
    imageArriving: (id: ImageId) => join(home, 'images', `${id}.arriving`),
    /** What was in a packed file, until it is an image. Left behind as above. */
    /** The disk of a guest of which an image is being made. */
    imageCapturing: (id: ImageId) => join(home, 'images', `${id}.capturing`),
    /** What programs write for themselves while they look into an image. Left behind as above. */
    imageLook: (id: ImageId) => join(home, 'images', `${id}.look`),
    imageUnpacking: (id: ImageId) => join(home, 'images', `${id}.unpacking`),
    /**
     * A frozen disk that disks of guests build upon: never written to again. It lies as deep as the disks of guests do, because the
     * base that it names in its header, relative to itself, is the one that it named when it was a guest's disk.
     */
    layer: (id: LayerId) => join(home, 'layers', id, 'disk.qcow2'),
    /** What is kept of a download until it is in the library. */
    download: (key: string) => {
      const folder = join(home, 'downloads', key);
      return {
        folder,
        state: join(folder, 'state.json'),
        /** What came so far. */
        part: join(folder, 'part'),
        /** All of it, checked, under its own name. */
        whole: (fileName: string) => join(folder, fileName),
        /** What was taken out of it when it is an archive. */
        unpacked: join(folder, 'unpacked.iso'),
      };
    },
    /** SHA-256 of the starter that the user deleted, so that it does not come back by itself. */
    starterDeleted: join(home, 'images', 'starter-deleted'),
    guest: (id: GuestId) => {
      const folder = join(home, 'guests', id);
      const guestRun = join(run, id);
      const kept = below(folder);
      const running = below(guestRun);
      return {
        folder,
        trashFolder: join(home, 'trash', id),
        /** The only folders in which a file may lie that a disk builds upon. */
        bases,
        disk: kept,
        /** A disk that was taken out of the guest, kept so that it can be brought back. What it builds upon is kept for it as for others. */
        removedDisk: (file: string) => kept(`removed-${file}`),
        nvram: kept('nvram.fd'),
        tpmState: kept('tpm'),
        /** Memory and devices of a guest that is suspended to disk. */
        suspended: kept('suspended.state'),
        /** A disc with the answers of an unattended installation; `.answers` and `.arriving` while it is made. */
        seed: kept('seed.iso'),
        installerKernel: kept('installer-kernel'),
        installerInitrd: kept('installer-initrd'),
        installerAnswers: kept('installer-answers.cpio'),
        /** What a snapshot keeps besides disks, which are layers. */
        snapshots: kept('snapshots'),
        snapshot: (snapshot: SnapshotId) => keptIn(join(folder, 'snapshots', snapshot)),
        /** What a guest that is taken back to a snapshot is about to be given. */
        reverting: () => keptIn(kept('reverting')),
        lastFrame: kept('last-frame.png'),
        serialLog: kept('serial.log'),
        /** What QEMU printed in its last run. */
        qemuLog: kept('qemu.log'),
        run: guestRun,
        qmp: running('qmp.sock'),
        spice: running('spice.sock'),
        spiceMoved: running('spice-moved.sock'),
        serial: running('serial.sock'),
        agent: running('agent.sock'),
        tpm: running('tpm.sock'),
        tpmPid: running('tpm.pid'),
        tpmLog: running('tpm.log'),
        /** A picture of the screen on its way from QEMU to us. */
        screen: running('screen.png'),
        transfer: running('transfer.sock'),
        /** Between QEMU and the daemon that serves a shared folder. */
        shareSocket: (id: string) => running(`${id}.sock`),
        sharePid: (id: string) => running(`${id}.pid`),
        /** Between its network card and an isolated network. */
        networkSocket: (nicId: string) => running(`${nicId}.sock`),
        /** Which isolated networks it is plugged into. */
        networks: running('networks.json'),
        pid: running('qemu.pid'),
        /** QEMU's exit status, written by the wrapper that started it. */
        exit: running('exit'),
      };
    },
  };
}

/** What is kept of a guest besides its disks. */
function keptIn(folder: string) {
  return {
    folder,
    nvram: join(folder, 'nvram.fd'),
    tpmState: join(folder, 'tpm'),
    memory: join(folder, 'memory.state'),
    thumbnail: join(folder, 'thumbnail.png'),
    /** A disk on its way into the library. */
    exported: join(folder, 'export.qcow2'),
  };
}
export type KeptState = ReturnType<typeof keptIn>;

/**
 * The layout that the environment asks for: `GUESTHOUSE_HOME` holds everything when it is set, else the XDG folders.
 * @throws Failure `store/path-too-long` when a guest's sockets would not fit.
 */
export function layoutFromEnvironment(environment: NodeJS.ProcessEnv = process.env): Layout {
  const home = environment.GUESTHOUSE_HOME;
  const layout = layoutOf(dataRootOf(home ? { GUESTHOUSE_HOME: resolve(home) } : environment, homedir()));
  checkSocketPaths(layout);
  return layout;
}

function checkSocketPaths(layout: Layout): void {
  const longest = layout.guest('g000000000' as GuestId).transfer;
  const bytes = Buffer.byteLength(longest);
  if (bytes > socketPathMaxBytes) {
    throw new Failure(
      'store/path-too-long',
      `The data folder ${layout.home} is too deep: a socket inside it would have a path of ${bytes} bytes, and ${socketPathMaxBytes} is the most.`,
      {
        hint: 'Set GUESTHOUSE_HOME to a folder with a shorter path.',
      },
    );
  }
}
