/** Operating systems that can be had from the net: the curated list, how far each of its entries is, and downloads that were begun and not ended. */
import { z } from 'zod';
import { guesthouseError } from './errors.ts';
import { architecture, osIdentity } from './guest-spec.ts';
import { imageId, instant, jobId } from './ids.ts';

/** What an entry gives: a disc to install from, one that also runs by itself, a finished disk, drivers, or only a page to read. */
export const downloadKind = z.enum(['installer', 'live', 'disk', 'drivers', 'page']);

/** What stands for a file being what its makers published. `none` says that they publish nothing to compare it with. */
export const downloadProof = z.enum(['signature', 'checksum', 'none']);
export type DownloadProof = z.infer<typeof downloadProof>;

/** A download that was begun, whose part is kept and can be gone on with. */
export const unfinishedDownload = z.object({
  key: z.string(),
  /** The entry of the list, or null for an address that somebody gave. */
  entry: z.string().nullable(),
  title: z.string(),
  /** Where it comes from, without what follows a question mark. */
  url: z.string(),
  bytesDone: z.number(),
  bytesTotal: z.number().nullable(),
  at: instant,
  /** Why it stopped; null when the engine ended during it or it is under way. */
  error: guesthouseError.nullable(),
  /** The job that is at it now. */
  job: jobId.nullable(),
});
export type UnfinishedDownload = z.infer<typeof unfinishedDownload>;

export const downloadEntry = z.object({
  id: z.string(),
  name: z.string(),
  /** What it is good for, in a sentence. */
  summary: z.string(),
  os: osIdentity,
  /** "13", or what stands for it: "newest". */
  version: z.string(),
  architecture,
  kind: downloadKind,
  /** About how much is transferred; null for a page. */
  approximateBytes: z.number().nullable(),
  /** The best that can be checked. A signature counts only where its key is in the list or on this computer. */
  proof: downloadProof,
  homepage: z.url(),
  terms: z.url(),
  /** The page that is opened in the browser, for a `page`. */
  page: z.url().nullable(),
  /** Host that it comes from first. */
  host: z.string(),
  /** Newest image in the library that came from this entry. */
  image: z.object({ id: imageId, version: z.string().nullable(), proof: downloadProof, at: instant }).nullable(),
  unfinished: unfinishedDownload.nullable(),
  job: jobId.nullable(),
});
export type DownloadEntry = z.infer<typeof downloadEntry>;

export const downloadList = z.object({
  entries: z.array(downloadEntry),
  /** Begun from an address and not from the list. */
  unfinished: z.array(unfinishedDownload),
});

const sha256 = z.string().regex(/^[0-9a-fA-F]{64}$/, 'A SHA-256 has 64 hexadecimal digits.');
const sha512 = z.string().regex(/^[0-9a-fA-F]{128}$/, 'A SHA-512 has 128 hexadecimal digits.');

export const downloadSource = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('entry'), entry: z.string() }),
  /** Goes on with what was begun, from the list or from an address. */
  z.strictObject({ kind: z.literal('unfinished'), key: z.string() }),
  z.strictObject({ kind: z.literal('url'), url: z.string().max(4096), sha256: sha256.optional(), sha512: sha512.optional() }),
]);
export type DownloadSource = z.infer<typeof downloadSource>;

/** Whether servers of the list answer. Asked once and kept for a minute, since a page asks whenever it is opened. */
export const networkCheck = z.object({
  reachable: z.boolean(),
  /** "cdimage.debian.org answers.", "No server of the list answers: …" */
  text: z.string(),
  /** The proxy that is used, without who logs in there; null when there is none. */
  proxy: z.string().nullable(),
  checkedAt: instant,
});
export type NetworkCheck = z.infer<typeof networkCheck>;
