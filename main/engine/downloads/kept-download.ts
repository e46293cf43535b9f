/**
 * What is kept of a download on the disk: a folder with `state.json`, the `part` that came so far, and the whole file once it was checked.
 * It is all that a later job, or a later engine, needs to go on.
 */
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { downloadProof } from '../../../contract/download.ts';
import { guesthouseError } from '../../../contract/errors.ts';
import { instant } from '../../../contract/ids.ts';
import { syncFolder, writeWhole } from '../files/durable.ts';
import type { Layout } from '../files/layout.ts';
import { makePrivateFolder } from '../files/private-folder.ts';

/** Where the file is and what it must be, as it was found out once. */
export const filePlan = z.object({
  /** The same file on each server, the makers' own first. */
  urls: z.array(z.url()).min(1),
  fileName: z.string(),
  version: z.string().nullable(),
  /** Where the signature over the file itself is; empty when there is none. */
  signatureUrls: z.array(z.url()),
  digest: z.object({ algorithm: z.enum(['sha256', 'sha512']), value: z.string() }).nullable(),
  proof: downloadProof,
  /** What was checked and what could not be, in a sentence. */
  proofText: z.string(),
});
export type FilePlan = z.infer<typeof filePlan>;

const keptState = z.object({
  version: z.literal(1),
  key: z.string(),
  entry: z.string().nullable(),
  title: z.string(),
  /** For a download from an address: what its user said it must be. */
  wanted: z.object({ url: z.url(), sha256: z.string().nullable(), sha512: z.string().nullable() }).nullable(),
  plan: filePlan.nullable(),
  /** What the server said of the file whose part this is, for asking whether it is still the same. */
  validator: z
    .object({ url: z.string(), finalUrl: z.string(), etag: z.string().nullable(), lastModified: z.string().nullable() })
    .nullable(),
  bytesTotal: z.number().nullable(),
  /** How much of the part was forced to the disk for sure. */
  bytesSynced: z.number(),
  at: instant,
  error: guesthouseError.nullable(),
});
export type KeptState = z.infer<typeof keptState>;

/** Null when there is none, or when it cannot be understood. */
export async function readKept(layout: Layout, key: string): Promise<KeptState | null> {
  try {
    return keptState.parse(JSON.parse(await readFile(layout.download(key).state, 'utf8')));
  } catch {
    return null;
  }
}

export async function writeKept(layout: Layout, state: KeptState): Promise<void> {
  const { folder, state: path } = layout.download(state.key);
  makePrivateFolder(folder);
  await writeWhole(path, JSON.stringify(state));
}

export async function listKept(layout: Layout): Promise<KeptState[]> {
  const names = (await readdir(layout.downloads).catch(() => [])).filter((name) => /^[a-z0-9.-]+$/.test(name));
  return (await Promise.all(names.map((name) => readKept(layout, name)))).filter((state) => state !== null);
}

/** Size of what came so far; of the whole file once that is there. */
export async function keptBytes(layout: Layout, state: KeptState): Promise<number> {
  const { part, whole } = layout.download(state.key);
  for (const path of state.plan ? [part, whole(state.plan.fileName)] : [part]) {
    const found = await stat(path).catch(() => null);
    if (found) return found.size;
  }
  return 0;
}

export async function removeKept(layout: Layout, key: string): Promise<void> {
  const { folder } = layout.download(key);
  await rm(folder, { recursive: true, force: true });
  await syncFolder(dirname(folder)).catch(() => undefined);
}

/** A name for the file in our own folder: recognised by people and by rules on endings, harmless to a shell. */
export function safeFileName(name: string): string {
  const plain = name
    .replace(/[^A-Za-z0-9._+-]/g, '_')
    .replace(/^[.-]+/, '')
    .slice(-120);
  return plain === '' || plain === 'part' || plain === 'state.json' ? `image-${plain || 'file'}` : plain;
}
