/**
 * The job that brings an image from the net into the library. Its last steps are those of an import. All of it can be run again from the start
 * at any time: what came so far lies in the data folder with all that is needed to go on (`kept-download.ts`).
 */
import { stat } from 'node:fs/promises';
import { z } from 'zod';
import { Failure, toGuesthouseError } from '../../../contract/errors.ts';
import { type ImageId, imageId, type JobId } from '../../../contract/ids.ts';
import { type Clock, instantNow } from '../clock/clock.ts';
import { moveIntoPlace, removeFile } from '../files/durable.ts';
import type { Layout } from '../files/layout.ts';
import type { Images } from '../images/images.ts';
import { type ImportInput, imageNameFor } from '../images/import-job.ts';
import type { JobDefinition, JobStepDefinition, StepContext } from '../jobs/job-definition.ts';
import type { CatalogueEntry } from './catalogue-entry.ts';
import type { Http } from './http.ts';
import { type FilePlan, type KeptState, readKept, removeKept, writeKept } from './kept-download.ts';
import { checkFileSignature, findNewest } from './newest.ts';
import type { DownloadStore } from './store.ts';
import { type RetryTimings, transferFile } from './transfer.ts';
import { unpackMember } from './zip-member.ts';

/** Addresses are not here but in the folder of the download: they may hold what lets one in, and jobs are kept for long. */
const downloadInput = z.object({ imageId, key: z.string(), name: z.string().nullable(), addedBy: z.string() });
export type DownloadInput = z.infer<typeof downloadInput>;

export type DownloadJobDeps = {
  layout: Layout;
  store: DownloadStore;
  images: Pick<Images, 'list' | 'show'>;
  importDefinition: JobDefinition<ImportInput>;
  entryOf(id: string): CatalogueEntry | null;
  createHttp(): Promise<Http>;
  clock: Clock;
  timings: RetryTimings;
  keepFreeBytes(): number;
  /** A job is at the download of this key, also one that an engine before had begun. */
  began(key: string, job: JobId): void;
  /** The image is in the library. */
  done(image: ImageId, kept: KeptState, plan: FilePlan): void;
};

const importShare = 0.08;

export function defineDownload(deps: DownloadJobDeps): JobDefinition<DownloadInput> {
  const { layout } = deps;
  /** What earlier steps of a run found out for later ones. A resumed job runs all of them again. */
  const ready = new Map<string, { plan: FilePlan; path: string; name: string }>();

  const kept = async (key: string): Promise<KeptState> => {
    const state = await readKept(layout, key);
    if (!state) throw new Failure('download/not-unfinished', 'What was kept of this download is gone.', { hint: 'Start it anew.' });
    return state;
  };
  const note = (state: KeptState, change: Partial<KeptState>) => writeKept(layout, { ...state, ...change, at: instantNow(deps.clock) });
  const isInLibrary = (id: ImageId): boolean => {
    try {
      return Boolean(deps.images.show(id));
    } catch {
      return false;
    }
  };
  const withHttp = async <Result>(use: (http: Http) => Promise<Result>): Promise<Result> => {
    const http = await deps.createHttp();
    try {
      return await use(http);
    } finally {
      await http.close();
    }
  };

  /** Finds out what is to be fetched, or takes it from an earlier run whose part is still good. */
  const settlePlan = async (input: DownloadInput, signal: AbortSignal): Promise<FilePlan> => {
    const state = await kept(input.key);
    const entry = state.entry === null ? null : deps.entryOf(state.entry);
    if (state.plan) return state.plan;
    if (state.entry !== null && !entry) throw new Failure('download/unknown', `The list of downloads no longer has “${state.title}”.`);
    const plan = entry
      ? await withHttp((http) => findNewest(entry, { http, keyringsFolder: layout.keyrings, signal }))
      : planOfAddress(state);
    await note(state, { plan, error: null });
    return plan;
  };

  const getReady = async (input: DownloadInput, signal: AbortSignal) => {
    const plan = await settlePlan(input, signal);
    const { entry, title } = await kept(input.key);
    const name = entry === null ? imageNameFor(plan.fileName) : nameWithVersion(title, plan.version);
    const found = { plan, path: layout.download(input.key).whole(plan.fileName), name };
    ready.set(input.key, found);
    return found;
  };

  /** What the library has is not fetched a second time. @throws Failure `download/not-newer` */
  const refuseOld = async (key: string, plan: FilePlan): Promise<void> => {
    const { entry, title } = await kept(key);
    const sha256 = plan.digest?.algorithm === 'sha256' ? plan.digest.value : null;
    const there = deps.store
      .list()
      .filter(({ imageId }) => isInLibrary(imageId))
      .find((one) => one.entry === entry && entry !== null && one.version !== null && one.version === plan.version);
    const image = there ? deps.images.show(there.imageId) : deps.images.list().find((one) => one.sha256 === sha256);
    if (!image) return;
    await removeKept(layout, key);
    throw new Failure('download/not-newer', `The library has the newest “${title}” already, as “${image.name}”.`, {
      hint: 'Delete that image first if it is to be fetched once more.',
    });
  };

  const fetchFile = async (input: DownloadInput, plan: FilePlan, { signal, progress }: StepContext<DownloadInput>): Promise<void> => {
    const { part, whole } = layout.download(input.key);
    let state = await kept(input.key);
    await withHttp((http) =>
      transferFile({
        http,
        urls: plan.urls,
        digest: plan.digest,
        name: plan.fileName,
        part,
        kept: state,
        async keep(change) {
          state = { ...state, ...change, plan };
          await note(state, {});
        },
        keepFreeBytes: deps.keepFreeBytes,
        timings: deps.timings,
        signal,
        onProgress: progress,
      }),
    );
    await moveIntoPlace(part, whole(plan.fileName));
  };

  const own: JobStepDefinition<DownloadInput>[] = [
    {
      name: 'Find the newest version',
      weight: 1,
      async run({ input, signal, jobId }) {
        deps.began(input.key, jobId);
        if (isInLibrary(input.imageId)) return;
        const { plan } = await getReady(input, signal);
        await refuseOld(input.key, plan);
      },
    },
    {
      name: 'Download',
      weight: 90,
      async run(context) {
        const { input, signal } = context;
        const known = ready.get(input.key);
        if (!known || (await exists(known.path))) return;
        try {
          await fetchFile(input, known.plan, context);
        } catch (thrown) {
          // The makers may have published another version since the plan was made: then what was found out is of no use any more.
          if (!isOutdated(thrown) || !(await forgetPlan(input.key))) throw thrown;
          const { plan } = await getReady(input, signal);
          if (JSON.stringify(plan) === JSON.stringify(known.plan)) throw thrown;
          await fetchFile(input, plan, context);
        }
      },
    },
    {
      name: 'Check and unpack',
      weight: 2,
      async run({ input, signal, progress }) {
        const known = ready.get(input.key);
        if (!known) return;
        const state = await kept(input.key);
        const entry = state.entry === null ? null : deps.entryOf(state.entry);
        if (!entry) return;
        known.plan = await withHttp((http) =>
          checkFileSignature(entry, known.plan, known.path, { http, keyringsFolder: layout.keyrings, signal }),
        );
        if (entry.source.kind !== 'file' || entry.source.member === null) return;
        const { unpacked } = layout.download(input.key);
        await unpackMember({
          archive: known.path,
          member: new RegExp(entry.source.member),
          target: unpacked,
          keepFreeBytes: deps.keepFreeBytes(),
          signal,
          onProgress: progress,
        });
        known.path = unpacked;
      },
      async undo(input) {
        await removeFile(layout.download(input.key).unpacked);
      },
    },
  ];

  const forgetPlan = async (key: string): Promise<boolean> => {
    const state = await kept(key);
    if (state.entry === null) return false;
    await removeFile(layout.download(key).part);
    await note(state, { plan: null, validator: null, bytesTotal: null, bytesSynced: 0 });
    return true;
  };

  /** An import's own input. For undoing only the id counts, and after a crash there is nothing else. */
  const importInput = (input: DownloadInput): ImportInput => {
    const known = ready.get(input.key);
    return {
      imageId: input.imageId,
      path: known?.path ?? '',
      name: input.name ?? known?.name ?? '',
      addedBy: input.addedBy,
      origin: known ? withoutQuery(known.plan.urls[0] ?? '') : '',
      ...(known?.plan.digest ? { checksum: `${known.plan.digest.algorithm}:${known.plan.digest.value}` } : {}),
      own: true,
    };
  };
  const importSteps = deps.importDefinition.steps.map((step): JobStepDefinition<DownloadInput> => {
    const { undo } = step;
    return {
      name: step.name,
      weight: step.weight * importShare,
      async run(context) {
        if (!ready.has(context.input.key)) return;
        await step.run({ ...context, input: importInput(context.input) });
      },
      ...(undo ? { undo: (input) => undo(importInput(input)) } : {}),
    };
  });

  const last: JobStepDefinition<DownloadInput> = {
    name: 'Note where it came from',
    weight: 1,
    async run({ input }) {
      const known = ready.get(input.key);
      const state = await readKept(layout, input.key);
      if (known && state) {
        const { id } = deps.images.show(input.imageId);
        deps.store.put({
          imageId: id,
          entry: state.entry,
          version: known.plan.version,
          url: withoutQuery(known.plan.urls[0] ?? ''),
          proof: known.plan.proof,
          proofText: known.plan.proofText,
          at: instantNow(deps.clock),
        });
        deps.done(id, state, known.plan);
      }
      await removeKept(layout, input.key);
      ready.delete(input.key);
    },
  };

  return {
    kind: 'image.download',
    parseInput: (value) => downloadInput.parse(value),
    afterCrash: 'resume',
    cancellable: true,
    steps: [...own, ...importSteps, last].map((step) => ({ ...step, run: (context) => settled(step, context) })),
  };

  /** Of a cancelled download nothing is kept; of one that failed everything, with the reason. */
  async function settled(step: JobStepDefinition<DownloadInput>, context: StepContext<DownloadInput>): Promise<void> {
    const { key } = context.input;
    try {
      await step.run(context);
    } catch (thrown) {
      ready.delete(key);
      if (!context.signal.aborted) {
        const state = await readKept(layout, key);
        // A full disk must not hide why the download ended.
        if (state) await note(state, { error: toGuesthouseError(thrown) }).catch(() => undefined);
      } else if (isCancelled(context.signal)) await removeKept(layout, key);
      throw thrown;
    }
  }
}

function isCancelled(signal: AbortSignal): boolean {
  return signal.reason instanceof Failure && signal.reason.error.code === 'job/cancelled';
}

function isOutdated(thrown: unknown): boolean {
  return thrown instanceof Failure && ['download/file-missing', 'download/checksum-mismatch'].includes(thrown.error.code);
}

/** "Debian 13.1.0, network installer": the version belongs to the system, not to what kind of medium it is. */
function nameWithVersion(name: string, version: string | null): string {
  return version === null || name.includes(version) ? name : name.replace(/^[^,]+/, (system) => `${system} ${version}`);
}

function planOfAddress({ wanted, title }: KeptState): FilePlan {
  if (!wanted) throw new Failure('download/url-invalid', `The address of “${title}” is lost.`, { hint: 'Start the download anew.' });
  const { url, sha256, sha512 } = wanted;
  const digest = sha512
    ? ({ algorithm: 'sha512', value: sha512.toLowerCase() } as const)
    : sha256
      ? ({ algorithm: 'sha256', value: sha256.toLowerCase() } as const)
      : null;
  return {
    urls: [url],
    fileName: title,
    version: null,
    signatureUrls: [],
    digest,
    proof: digest ? 'checksum' : 'none',
    proofText: digest ? 'Checked by the checksum that was given.' : 'No checksum was given, so nothing but the server speaks for it.',
  };
}

/** An address without what may let one in. */
export function withoutQuery(address: string): string {
  if (!URL.canParse(address)) return '';
  const url = new URL(address);
  return `${url.origin}${url.pathname}`;
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null)) !== null;
}
