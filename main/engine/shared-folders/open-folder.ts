/**
 * Folders of this computer as a guest may walk them: step by step from a folder that is open, so that no name, no link and no change made
 * meanwhile leads out of it. Linux only: Node has no openat(2), and /proc/self/fd stands in for it.
 *
 * INVARIANT: nothing outside a shared folder is opened, listed, made or removed, whatever a guest asks and whatever lies in the folder
 * (`dav-server.test.ts`).
 */
import { type BigIntStats, constants } from 'node:fs';
import { access, type FileHandle, lstat, mkdir, open, opendir, rename, rmdir, statfs, unlink } from 'node:fs/promises';
import { DavError } from './dav-error.ts';
import { type DavPath, isShareableName } from './dav-path.ts';

/** A folder that a guest may reach by its tag. */
export type SharedFolder = { tag: string; path: string; readOnly: boolean };

/** `hidden`: links, devices, pipes and sockets, which are there for nobody but this computer. */
export type Entry = { kind: 'file' | 'folder' | 'hidden'; stats: BigIntStats };

const folderFlags = constants.O_RDONLY | constants.O_DIRECTORY;

export class OpenFolder {
  readonly #handle: FileHandle;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  /** The shared folder itself, whose path the user chose, and which may be a link. @throws DavError 404 */
  static async root(path: string): Promise<OpenFolder> {
    return new OpenFolder(await open(path, folderFlags));
  }

  /** Of something in this folder, for calls that do not follow a link at their end. */
  pathOf(name: string): string {
    return `/proc/self/fd/${this.#handle.fd}/${name}`;
  }

  async sub(name: string): Promise<OpenFolder> {
    return new OpenFolder(await open(this.pathOf(name), folderFlags | constants.O_NOFOLLOW));
  }

  /** Null when there is nothing of that name. */
  async look(name: string): Promise<Entry | null> {
    const stats = await lstat(this.pathOf(name), { bigint: true }).catch((thrown: NodeJS.ErrnoException) => {
      if (thrown.code === 'ENOENT') return null;
      throw thrown;
    });
    return stats && { kind: kindOf(stats), stats };
  }

  /** Opens a plain file, and nothing that is something else by then. @throws DavError 404 */
  async file(name: string): Promise<{ handle: FileHandle; stats: BigIntStats }> {
    if ((await this.look(name))?.kind !== 'file') throw new DavError(404, 'There is no such file.');
    const handle = await open(this.pathOf(name), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY);
    const stats = await handle.stat({ bigint: true });
    if (stats.isFile()) return { handle, stats };
    await handle.close();
    throw new DavError(404, 'There is no such file.');
  }

  /** A new file, which nobody else has. Without a mode it is as open to others as its folder: what the engine itself makes is for nobody else. */
  async create(name: string, mode?: number): Promise<FileHandle> {
    const handle = await open(this.pathOf(name), constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600);
    await handle.chmod(mode ?? Number((await this.stats()).mode & 0o666n));
    return handle;
  }

  /** @throws its errno when the user may not write to that file */
  mayWrite(name: string): Promise<void> {
    return access(this.pathOf(name), constants.W_OK);
  }

  /** As open to others as this one. */
  async makeFolder(name: string): Promise<void> {
    await mkdir(this.pathOf(name));
    const folder = await this.sub(name);
    try {
      await folder.#handle.chmod(Number((await this.stats()).mode & 0o777n));
    } finally {
      await folder.close();
    }
  }

  /** Replaces a file of that name. */
  moveTo(name: string, folder: OpenFolder, newName: string): Promise<void> {
    return rename(this.pathOf(name), folder.pathOf(newName));
  }

  unlink(name: string): Promise<void> {
    return unlink(this.pathOf(name));
  }

  removeFolder(name: string): Promise<void> {
    return rmdir(this.pathOf(name));
  }

  /** What the user may still write where this folder is. */
  async freeBytes(): Promise<number> {
    const { bavail, bsize } = await statfs(this.pathOf('.'));
    return bavail * bsize;
  }

  stats(): Promise<BigIntStats> {
    return this.#handle.stat({ bigint: true });
  }

  /** All names, also of what a guest is not shown; those that are no UTF-8 are null. */
  async *names(): AsyncGenerator<string | null> {
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    // Node's types do not know that the names are buffers then.
    for await (const { name } of await opendir(this.pathOf('.'), { encoding: 'buffer' as BufferEncoding })) {
      try {
        yield decoder.decode(name as unknown as Uint8Array);
      } catch {
        yield null;
      }
    }
  }

  /** What a guest is shown. */
  async *entries(): AsyncGenerator<{ name: string; entry: Entry }> {
    for await (const name of this.names()) {
      if (name === null || !isShareableName(name)) continue;
      const entry = await this.look(name).catch(() => null);
      if (entry && entry.kind !== 'hidden') yield { name, entry };
    }
  }

  /** Names that were given or taken are on the disk when this is settled. */
  sync(): Promise<void> {
    return this.#handle.sync();
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

function kindOf(stats: BigIntStats): Entry['kind'] {
  return stats.isFile() ? 'file' : stats.isDirectory() ? 'folder' : 'hidden';
}

/** @throws DavError 404 when no folder is shared by that tag */
export function shareOf(shares: readonly SharedFolder[], path: DavPath): SharedFolder {
  const share = shares.find(({ tag }) => tag === path[0]);
  if (!share) throw new DavError(404, 'No folder is shared by that name.');
  return share;
}

/** Gives `use` the folder at `path`, and closes it after that. @throws DavError 404 */
export async function inFolder<Result>(
  shares: readonly SharedFolder[],
  path: DavPath,
  use: (folder: OpenFolder) => Promise<Result>,
): Promise<Result> {
  let folder = await OpenFolder.root(shareOf(shares, path).path);
  try {
    for (const name of path.slice(1)) {
      const next = await folder.sub(name);
      await folder.close();
      folder = next;
    }
    return await use(folder);
  } finally {
    await folder.close();
  }
}
