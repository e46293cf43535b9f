/** `snapshot.*`. */
import type { Handlers, Services } from '../handlers.ts';

type Answered =
  `snapshot.${'list' | 'show' | 'create' | 'revert' | 'export' | 'open' | 'delete' | 'restore' | 'edit' | 'setSchedule' | 'thumbnail'}`;

export function snapshotHandlers({ snapshots }: Services): Pick<Handlers, Answered> {
  return {
    'snapshot.list': ({ guest }) => snapshots.tree(guest),
    'snapshot.show': ({ snapshot }) => snapshots.show(snapshot),
    'snapshot.create': ({ guest, ...wanted }, { who }) => snapshots.create(guest, wanted, who),
    'snapshot.revert': ({ snapshot, keepPresent = false, forceOff = false }, { who }) =>
      snapshots.revert(snapshot, { keepPresent, forceOff }, who),
    'snapshot.export': ({ snapshot, disk, name }, { who }) => snapshots.export(snapshot, { disk, name }, who),
    'snapshot.open': ({ snapshot, memory = false }, { who }) => snapshots.open(snapshot, memory, who),
    'snapshot.delete': ({ snapshot }) => {
      snapshots.delete(snapshot);
      return {};
    },
    'snapshot.restore': ({ snapshot }) => snapshots.restore(snapshot),
    'snapshot.edit': ({ snapshot, name, note }) => snapshots.edit(snapshot, { name, note }),
    'snapshot.setSchedule': ({ guest, schedule }) => snapshots.setSchedule(guest, schedule),
    'snapshot.thumbnail': async ({ snapshot }) => ({ pngBase64: (await snapshots.thumbnail(snapshot))?.toString('base64') ?? null }),
  };
}
