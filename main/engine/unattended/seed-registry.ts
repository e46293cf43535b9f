/** Implements `seeds.ts`. */
import { randomUUID } from 'node:crypto';
import { rm, stat, writeFile } from 'node:fs/promises';
import { Failure } from '../../../contract/errors.ts';
import { unknownOs } from '../../../contract/guest-spec.ts';
import type { Guest } from '../../../contract/guest-state.ts';
import type { GuestId } from '../../../contract/ids.ts';
import { type Clock, instantNow } from '../clock/clock.ts';
import { toWriteFailure } from '../files/durable.ts';
import type { Layout } from '../files/layout.ts';
import { makePrivateFolder } from '../files/private-folder.ts';
import type { Log } from '../log/log.ts';
import type { Database } from '../store/database.ts';
import { buildSeed } from './builders.ts';
import { buildCloneSeed } from './cloud-init.ts';
import { buildCpioOf } from './cpio-file.ts';
import type { SeedTools } from './seed-tools.ts';
import type { Seeds } from './seeds.ts';
import { createSeedStore } from './store.ts';

type Deps = {
  layout: Pick<Layout, 'guest'>;
  database: Database;
  tools: SeedTools;
  clock: Clock;
  log: Log;
  guests: () => { show(id: GuestId): Guest };
  /** Name of a snapshot that keeps the guest's memory, and with it the devices that it had. */
  memorySnapshot(id: GuestId): string | null;
};

const newInstanceId = (): string => `guesthouse-${randomUUID()}`;

export function createSeeds({ layout, database, tools, clock, log, guests, memorySnapshot }: Deps): Seeds {
  const store = createSeedStore(database);

  const removeInstaller = async (id: GuestId): Promise<void> => {
    const { installerKernel, installerInitrd, installerAnswers } = layout.guest(id);
    for (const path of [installerKernel, installerInitrd, installerAnswers]) await rm(path, { force: true });
  };
  const removeAll = async (id: GuestId): Promise<void> => {
    await rm(layout.guest(id).seed, { force: true });
    await removeInstaller(id);
  };

  const seeds: Seeds = {
    async prepare(format, form, { os, firmware, tpm }) {
      const { password, ...user } = form.user;
      // Windows takes no hash, and what is not needed is not made.
      const passwordHash = password === null || format === 'autounattend' ? null : await tools.hashPassword(password);
      const answers = { ...form, user: { ...user, passwordHash } };
      return { format, content: buildSeed(format, { answers, clearPassword: password, os, firmware, tpm, instanceId: newInstanceId() }) };
    },

    async write(id, { format, content }, isoPath) {
      const files = layout.guest(id);
      const { start } = content;
      if (start && isoPath === null)
        throw new Failure('seed/unsupported', 'These answers are for an installer, and there is no medium with one.');
      // What is within the installer's own root file system needs no disc.
      const hasDisc = start?.initrdFile == null;
      try {
        makePrivateFolder(files.folder);
        if (start?.initrdFile) {
          const archive = buildCpioOf(start.initrdFile.path, start.initrdFile.content);
          await writeFile(files.installerAnswers, archive, { mode: 0o600 });
        }
        if (hasDisc) await tools.writeDisc(files.seed, content.volumeId, content.files);
      } catch (thrown) {
        throw toWriteFailure(thrown, files.folder);
      }
      store.put({ guestId: id, format, hasDisc, commandLine: start?.commandLine ?? null, madeAt: instantNow(clock) });
      return start && isoPath !== null ? { isoPath, places: [...start.places], hasAnswers: start.initrdFile !== null } : null;
    },

    async takeInstaller(id, { isoPath, places, hasAnswers }, signal) {
      const { installerKernel, installerInitrd, installerAnswers } = layout.guest(id);
      await tools.takeInstaller({
        isoPath,
        places,
        answersPath: hasAnswers ? installerAnswers : null,
        kernelPath: installerKernel,
        initrdPath: installerInitrd,
        signal,
      });
    },

    async writeForClone(id, hostname) {
      await seeds.write(id, { format: 'cloud-init', content: buildCloneSeed(newInstanceId(), hostname) }, null);
    },

    launch(id) {
      const seed = store.get(id);
      if (!seed) return null;
      const files = layout.guest(id);
      return {
        disc: seed.hasDisc ? files.seed : null,
        // The kernels of cloud images have drivers for virtio's disks and, often, for no CD drive.
        asDisk: seed.format === 'cloud-init',
        firstStart:
          seed.commandLine === null
            ? null
            : { kernel: files.installerKernel, initrd: files.installerInitrd, commandLine: seed.commandLine },
      };
    },

    installed(id) {
      if (store.get(id)?.commandLine == null) return;
      store.remove(id);
      removeAll(id).catch((thrown: unknown) =>
        log.warn({ guest: id, error: thrown }, 'What an installation left behind could not be removed.'),
      );
    },

    async show(id) {
      guests().show(id);
      const seed = store.get(id);
      if (!seed) return null;
      const { seed: disc, installerInitrd } = layout.guest(id);
      const sizeBytes = await stat(seed.hasDisc ? disc : installerInitrd).then(
        (facts) => facts.size,
        () => 0,
      );
      return { format: seed.format, madeAt: seed.madeAt, firstStart: seed.commandLine !== null, sizeBytes };
    },

    async remove(id) {
      const { spec, state } = guests().show(id);
      if (!store.get(id)) {
        throw new Failure('seed/not-found', `${spec.name} has no disc with answers.`);
      }
      if (state.status !== 'off' && state.status !== 'crashed') {
        throw new Failure('guest/denied', `${spec.name} has its disc with answers in use.`, {
          hint: state.status === 'suspended' ? 'Start it, shut it down, then try again.' : 'Shut it down first.',
        });
      }
      const snapshot = memorySnapshot(id);
      if (snapshot !== null) {
        throw new Failure('guest/denied', `The snapshot “${snapshot}” of ${spec.name} has its memory, in which the disc is in the guest.`, {
          hint: 'Delete that snapshot first.',
        });
      }
      // The row last: it is what finds the files again.
      await removeAll(id);
      store.remove(id);
    },

    async writeFile(path, { content }) {
      const taken = await stat(path).then(
        () => true,
        () => false,
      );
      if (taken)
        throw new Failure('seed/file-exists', `${path} is there already.`, {
          hint: 'Choose another name, or delete it first.',
          path: 'path',
        });
      try {
        await tools.writeDisc(path, content.volumeId, content.files);
        return { path, volumeId: content.volumeId, sizeBytes: (await stat(path)).size };
      } catch (thrown) {
        throw toWriteFailure(thrown, path);
      }
    },

    forget: (id) => store.remove(id),
    prune: () => store.prune(),
  };
  return seeds;
}

/** What `seed build` takes for granted when no medium says which system it is. */
export const usualSystems = {
  linux: { ...unknownOs, family: 'linux' },
  suse: { ...unknownOs, family: 'linux', distro: 'opensuse' },
  windows: { ...unknownOs, id: 'win11', family: 'windows', distro: 'win' },
} as const;
