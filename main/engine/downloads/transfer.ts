/**
 * Brings one file here, whatever servers and networks do: goes on where it broke off, asks the next mirror, backs off, and hands out nothing that
 * is not what it should be.
 *
 * ```
 *   ask (Range, If-Range) ─► 206 goes on │ 200 begins anew │ 416 it was whole already
 *     ▲                          └─ cut, stalled, too slow, 5xx ─► next mirror, later and later, while nothing comes
 *     └──────────── once more from nothing ◄─ whole and not what it should be
 * ```
 */
import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { Failure } from '../../../contract/errors.ts';
import { toWriteFailure } from '../files/durable.ts';
import { demandSpace } from '../images/copy-medium.ts';
import type { Digest } from './checksums.ts';
import { bodyOf, type Http, HttpProblem, type HttpReply, hostOf, letGo } from './http.ts';
import { unreachable } from './newest.ts';

export type Validator = {
  url: string;
  /** Where that led: a server that chooses among mirrors may choose another the next time. */
  finalUrl: string;
  etag: string | null;
  lastModified: string | null;
};

export type RetryTimings = {
  firstRetryMs: number;
  longestRetryMs: number;
  /** So many failures in a row, without anything having come, are the end. */
  failuresInARow: number;
  /** A mirror that brings less than `slowBytesPerSecond` for so long gives way to another, if there is one. */
  slowAfterMs: number;
  slowBytesPerSecond: number;
};

export type TransferOptions = {
  http: Http;
  /** The same file on several servers. */
  urls: readonly string[];
  digest: Digest | null;
  /** For messages. */
  name: string;
  /** The part that came so far, or will. */
  part: string;
  /** How much of it is on the disk for sure, and what the server said of it. */
  kept: { bytesSynced: number; validator: Validator | null; bytesTotal: number | null };
  /** Remembers what a later run needs to go on. */
  keep(kept: TransferOptions['kept']): Promise<void>;
  keepFreeBytes(): number;
  timings: RetryTimings;
  signal: AbortSignal;
  onProgress(bytesDone: number, bytesTotal: number | null): void;
};

/** How often what came is forced to the disk and the free space looked at. */
const syncEveryBytes = 64 * 1024 * 1024;
const syncEveryMs = 5000;
/** Less than this is not getting anywhere. */
const progressCountsFromBytes = 64 * 1024;
const retryAfterAtMostMs = 60_000;
/** A server that begins anew each time does not get there either. */
const restartsAtMost = 5;
const readChunkBytes = 1024 * 1024;

/**
 * When it settles, the part is the whole file, forced to the disk and, where a digest is known, what it should be.
 * @throws Failure `download/unreachable`, `download/file-missing`, `download/refused`, `download/redirect-refused`, `download/checksum-mismatch`,
 * `store/full`, `store/not-writable`; or the signal's reason
 */
export async function transferFile(options: TransferOptions): Promise<void> {
  const file = await openPart(options.part);
  const transfer = new Transfer(options, file);
  try {
    await transfer.run();
  } catch (thrown) {
    await transfer.leave();
    if (options.signal.aborted) throw options.signal.reason;
    throw toWriteFailure(thrown, options.part);
  } finally {
    await file.close();
  }
}

class Transfer {
  private readonly options: TransferOptions;
  private readonly file: FileHandle;
  private position = 0;
  private synced = 0;
  private syncedAtMs = performance.now();
  private total: number | null;
  private validator: Validator | null;
  private hash: Hash;
  private restarts = 0;
  /** Bytes of this run came from several servers, or were there before. */
  private pieced = false;
  private readonly slow = new Set<string>();

  constructor(options: TransferOptions, file: FileHandle) {
    this.options = options;
    this.file = file;
    this.total = options.kept.bytesTotal;
    this.validator = options.kept.validator;
    this.hash = this.newHash();
  }

  async run(): Promise<void> {
    await this.takeUpWhatIsThere();
    let again = true;
    for (;;) {
      await this.fetchAll();
      await this.sync();
      const { digest, name, urls } = this.options;
      if (!digest || this.hash.digest('hex') === digest.value) return;
      const pieced = this.pieced;
      await this.restart();
      if (!again || (!pieced && urls.length === 1)) {
        throw new Failure(
          'download/checksum-mismatch',
          `“${name}” is not what its makers published: its ${digest.algorithm.toUpperCase()} is another.`,
          {
            hint: 'It was deleted. Try again later, or from another address: it was damaged on its way, or somebody changed it.',
          },
        );
      }
      again = false;
    }
  }

  /** What an earlier run left: all of it where a digest will tell in the end, else what was forced to the disk. */
  private async takeUpWhatIsThere(): Promise<void> {
    const { size } = await this.file.stat();
    const { digest, kept, signal } = this.options;
    const trusted = digest ? size : Math.min(size, kept.bytesSynced);
    if (trusted < size) await this.file.truncate(trusted);
    const buffer = Buffer.allocUnsafe(readChunkBytes);
    while (this.position < trusted) {
      signal.throwIfAborted();
      const { bytesRead } = await this.file.read(buffer, 0, Math.min(readChunkBytes, trusted - this.position), this.position);
      if (bytesRead === 0) break;
      this.hash.update(buffer.subarray(0, bytesRead));
      this.position += bytesRead;
    }
    this.synced = this.position;
    this.pieced = this.position > 0;
  }

  /** Asks one server after the other until the file is here. */
  private async fetchAll(): Promise<void> {
    const { urls, signal, timings } = this.options;
    const given = new Map<string, HttpProblem>();
    const out = new Set<string>();
    let failures = 0;
    let highest = this.position;
    for (let turn = 0; ; turn += 1) {
      signal.throwIfAborted();
      if (out.size < urls.length) while (out.has(urls[turn % urls.length] ?? '')) turn += 1;
      const url = out.size < urls.length ? urls[turn % urls.length] : undefined;
      if (url === undefined) throw this.refusal([...given.values()]);
      try {
        await this.fetchFrom(url, urls.length - out.size);
        return;
      } catch (thrown) {
        if (!(thrown instanceof HttpProblem)) throw thrown;
        given.set(url, thrown);
        if (!thrown.transient) out.add(url);
        if (this.position >= highest + progressCountsFromBytes) failures = 0;
        else if (thrown.transient) failures += 1;
        highest = Math.max(highest, this.position);
        if (failures >= timings.failuresInARow || this.restarts > restartsAtMost) throw this.refusal([...given.values()]);
        if (thrown.transient) await pause(this.waitMs(failures, thrown), undefined, { signal });
      }
    }
  }

  private waitMs(failures: number, problem: HttpProblem): number {
    const { firstRetryMs, longestRetryMs } = this.options.timings;
    const growing = Math.min(longestRetryMs, firstRetryMs * 2 ** Math.max(0, failures - 1));
    return Math.max(growing, Math.min(problem.retryAfterMs ?? 0, retryAfterAtMostMs));
  }

  private refusal(problems: readonly HttpProblem[]): Failure {
    const { name } = this.options;
    const detail = problems.map((problem) => problem.message).join('\n');
    const statuses = problems.map((problem) => problem.status);
    if (statuses.every((status) => status === 404 || status === 410)) {
      return new Failure('download/file-missing', `“${name}” is not on the server any more.`, {
        hint: 'Start the download again: there may be a newer version. For an address, check it.',
        detail,
      });
    }
    if (problems.every((problem) => problem.kind === 'status' && !problem.transient)) {
      return new Failure('download/refused', `The server does not hand out “${name}” (${[...new Set(statuses)].join(', ')}).`, {
        hint: 'Perhaps it wants a login: download it with a browser and import it.',
        detail,
      });
    }
    return unreachable(problems);
  }

  private async fetchFrom(url: string, serversLeft: number): Promise<void> {
    const { http, signal } = this.options;
    const condition = this.conditionFor(url);
    // Without a digest and without a condition nothing would tell whether the rest is of the same file.
    if (this.position > 0 && condition === null && !this.options.digest) await this.restart();
    if (this.position > 0 && this.validator?.url !== url) this.pieced = true;
    const from = this.position;
    const headers: Record<string, string> =
      from === 0 ? {} : { range: `bytes=${from}-`, ...(condition === null ? {} : { 'if-range': condition }) };
    const reply = await http.get(url, { headers, accepted: [416], signal });
    if (reply.status === 416) return this.settleUnsatisfied(reply);
    if (from > 0 && reply.status !== 206) await this.restart();
    const length = await this.expectedLength(reply, url);
    this.total = length;
    this.validator = validatorOf(reply, url);
    await this.keep();
    await this.demandSpace(length === null ? 0 : length - this.position);
    await this.receive(reply, serversLeft);
    if (length !== null && this.position < length)
      throw new HttpProblem('cut', `${hostOf(url)} sent less than it said.`, { transient: true });
    this.total = this.position;
  }

  /** What a server is asked to compare, so that it goes on only with the file that was begun; null when there is nothing, or a digest is better. */
  private conditionFor(url: string): string | null {
    if (this.validator?.url !== url) return null;
    if (this.options.digest && this.validator.finalUrl !== url) return null;
    return this.validator.etag ?? this.validator.lastModified;
  }

  /** The whole size that the answer implies. @throws HttpProblem for a range that was not asked for, or when the file is another than before. */
  private async expectedLength(reply: HttpReply, url: string): Promise<number | null> {
    if (reply.status !== 206) {
      const length = reply.header('content-length');
      return length !== null && /^\d+$/.test(length) ? Number(length) : null;
    }
    const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(reply.header('content-range') ?? '');
    const total = range?.[2] === '*' || !range?.[2] ? null : Number(range[2]);
    const other = total !== null && this.total !== null && total !== this.total;
    if (Number(range?.[1]) !== this.position || other) {
      letGo(reply.body);
      await this.restart();
      throw new HttpProblem('protocol', `${hostOf(url)} ${other ? 'has another file now' : 'sends another part than was asked for'}.`, {
        transient: true,
      });
    }
    return total;
  }

  /** Nothing comes behind what is here: then it is whole, or it is not the same file. */
  private async settleUnsatisfied(reply: HttpReply): Promise<void> {
    letGo(reply.body);
    const total = /^bytes \*\/(\d+)$/.exec(reply.header('content-range') ?? '')?.[1];
    if (total !== undefined && Number(total) === this.position) {
      this.total = this.position;
      return;
    }
    await this.restart();
    throw new HttpProblem('protocol', `${hostOf(reply.url)} has another file now.`, { transient: true });
  }

  private async receive(reply: HttpReply, serversLeft: number): Promise<void> {
    const { signal, onProgress, timings } = this.options;
    const host = hostOf(reply.url);
    let window = { atMs: performance.now(), bytes: 0 };
    for await (const piece of bodyOf(reply, signal)) {
      signal.throwIfAborted();
      if (this.total !== null && this.position + piece.length > this.total) {
        await this.restart();
        throw new HttpProblem('protocol', `${host} sent more than it said.`, { transient: true });
      }
      this.hash.update(piece);
      await writeAll(this.file, piece, this.position);
      this.position += piece.length;
      onProgress(this.position, this.total);
      if (this.position - this.synced >= syncEveryBytes || performance.now() - this.syncedAtMs >= syncEveryMs) {
        await this.sync();
        await this.demandSpace(0);
      }
      window.bytes += piece.length;
      const elapsedMs = performance.now() - window.atMs;
      if (elapsedMs < timings.slowAfterMs) continue;
      if (serversLeft > this.slow.size + 1 && (window.bytes * 1000) / elapsedMs < timings.slowBytesPerSecond && !this.slow.has(reply.url)) {
        this.slow.add(reply.url);
        throw new HttpProblem('stalled', `${host} is slow.`, { transient: true });
      }
      window = { atMs: performance.now(), bytes: 0 };
    }
  }

  private async demandSpace(bytes: number): Promise<void> {
    await demandSpace(this.options.part, bytes, this.options.keepFreeBytes());
  }

  private async restart(): Promise<void> {
    if (this.position > 0) this.restarts += 1;
    await this.file.truncate(0);
    this.position = 0;
    this.synced = 0;
    this.total = null;
    this.validator = null;
    this.pieced = false;
    this.hash = this.newHash();
    await this.keep();
  }

  private newHash(): Hash {
    return createHash(this.options.digest?.algorithm ?? 'sha256');
  }

  private async sync(): Promise<void> {
    await this.file.sync();
    this.synced = this.position;
    this.syncedAtMs = performance.now();
    await this.keep();
  }

  /** On the way out of a run that did not end well: what came is kept, if the disk still takes it. */
  async leave(): Promise<void> {
    await this.sync().catch(() => undefined);
  }

  private keep(): Promise<void> {
    return this.options.keep({ bytesSynced: this.synced, validator: this.validator, bytesTotal: this.total });
  }
}

/** A weak tag stands for a meaning, not for bytes, and is of no use for a part (RFC 9110, section 13.1.5). */
function validatorOf(reply: HttpReply, url: string): Validator {
  const etag = reply.header('etag');
  return {
    url,
    finalUrl: reply.url,
    etag: etag !== null && /^"[^"]*"$/.test(etag) ? etag : null,
    lastModified: reply.header('last-modified'),
  };
}

async function openPart(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r+', 0o600).catch((thrown: NodeJS.ErrnoException) => {
      if (thrown.code === 'ENOENT') return open(path, 'wx+', 0o600);
      throw thrown;
    });
  } catch (thrown) {
    throw toWriteFailure(thrown, path);
  }
}

async function writeAll(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, at, bytes.length - at, position + at);
    at += bytesWritten;
  }
}
