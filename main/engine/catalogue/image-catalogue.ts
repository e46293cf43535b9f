/** Implements `catalogue.ts` over the images, the guests and the rows beside them. */
import { Failure } from '../../../contract/errors.ts';
import { guestCannot } from '../../../contract/guest-can.ts';
import type { GuestId, ImageId } from '../../../contract/ids.ts';
import { type Image, isNewerVersion, noFacts } from '../../../contract/image.ts';
import type { ContentDifference, ImageOrigin } from '../../../contract/image-catalogue.ts';
import { parseImageQuery, type QueryTerm } from '../../../contract/image-query.ts';
import type { Settings } from '../../../contract/settings.ts';
import { type Clock, instantNow } from '../clock/clock.ts';
import type { Feed } from '../feed/feed.ts';
import type { Layout } from '../files/layout.ts';
import type { Guests } from '../guests/guests.ts';
import type { HostCapabilities } from '../host/capabilities.ts';
import type { Images } from '../images/images.ts';
import type { ImportInput } from '../images/import-job.ts';
import type { JobDefinition, JobRunner } from '../jobs/job-definition.ts';
import type { OsRecognition } from '../os/os-recognition.ts';
import type { Database } from '../store/database.ts';
import { newImageId } from '../store/new-id.ts';
import { capturedDisk, defineCapture } from './capture-job.ts';
import type { Catalogue } from './catalogue.ts';
import { defineCompare } from './compare-job.ts';
import { fieldDifferences, packageDifferences } from './differences.ts';
import { countFacets } from './facets.ts';
import { factsScript, parseFacts } from './guest-facts.ts';
import { buildCondition, buildOrder } from './search-sql.ts';
import { createCatalogueStore, type StoredOrigin } from './store.ts';

export type CatalogueDeps = {
  database: Database;
  clock: Clock;
  feed: Feed;
  jobs: Pick<JobRunner, 'start'>;
  host: Pick<HostCapabilities, 'qemuImgPath'>;
  recognition: Pick<OsRecognition, 'systems'>;
  /** Asked only when a call is answered: images ask for the origins of guests before they are there themselves. */
  images: () => Pick<Images, 'list' | 'show' | 'packages' | 'pick' | 'known' | 'uses' | 'edit' | 'fillIn' | 'renameSeries' | 'undoEdit'>;
  guests: () => Pick<Guests, 'list' | 'show' | 'exec' | 'hold'>;
  importDefinition: () => JobDefinition<ImportInput>;
  settings: () => Pick<Settings, 'keepFreeMiB'>;
  layout: Layout;
};

export type ImageCatalogue = Catalogue & { jobDefinitions: readonly JobDefinition<never>[] };

const pageDefault = 100;
const agentTimeoutSeconds = 30;

export function createCatalogue(deps: CatalogueDeps): ImageCatalogue {
  const { clock, feed, jobs, images, guests } = deps;
  const store = createCatalogueStore(deps.database);
  const origins = new Map(store.origins.list().map((origin) => [origin.guest, origin]));
  const compareDefinition = defineCompare({ store, images: { show: (id) => images().show(id) }, host: deps.host, clock });

  const termsOf = (query: string): readonly QueryTerm[] => {
    const { terms, problem } = parseImageQuery(query);
    if (problem) throw new Failure('image/query-invalid', problem.message, { hint: problem.hint, path: 'query' });
    return terms;
  };

  const newestOf = (all: readonly Image[], series: ImageOrigin['series']): ImageOrigin['newer'] => {
    if (!series) return null;
    const newest = all
      .filter((image) => isNewerVersion(image, series))
      .reduce<Image | null>((best, image) => ((image.series?.version ?? 0) > (best?.series?.version ?? 0) ? image : best), null);
    return newest?.series
      ? { imageId: newest.id, imageName: newest.name, version: newest.series.version, changeNote: newest.series.changeNote }
      : null;
  };

  /** An image that got its place in a series after the guest was made counts with the place that it has now. */
  const describeOrigin = ({ image: id, imageName, series }: StoredOrigin, all: readonly Image[]): ImageOrigin => {
    const image = all.find((candidate) => candidate.id === id);
    const place = image ? image.series && { name: image.series.name, version: image.series.version } : series;
    return { imageId: id, imageName: image?.name ?? imageName, present: image !== undefined, series: place, newer: newestOf(all, place) };
  };

  const keepOrigin = (origin: StoredOrigin): void => {
    store.origins.save(origin);
    origins.set(origin.guest, origin);
  };
  const recordOrigin = (guest: GuestId, id: ImageId): void => {
    const { name, series } = images().show(id);
    keepOrigin({ guest, image: id, imageName: name, series: series && { name: series.name, version: series.version } });
  };

  /** A guest whose image is gone knows its series by name alone. */
  const renameInOrigins = (from: string, to: string): void => {
    for (const origin of origins.values()) {
      if (origin.series?.name.toLowerCase() !== from.toLowerCase()) continue;
      keepOrigin({ ...origin, series: { ...origin.series, name: to } });
    }
  };

  const factsOf: Catalogue['factsOf'] = (guest) => {
    const facts = store.facts.find(guest);
    if (!facts) return null;
    const { osName, readAt, ...system } = facts;
    return system.patchLevelFrom === null
      ? system
      : { ...noFacts, ...system, patchLevelFrom: `${system.patchLevelFrom} Asked of the running guest on ${readAt.slice(0, 10)}.` };
  };
  const captureDefinition = defineCapture({
    layout: deps.layout,
    guests,
    images,
    importDefinition: deps.importDefinition,
    host: deps.host,
    keepFreeBytes: () => deps.settings().keepFreeMiB * 1024 ** 2,
    factsOf,
  });

  const contentReason = (one: Image, other: Image): string | null => {
    if (one.id === other.id) return 'An image does not differ from itself.';
    return one.kind === other.kind ? null : 'One is a disc and the other a disk: nothing in them lies at the same place.';
  };

  const comparison = (one: ImageId, other: ImageId): ContentDifference | null => {
    const kept = store.comparisons.find(one, other);
    if (kept) return kept;
    const turned = store.comparisons.find(other, one);
    return turned && { ...turned, onlyOneBytes: turned.onlyOtherBytes, onlyOtherBytes: turned.onlyOneBytes };
  };

  return {
    jobDefinitions: [compareDefinition, captureDefinition] as unknown as JobDefinition<never>[],

    search({ query, sort = 'name', descending = false, offset = 0, limit = pageDefault }) {
      const condition = buildCondition(termsOf(query), { today: instantNow(clock).slice(0, 10), uses: () => images().uses() });
      const ids = store.search(condition, buildOrder(sort, descending));
      return {
        total: ids.length,
        ids,
        images: images().pick(ids.slice(offset, offset + limit)),
        facets: countFacets(images().known(ids)),
      };
    },

    searches: {
      list: store.searches.list,
      save(name, query, by) {
        termsOf(query);
        const search = { name, query, savedAt: instantNow(clock), savedBy: by };
        store.searches.save(search);
        return search;
      },
      remove(name) {
        if (store.searches.remove(name)) return;
        throw new Failure('search/not-found', `There is no saved search “${name}”.`, {
          hint: 'See the list with “guesthouse image searches list”.',
        });
      },
    },

    renameSeries: (series, name, by) =>
      deps.database.transaction(() => {
        const edited = images().renameSeries(series, name, by);
        renameInOrigins(series, name);
        return edited;
      }),
    undoEdit: (edit) =>
      deps.database.transaction(() => {
        const { seriesRenamed, ...undone } = images().undoEdit(edit);
        if (seriesRenamed && undone.restored > 0) renameInOrigins(seriesRenamed.to, seriesRenamed.from);
        return undone;
      }),

    differences(oneId, otherId) {
      const one = images().show(oneId);
      const other = images().show(otherId);
      const [packages, others] = [images().packages(one.id), images().packages(other.id)];
      return {
        fields: fieldDifferences(one, other),
        packages: packages && others && packageDifferences(packages, others),
        content: comparison(one.id, other.id),
        cannotCompare: contentReason(one, other),
      };
    },

    compare(oneId, otherId, by) {
      const one = images().show(oneId);
      const other = images().show(otherId);
      const reason = contentReason(one, other);
      if (reason) throw new Failure('image/not-comparable', reason);
      return jobs.start(compareDefinition, {
        title: `Compare ${one.name} with ${other.name}`,
        target: { kind: 'image', id: one.id, name: one.name },
        input: { one: one.id, other: other.id },
        startedBy: by,
      });
    },

    capture({ guest: id, name, series, lifecycle }, by) {
      const guest = guests().show(id);
      const reason = guestCannot(guest.state, 'clone');
      if (reason) throw new Failure('guest/denied', reason, { hint: 'Shut the guest down first.' });
      capturedDisk(guest.spec);
      const imageId = newImageId();
      return jobs.start(captureDefinition, {
        title: `Make an image of ${guest.spec.name}`,
        target: { kind: 'image', id: imageId, name },
        input: { imageId, guestId: id, guestName: guest.spec.name, name, addedBy: by, series, lifecycle },
        startedBy: by,
      });
    },

    systems: () => deps.recognition.systems(),

    recordOrigin,
    inheritOrigin(guest, from) {
      if (from?.kind === 'image') return recordOrigin(guest, from.id as ImageId);
      const parent = from?.id as GuestId | undefined;
      const origin = parent && origins.get(parent);
      if (origin) keepOrigin({ ...origin, guest });
      const facts = parent && store.facts.find(parent);
      if (facts) store.facts.save(guest, facts);
    },
    originOf: (guest) => origins.get(guest)?.image ?? null,
    origin(guest) {
      guests().show(guest);
      const origin = origins.get(guest);
      return { origin: origin ? describeOrigin(origin, images().list()) : null, facts: store.facts.find(guest) };
    },
    outdated() {
      const all = images().list();
      return guests()
        .list()
        .flatMap(({ id, spec }) => {
          const stored = origins.get(id);
          const origin = stored && describeOrigin(stored, all);
          return origin?.newer ? [{ guest: id, name: spec.name, origin }] : [];
        });
    },

    async readFacts(guest) {
      const { exitStatus, stdoutBase64 } = await guests().exec(guest, ['/bin/sh', '-c', factsScript], agentTimeoutSeconds);
      const { name } = guests().show(guest).spec;
      const facts = parseFacts(Buffer.from(stdoutBase64, 'base64').toString('utf8'), instantNow(clock));
      if (exitStatus !== 0 || (facts.osName === null && facts.kernels.length === 0)) {
        throw new Failure('guest/agent-failed', `The agent in ${name} answered nothing that could be understood.`, {
          hint: 'Only systems with a POSIX shell can be asked.',
        });
      }
      store.facts.save(guest, facts);
      feed.record({
        severity: 'info',
        kind: 'guest.factsRead',
        text: `${name} said what it is: ${facts.osName ?? 'unknown'}.`,
        guestId: guest,
      });
      return facts;
    },
    factsOf,
  };
}
