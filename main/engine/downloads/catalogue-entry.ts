/**
 * The shape of an entry of the list of downloads. Entries are data: what they say is carried out by `newest.ts` and `transfer.ts`, and
 * `catalogue.test.ts` checks each.
 *
 * A place is a path below each of the entry's `bases`, or a whole https address. `{name}` in it stands for what a pattern found.
 */
import { z } from 'zod';
import { downloadKind } from '../../../contract/download.ts';
import { architecture, osIdentity } from '../../../contract/guest-spec.ts';

const httpsUrl = z.url({ protocol: /^https$/ });
const place = z.string().regex(/^[\w./:{}~-]*$/);
const pattern = z.string().refine((text) => new RegExp(text, 'gm') instanceof RegExp);
const fingerprint = z.string().regex(/^[0-9A-F]{40}$/);

/**
 * How the newest version is found: `page` is read and every match of `pattern` is a candidate, the greatest `version` first (or, where it
 * names none, its first group). A candidate for which a later page is missing or says nothing gives way to the next: a folder for a release
 * is often there before the release.
 */
const lookUp = z.strictObject({ page: place, pattern });
export type LookUp = z.infer<typeof lookUp>;

const checksum = z.discriminatedUnion('kind', [
  /**
   * A file with lines "<digest>  <name>" or "SHA256 (<name>) = <digest>", or with nothing but a digest. `single` takes the one digest there
   * is whatever its name: the name of a moving link is not the one that was summed.
   */
  z.strictObject({
    kind: z.literal('file'),
    place,
    algorithm: z.enum(['sha256', 'sha512']),
    names: z.enum(['file', 'single']).default('file'),
  }),
  /** For a release that will not change any more. */
  z.strictObject({ kind: z.literal('fixed'), algorithm: z.literal('sha256'), digest: z.string().regex(/^[0-9a-f]{64}$/) }),
]);

const signedBy = {
  /** Where the signature is; null when the checksums are signed in place. */
  place: place.nullable(),
  over: z.enum(['checksums', 'file']),
};
const signature = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('openpgp'),
    ...signedBy,
    /** Primary keys whose signature counts. */
    fingerprints: z.array(fingerprint).min(1),
    /** Keyrings in which distributions ship these keys, besides the data folder's own. */
    keyrings: z.array(z.string().startsWith('/')),
  }),
  /** Of signify or minisign. Only the one key with this name counts. */
  z.strictObject({
    kind: z.literal('signify'),
    ...signedBy,
    /** The file of the key, as its makers name it: each release of OpenBSD has a key of its own. */
    keyName: z.string().regex(/^[\w.{}-]+\.pub$/),
    /** Keys that are known, by these names: the second line of their file. They go before any on this computer. */
    keys: z.record(z.string().regex(/^[\w.-]+\.pub$/), z.string().regex(/^RW[\w+/]{54}$/)),
    /** Where systems keep keys of these names, besides the data folder's own. */
    folders: z.array(z.string().startsWith('/')),
  }),
]);
export type SignatureRule = z.infer<typeof signature>;

const source = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('page'), url: httpsUrl }),
  z.strictObject({
    kind: z.literal('file'),
    /** The makers' own server first, then mirrors that they name. Each ends with a slash. */
    bases: z.array(httpsUrl.endsWith('/')).min(1).max(5),
    newest: z.array(lookUp).max(3),
    file: place,
    /** The image within the archive that is downloaded. */
    member: pattern.nullable(),
    checksum: checksum.nullable(),
    signature: signature.nullable(),
    approximateBytes: z.number().int().positive(),
  }),
]);
export type FileSource = Extract<z.infer<typeof source>, { kind: 'file' }>;

export const catalogueEntry = z.strictObject({
  id: z.string().regex(/^[a-z][a-z0-9]*(?:[.-][a-z0-9]+)*$/),
  name: z.string().min(3).max(60),
  summary: z.string().min(10).max(120),
  os: osIdentity,
  version: z.string(),
  architecture,
  kind: downloadKind,
  source,
  homepage: httpsUrl,
  /** Licence or terms of use. */
  terms: httpsUrl,
});
export type CatalogueEntry = z.input<typeof catalogueEntry>;
