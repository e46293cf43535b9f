/** Files and folders that are not whole yet: they have names of their own beside where they will stand, which no guest is shown. */
import { randomBytes } from 'node:crypto';
import { DavError } from './dav-error.ts';
import { isShareableName, replacedPrefix, uploadPrefix } from './dav-path.ts';
import type { OpenFolder } from './open-folder.ts';

/** What nobody has written to for so long was left over by an engine that was killed. */
const leftOverAfterMs = 60 * 60 * 1000;
const entriesMax = 100_000;
const depthMax = 64;
const pieceBytes = 256 * 1024;

export class Uploads {
  readonly #open = new Set<string>();

  /** Gives `write` a name; whatever is of that name afterwards is removed. */
  async within<Result>(folder: OpenFolder, write: (name: string) => Promise<Result>): Promise<Result> {
    const name = uploadPrefix + randomBytes(12).toString('hex');
    this.#open.add(name);
    try {
      return await write(name);
    } finally {
      await removeTree(folder, name).catch(() => undefined);
      this.#open.delete(name);
    }
  }

  /** Removes what is left over in a folder of uploads that will never be whole. */
  async sweep(folder: OpenFolder, name: string, now: number): Promise<void> {
    if (!name.startsWith(uploadPrefix) || this.#open.has(name)) return;
    const entry = await folder.look(name).catch(() => null);
    if (entry && now - Number(entry.stats.mtimeMs) > leftOverAfterMs) await removeTree(folder, name).catch(() => undefined);
  }
}

/** Removes a file, a link itself, or a folder with all that is in it. Nothing there is as good. */
export async function removeTree(parent: OpenFolder, name: string, depth = 0): Promise<void> {
  const entry = await parent.look(name);
  if (!entry) return;
  if (entry.kind !== 'folder') return parent.unlink(name);
  if (depth > depthMax) throw new DavError(409, 'The folder is too deep.');
  const folder = await parent.sub(name);
  try {
    const names: string[] = [];
    for await (const each of folder.names()) if (each !== null) names.push(each);
    for (const each of names) await removeTree(folder, each, depth + 1);
  } finally {
    await folder.close();
  }
  await parent.removeFolder(name);
}

/**
 * Nothing that a guest cannot see is removed by it.
 * @throws DavError 409 when a folder holds such a thing
 */
export async function refuseHidden(parent: OpenFolder, name: string, budget = { left: entriesMax }, depth = 0): Promise<void> {
  const entry = await parent.look(name);
  if (entry?.kind === 'hidden') throw new DavError(409, 'There is something in it that is not shared.');
  if (entry?.kind !== 'folder') return;
  if (depth > depthMax || --budget.left < 0) throw new DavError(409, 'The folder is too large.');
  const folder = await parent.sub(name);
  try {
    for await (const each of folder.names()) {
      if (each?.startsWith(uploadPrefix)) continue;
      if (each === null || !isShareableName(each)) throw new DavError(409, 'There is something in it that is not shared.');
      await refuseHidden(folder, each, budget, depth + 1);
    }
  } finally {
    await folder.close();
  }
}

/** Copies what a guest can see of a file or a folder; on the disk when settled. */
export async function copyTree(
  from: OpenFolder,
  name: string,
  to: OpenFolder,
  newName: string,
  options: { deep: boolean; signal: AbortSignal },
  budget = { left: entriesMax },
  depth = 0,
): Promise<void> {
  options.signal.throwIfAborted();
  if (depth > depthMax || --budget.left < 0) throw new DavError(507, 'The folder is too large to be copied.');
  const entry = await from.look(name);
  if (entry?.kind === 'file') return copyFile(from, name, to, newName, options.signal);
  if (entry?.kind !== 'folder') throw new DavError(404, 'There is no such file.');
  await to.makeFolder(newName);
  if (!options.deep) return;
  const source = await from.sub(name);
  try {
    const target = await to.sub(newName);
    try {
      for await (const { name: each } of source.entries()) await copyTree(source, each, target, each, options, budget, depth + 1);
      await target.sync();
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

async function copyFile(from: OpenFolder, name: string, to: OpenFolder, newName: string, signal: AbortSignal): Promise<void> {
  const { handle: source, stats } = await from.file(name);
  try {
    const target = await to.create(newName, Number(stats.mode & 0o777n));
    try {
      const piece = Buffer.allocUnsafe(pieceBytes);
      for (let at = 0; ; ) {
        signal.throwIfAborted();
        const { bytesRead } = await source.read(piece, 0, piece.length, at);
        if (bytesRead === 0) break;
        await writeAll(target, piece.subarray(0, bytesRead));
        at += bytesRead;
      }
      await target.sync();
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

/** `handle.write` may write a part only. */
export async function writeAll(handle: { write(bytes: Uint8Array): Promise<{ bytesWritten: number }> }, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.byteLength; ) done += (await handle.write(bytes.subarray(done))).bytesWritten;
}

/** Puts what is whole in its place. What stood there is gone only when the new one stands. */
export async function putInPlace(from: OpenFolder, name: string, to: OpenFolder, newName: string): Promise<void> {
  const [source, target] = [await from.look(name), await to.look(newName)];
  if (!target || (source?.kind === 'file' && target.kind === 'file')) return from.moveTo(name, to, newName);
  const aside = replacedPrefix + randomBytes(12).toString('hex');
  await to.moveTo(newName, to, aside);
  try {
    await from.moveTo(name, to, newName);
  } catch (thrown) {
    await to.moveTo(aside, to, newName);
    throw thrown;
  }
  await to.sync();
  await removeTree(to, aside);
}
