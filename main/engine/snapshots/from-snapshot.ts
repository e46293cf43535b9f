/** What is made from a snapshot while its guest stays as it is: an image of one of its disks, and a disposable guest. */
import { Failure } from '../../../contract/errors.ts';
import type { GuestId, SnapshotId } from '../../../contract/ids.ts';
import type { Clones } from '../clones/clones.ts';
import type { JobRunner } from '../jobs/job-definition.ts';
import { newImageId } from '../store/new-id.ts';
import { defineExport, type ExportParts } from './export-job.ts';
import { cannotGoOnAside } from './go-on-aside.ts';
import { mustBeComplete } from './revert-guest.ts';
import type { Snapshots } from './snapshots.ts';
import type { StoredSnapshot } from './store.ts';

export type FromSnapshotDeps = ExportParts & {
  jobs: Pick<JobRunner, 'start'>;
  disposable: Clones['disposable'];
  /** @throws Failure `snapshot/not-found`, also for a deleted one */
  livingRow(id: SnapshotId): StoredSnapshot;
  nameOf(id: GuestId): string;
};

export type FromSnapshot = Pick<Snapshots, 'export' | 'open'> & { exportDefinition: ReturnType<typeof defineExport> };

export function createFromSnapshot(deps: FromSnapshotDeps): FromSnapshot {
  const { layout } = deps;
  const exporting = defineExport(deps);
  return {
    exportDefinition: exporting,

    async export(id, { disk, name }, by) {
      const row = deps.livingRow(id);
      if (row.making) throw new Failure('guest/denied', `The snapshot “${row.name}” is still being made.`);
      await mustBeComplete(row, layout.guest(row.guestId), layout);
      const chosen = disk === undefined ? row.disks[0] : row.disks.find((one) => one.id === disk);
      if (!chosen) {
        const what = disk === undefined ? 'has no disk' : `has no disk ${disk}`;
        throw new Failure('snapshot/incomplete', `The snapshot “${row.name}” ${what}.`, { path: 'disk' });
      }
      const origin = `${deps.nameOf(row.guestId)}, snapshot “${row.name}”`;
      const input = {
        guestId: row.guestId,
        snapshotId: id,
        diskId: chosen.id,
        imageId: newImageId(),
        name: name ?? origin,
        origin,
        addedBy: by,
      };
      return deps.jobs.start(exporting, {
        title: `Export “${row.name}” of ${deps.nameOf(row.guestId)}`,
        target: { kind: 'image', id: input.imageId, name: input.name },
        input,
        startedBy: by,
      });
    },

    async open(id, memory, by) {
      const row = deps.livingRow(id);
      if (row.making) throw new Failure('guest/denied', `The snapshot “${row.name}” is still being made.`);
      if (memory) {
        const problem = cannotGoOnAside(row);
        if (problem) throw new Failure('guest/denied', problem, { path: 'memory', hint: 'Open it without its memory: then it boots.' });
      }
      await mustBeComplete(row, layout.guest(row.guestId), layout);
      const { nvram, tpmState, memory: memoryFile } = layout.guest(row.guestId).snapshot(id);
      return deps.disposable(
        {
          frozen: {
            guest: row.guestId,
            name: `${deps.nameOf(row.guestId)}, ${row.name}`,
            spec: row.spec,
            layers: Object.fromEntries(row.disks.map((one) => [one.id, one.layer])),
            nvram: row.nvram ? nvram : null,
            tpmState: row.tpm ? tpmState : null,
            memory: memory && row.memory ? { path: memoryFile, saved: row.memory } : null,
          },
        },
        by,
      );
    },
  };
}
