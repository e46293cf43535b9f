/**
 * Recordings of consoles on their way to a file that somebody chose. A page sends what its encoder made, a second at a time; what has come is
 * on the disk whatever becomes of the page or of the app, under a name of its own beside the one chosen, which plays in any player:
 *
 * ```
 *   Debian.webm    what stood there before, until the recording is whole
 *   Debian (recording).webm
 * ```
 *
 * When it is whole it says how long it is and where its pictures are, so that players can seek (`seekable-webm.ts`). What a kill of the app left is
 * made whole by the next one (`journal.ts`), and never takes the name of another file.
 */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { type FileHandle, open, rename, rm, statfs } from 'node:fs/promises';
import { dirname, extname } from 'node:path';
import { z } from 'zod';
import { Failure } from '../../contract/errors.ts';
import { Journal } from './journal.ts';
import { SeekableWebm, WebmError } from './seekable-webm.ts';
import { writeFailure } from './write-failure.ts';

/** The most that one recording takes: about four hours at the rate that pages record with. */
const largestBytes = 16 * 1024 ** 3;
/** What is left free for guests, whose disks grow. */
const keepFreeBytes = 512 * 1024 ** 2;
/** What is read at once of a recording that is there already. */
const readBytes = 1024 ** 2;

const begunRecording = z.object({
  /** The file that grows. */
  temporary: z.string().max(4096),
  /** What it is to be called. */
  path: z.string().max(4096),
});
type BegunRecording = z.infer<typeof begunRecording>;

export function recordingJournal(path: string): Journal<BegunRecording> {
  return new Journal(path, begunRecording, ({ temporary }) => temporary, { flush: true });
}

type Recording = {
  /** Who may add to it. */
  owner: number;
  path: string;
  temporary: string;
  file: FileHandle;
  webm: SeekableWebm;
  bytes: number;
  /** Something could not be written: nothing is added any more. */
  broken: boolean;
  /** What is being written; pieces are written one after another. */
  writing: Promise<void>;
};

/** What became of a recording whose app was killed; `problem`: why it could not be made whole, and kept the name that it had. */
type KeptRecording = { path: string; problem: string | null };

export class Recordings {
  readonly #recordings = new Map<string, Recording>();
  readonly #journal: Journal<BegunRecording>;
  readonly #limits: { largestBytes: number; freeBytes: (folder: string) => Promise<number> };

  constructor(journal: Journal<BegunRecording>, limits: { largestBytes?: number; freeBytes?: (folder: string) => Promise<number> } = {}) {
    this.#journal = journal;
    this.#limits = { largestBytes, freeBytes: freeBytesOf, ...limits };
  }

  /** Begins one that will be `path`. @throws Failure `store/not-writable` */
  async begin(owner: number, path: string): Promise<string> {
    const extension = extname(path);
    const temporary = `${path.slice(0, path.length - extension.length)} (recording)${extension}`;
    // One that is on its way to the same file, or that a crash left, is not written over.
    const file = await open(temporary, 'wx').catch((error: unknown) => {
      throw writeFailure(temporary, error);
    });
    const id = randomUUID();
    this.#note(() => this.#journal.put({ temporary, path }));
    this.#recordings.set(id, {
      owner,
      path,
      temporary,
      file,
      webm: new SeekableWebm(),
      bytes: 0,
      broken: false,
      writing: Promise.resolve(),
    });
    return id;
  }

  /** Adds what came next. @throws Failure `call/invalid-input`, `store/full`, `store/not-writable`; what has come before stays */
  async add(owner: number, id: string, bytes: Uint8Array): Promise<void> {
    const recording = this.#find(owner, id);
    const added = recording.writing.then(() => this.#write(recording, bytes));
    recording.writing = added.catch(() => undefined);
    await added;
  }

  /** Gives it the name that was chosen. Null when nothing came. @throws Failure `store/not-writable`; it keeps its own name then */
  async finish(owner: number, id: string): Promise<string | null> {
    const recording = this.#find(owner, id);
    this.#recordings.delete(id);
    const { file, temporary, path } = recording;
    await recording.writing;
    try {
      if (recording.webm.wholeBytes > 0) await makeWhole(recording);
      await file.sync();
    } catch (error) {
      throw writeFailure(temporary, error);
    } finally {
      await file.close();
    }
    if (recording.webm.wholeBytes === 0) {
      await rm(temporary, { force: true });
      this.#note(() => this.#journal.remove({ temporary, path }));
      return null;
    }
    await rename(temporary, path).catch((error: unknown) => {
      throw writeFailure(path, error);
    });
    this.#note(() => this.#journal.remove({ temporary, path }));
    return path;
  }

  /** A page is gone, or with null all of them are: what it recorded is whole as far as it came. Gives the paths. */
  async finishAllOf(owner: number | null): Promise<string[]> {
    const ended = [...this.#recordings].filter(([, recording]) => owner === null || recording.owner === owner);
    const paths = await Promise.allSettled(ended.map(([id, recording]) => this.finish(recording.owner, id)));
    return paths.flatMap((each) => (each.status === 'fulfilled' && each.value !== null ? [each.value] : []));
  }

  /** Makes whole what an app that was killed has left; to be called once, when another has begun. */
  async finishLeft(): Promise<KeptRecording[]> {
    const kept: KeptRecording[] = [];
    for (const left of this.#journal.read()) {
      if ([...this.#recordings.values()].some(({ temporary }) => temporary === left.temporary)) continue;
      // A disk that is not there now may come back.
      if (!existsSync(dirname(left.temporary))) continue;
      const outcome = existsSync(left.temporary) ? await finishLeft(left) : null;
      if (outcome) kept.push(outcome);
      this.#note(() => this.#journal.remove(left));
    }
    return kept;
  }

  /** What is not remembered is not finished after a kill, and plays all the same: no reason to record nothing. */
  #note(write: () => void): void {
    try {
      write();
    } catch {
      // The disk of the data folder is full, or not there.
    }
  }

  async #write(recording: Recording, bytes: Uint8Array): Promise<void> {
    const { file, path, temporary, webm } = recording;
    if (recording.broken) throw new Failure('call/invalid-input', 'This recording has ended already.', { path: 'recording' });
    try {
      if (recording.bytes + bytes.byteLength > this.#limits.largestBytes)
        throw new Failure('store/full', 'The recording is as long as recordings may be, so it was ended.', { path });
      if ((await this.#limits.freeBytes(dirname(path))) < keepFreeBytes + bytes.byteLength)
        throw new Failure('store/full', `There is no room left for the recording beside ${path}, so it was ended.`, {
          hint: 'Free some space, or record to another disk.',
          path,
        });
      const next = pushed(webm, bytes);
      await writeAt(file, next, recording.bytes).catch((error: unknown) => {
        webm.takeBack();
        throw writeFailure(temporary, error);
      });
      recording.bytes += next.byteLength;
    } catch (error) {
      recording.broken = true;
      throw error;
    }
  }

  #find(owner: number, id: string): Recording {
    const recording = this.#recordings.get(id);
    if (!recording || recording.owner !== owner)
      throw new Failure('call/invalid-input', 'This recording has ended already.', { path: 'recording' });
    return recording;
  }
}

function pushed(webm: SeekableWebm, bytes: Uint8Array): Uint8Array {
  try {
    return webm.push(bytes);
  } catch (error) {
    webm.takeBack();
    if (!(error instanceof WebmError)) throw error;
    throw new Failure('call/invalid-input', `The recording is no WebM: ${error.message}.`, { path: 'bytes' });
  }
}

/** Null when nothing had come of it. */
async function finishLeft({ temporary, path }: BegunRecording): Promise<KeptRecording | null> {
  try {
    const file = await open(temporary, 'r+');
    try {
      const webm = new SeekableWebm();
      for (let at = 0; ; ) {
        const { bytesRead, buffer } = await file.read(Buffer.alloc(readBytes), 0, readBytes, at);
        if (bytesRead === 0) break;
        webm.push(buffer.subarray(0, bytesRead));
        at += bytesRead;
      }
      if (webm.wholeBytes === 0) {
        await rm(temporary);
        return null;
      }
      await makeWhole({ file, webm });
      await file.sync();
    } finally {
      await file.close();
    }
    const name = freeName(path);
    await rename(temporary, name);
    return { path: name, problem: null };
  } catch (error) {
    return { path: temporary, problem: error instanceof Error ? error.message : String(error) };
  }
}

/** That path, or else with a number: what stands there is not the one that somebody agreed to replace, for all that is known. */
function freeName(path: string): string {
  const extension = extname(path);
  const stem = path.slice(0, path.length - extension.length);
  let name = path;
  for (let number = 1; existsSync(name); number++) name = `${stem} (${number})${extension}`;
  return name;
}

/** In this order: whenever it stops, what stands there plays, and can be made whole again. */
async function makeWhole({ file, webm }: Pick<Recording, 'file' | 'webm'>): Promise<void> {
  const length = webm.wholeBytes;
  await file.truncate(length);
  let withCues = true;
  await writeAt(file, webm.finish(true).cues, length).catch(async () => {
    withCues = false;
    await file.truncate(length);
  });
  await file.sync();
  for (const { at, bytes } of webm.finish(withCues).patches) await writeAt(file, bytes, at);
}

async function writeAt(file: FileHandle, bytes: Uint8Array, at: number): Promise<void> {
  for (let done = 0; done < bytes.byteLength; ) {
    const { bytesWritten } = await file.write(bytes, done, bytes.byteLength - done, at + done);
    done += bytesWritten;
  }
}

async function freeBytesOf(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}
