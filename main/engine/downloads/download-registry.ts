/** Implements `downloads.ts`: the list with what is known of each entry, and the jobs that download. */
import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import type { DownloadEntry, DownloadSource, UnfinishedDownload } from '../../../contract/download.ts';
import { Failure } from '../../../contract/errors.ts';
import type { JobId } from '../../../contract/ids.ts';
import type { Settings } from '../../../contract/settings.ts';
import { type Clock, instantNow } from '../clock/clock.ts';
import type { Feed } from '../feed/feed.ts';
import type { Layout } from '../files/layout.ts';
import type { Images } from '../images/images.ts';
import type { ImportInput } from '../images/import-job.ts';
import type { JobDefinition, JobRunner } from '../jobs/job-definition.ts';
import type { Log } from '../log/log.ts';
import type { Database } from '../store/database.ts';
import { newImageId } from '../store/new-id.ts';
import { catalogue } from './catalogue.ts';
import type { CatalogueEntry } from './catalogue-entry.ts';
import { defineDownload, withoutQuery } from './download-job.ts';
import type { Downloads } from './downloads.ts';
import { createHttp, type HttpTimings, hostOf, shownProxy } from './http.ts';
import { type KeptState, keptBytes, listKept, readKept, removeKept, safeFileName, writeKept } from './kept-download.ts';
import { createNetworkCheck } from './network-check.ts';
import { createDownloadStore, type DownloadedImage } from './store.ts';
import type { RetryTimings } from './transfer.ts';

export type DownloadsDeps = {
  layout: Layout;
  database: Database;
  jobs: Pick<JobRunner, 'start' | 'ended'>;
  images: Pick<Images, 'list' | 'show'>;
  importDefinition: JobDefinition<ImportInput>;
  feed: Feed;
  clock: Clock;
  log: Log;
  settings: () => Pick<Settings, 'keepFreeMiB' | 'downloadProxy'>;
  environment?: NodeJS.ProcessEnv;
  /** What follows is for tests. */
  entries?: readonly CatalogueEntry[];
  timings?: Partial<HttpTimings & RetryTimings>;
  ca?: string;
};

export type DownloadRegistry = Downloads & { jobDefinitions: readonly JobDefinition<never>[] };

const usualTimings: HttpTimings & RetryTimings = {
  connectMs: 15_000,
  headersMs: 30_000,
  stallMs: 30_000,
  firstRetryMs: 500,
  longestRetryMs: 30_000,
  failuresInARow: 8,
  slowAfterMs: 20_000,
  slowBytesPerSecond: 16 * 1024,
};

export function createDownloads(deps: DownloadsDeps): DownloadRegistry {
  const { layout, clock, images } = deps;
  const log = deps.log.child({ room: 'downloads' });
  const environment = deps.environment ?? process.env;
  const timings = { ...usualTimings, ...deps.timings };
  const entries = deps.entries ?? catalogue;
  const store = createDownloadStore(deps.database);
  /** Jobs that are at it, by what they download. */
  const active = new Map<string, JobId>();

  const http = (changed: Partial<HttpTimings> = {}) =>
    createHttp({
      proxy: deps.settings().downloadProxy,
      environment,
      timings: { ...timings, ...changed },
      ...(deps.ca === undefined ? {} : { ca: deps.ca }),
    });

  const began = (key: string, job: JobId) => {
    active.set(key, job);
    deps.jobs
      .ended(job)
      .catch(() => undefined)
      .finally(() => active.delete(key));
  };

  const definition = defineDownload({
    layout,
    store,
    images,
    importDefinition: deps.importDefinition,
    entryOf: (id) => entries.find((entry) => entry.id === id) ?? null,
    createHttp: http,
    clock,
    timings,
    keepFreeBytes: () => deps.settings().keepFreeMiB * 1024 ** 2,
    began,
    done(imageId, kept, plan) {
      log.info({ image: imageId, entry: kept.entry, proof: plan.proof }, 'An image was downloaded.');
      deps.feed.record({ severity: 'info', kind: 'image.downloaded', text: `“${kept.title}” was downloaded. ${plan.proofText}`, imageId });
    },
  });

  const network = createNetworkCheck({
    clock,
    http,
    hosts: [...new Set(entries.flatMap(({ source }) => (source.kind === 'file' ? [source.bases[0] ?? ''] : [])))],
    proxy: () => shownProxy(deps.settings().downloadProxy, environment),
  });

  const describeKept = async (kept: KeptState): Promise<UnfinishedDownload> => ({
    key: kept.key,
    entry: kept.entry,
    title: kept.title,
    url: withoutQuery(kept.plan?.urls[0] ?? kept.wanted?.url ?? ''),
    bytesDone: await keptBytes(layout, kept),
    bytesTotal: kept.bytesTotal,
    at: kept.at,
    error: active.has(kept.key) ? null : kept.error,
    job: active.get(kept.key) ?? null,
  });

  const findKept = async (key: string): Promise<KeptState> => {
    const kept = (await listKept(layout)).find((one) => one.key === key);
    if (kept) return kept;
    throw new Failure('download/not-unfinished', 'Nothing is kept of such a download.', { hint: 'It may be finished, or was discarded.' });
  };

  const refuseActive = (key: string, title: string) => {
    const job = active.get(key);
    if (job) throw new Failure('download/in-progress', `“${title}” is being downloaded already.`, { hint: `See job ${job}.` });
  };

  return {
    jobDefinitions: [definition as unknown as JobDefinition<never>],

    async list() {
      const kept = await Promise.all((await listKept(layout)).map(describeKept));
      const there = new Set(images.list().map((image) => image.id));
      const downloaded = store.list().filter((one) => there.has(one.imageId));
      return {
        entries: entries.map((entry) =>
          describeEntry(
            entry,
            downloaded.find((one) => one.entry === entry.id),
            kept.find((one) => one.entry === entry.id),
            active.get(entry.id) ?? null,
          ),
        ),
        unfinished: kept.filter((one) => one.entry === null || !entries.some((entry) => entry.id === one.entry)),
      };
    },

    checkNetwork: (refresh) => network.check(refresh),

    async start(source, name, by) {
      const wanted = source.kind === 'unfinished' ? await findKept(source.key) : wantedOf(source, entries);
      refuseActive(wanted.key, wanted.title);
      const before = await readKept(layout, wanted.key);
      const partBytes = before ? await keptBytes(layout, before) : 0;
      await writeKept(layout, { ...(before && partBytes > 0 ? goingOn(before, wanted) : wanted), at: instantNow(clock) });
      // Somebody else may have asked for the same while the disk was written.
      refuseActive(wanted.key, wanted.title);
      const input = { imageId: newImageId(), key: wanted.key, name: name ?? null, addedBy: by };
      const shown = name ?? wanted.title;
      const job = deps.jobs.start(definition, {
        title: `Download ${shown}`,
        target: { kind: 'image', id: input.imageId, name: shown },
        input,
        startedBy: by,
      });
      began(wanted.key, job.id);
      return job;
    },

    async discard(key) {
      const kept = await findKept(key);
      refuseActive(key, kept.title);
      await removeKept(layout, key);
    },
  };
}

type Wanted = Omit<KeptState, 'at'>;

function wantedOf(source: Exclude<DownloadSource, { kind: 'unfinished' }>, entries: readonly CatalogueEntry[]): Wanted {
  const fresh = { version: 1, plan: null, validator: null, bytesTotal: null, bytesSynced: 0, error: null } as const;
  if (source.kind === 'entry') {
    const entry = entries.find((one) => one.id === source.entry);
    if (!entry)
      throw new Failure('download/unknown', `The list of downloads has no “${source.entry}”.`, {
        hint: 'See it with “guesthouse image download list”.',
      });
    if (entry.source.kind === 'page')
      throw new Failure('download/page-only', `“${entry.name}” is not downloaded here: its makers want their page to be read first.`, {
        hint: `Open ${entry.source.url}, download the ISO there, then import it.`,
      });
    return { ...fresh, key: entry.id, entry: entry.id, title: entry.name, wanted: null };
  }
  const url = parseAddress(source.url);
  const digest = createHash('sha256').update(url.href).digest('hex').slice(0, 20);
  return {
    ...fresh,
    key: `url-${digest}`,
    entry: null,
    title: safeFileName(decodedName(url)),
    wanted: { url: url.href, sha256: source.sha256 ?? null, sha512: source.sha512 ?? null },
  };
}

/** What was found out about the part that is there holds, unless it was to be another file. */
function goingOn(before: KeptState, wanted: Wanted): KeptState {
  const sameFile = before.wanted?.sha256 === wanted.wanted?.sha256 && before.wanted?.sha512 === wanted.wanted?.sha512;
  return { ...before, wanted: wanted.wanted, plan: sameFile ? before.plan : null, error: null };
}

/** @throws Failure `download/url-invalid` */
function parseAddress(address: string): URL {
  const refuse = (why: string, hint: string) =>
    new Failure('download/url-invalid', `From this address nothing can be downloaded: ${why}.`, { hint, path: 'source.url' });
  if (!URL.canParse(address)) throw refuse('it is no address', 'Give it whole, from https:// on.');
  const url = new URL(address);
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw refuse(`${url.protocol} is neither https: nor http:`, 'A file of this computer is imported instead.');
  if (url.username !== '' || url.password !== '')
    throw refuse('it holds a name and password, which would be kept', 'Download it with a browser, then import it.');
  url.hash = '';
  return url;
}

function decodedName(url: URL): string {
  const name = basename(url.pathname);
  try {
    return decodeURIComponent(name) || url.hostname;
  } catch {
    return name;
  }
}

function describeEntry(
  { source, ...entry }: CatalogueEntry,
  downloaded: DownloadedImage | undefined,
  kept: UnfinishedDownload | undefined,
  job: JobId | null,
): DownloadEntry {
  const isFile = source.kind === 'file';
  return {
    ...entry,
    approximateBytes: isFile ? source.approximateBytes : null,
    proof: !isFile || !source.checksum ? 'none' : source.signature ? 'signature' : 'checksum',
    page: isFile ? null : source.url,
    host: hostOf(isFile ? (source.bases[0] ?? '') : source.url),
    image: downloaded ? { id: downloaded.imageId, version: downloaded.version, proof: downloaded.proof, at: downloaded.at } : null,
    unfinished: kept ?? null,
    job,
  };
}
