/** `guesthouse storage …`: what uses how much, and giving back room. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { Failure } from '../../../contract/errors.ts';
import type { StoragePlace, StorageReport } from '../../../contract/storage.ts';
import { type CommandGroup, type Context, findGuest, findImage } from '../context.ts';
import { followJob } from '../job-progress.ts';
import { facts, show, showLine, type Terminal, table } from '../terminal.ts';
import { bytes, localTime } from '../units.ts';

export const addStorage: CommandGroup = (program, { terminal, engine }) => {
  const group = program.command('storage').description('see what uses how much space, and give some back');

  group
    .command('report')
    .description('say what uses how much, and what nobody refers to')
    .action(async () => {
      const client = await engine();
      show(terminal, await client.call('storage.report', {}), (report) => describe(terminal, report));
    });

  group
    .command('list')
    .description('list the storage locations')
    .action(async () => {
      const client = await engine();
      const { locations } = await client.call('storage.report', {});
      show(terminal, locations, () =>
        locations.length === 0
          ? 'There are none beside the data folder. “guesthouse storage add NAME FOLDER” adds one.'
          : table(terminal, locations, [
              { title: 'NAME', value: ({ name }) => name },
              { title: 'FREE', value: ({ reachable, freeBytes }) => (reachable ? bytes(freeBytes) : 'not mounted'), align: 'right' },
              { title: 'IMAGES', value: ({ images }) => String(images.length), align: 'right' },
              { title: 'GUESTS', value: ({ guests }) => String(guests.length), align: 'right' },
              { title: 'FOLDER', value: ({ path }) => path },
            ]),
      );
    });

  group
    .command('add')
    .description('name another folder for images and guests')
    .argument('<name>')
    .argument('<folder>')
    .action(async (name: string, folder: string) => {
      const client = await engine();
      show(
        terminal,
        await client.call('storage.addLocation', { name, path: resolve(folder) }),
        (location) => `“${location.name}” is ${location.path}.`,
      );
    });

  group
    .command('remove')
    .description('forget a storage location in which neither an image nor a guest lies; its folder stays')
    .argument('<name>', 'name or id')
    .action(async (location: string) => {
      const client = await engine();
      show(terminal, await client.call('storage.removeLocation', { location }), () => `“${location}” is forgotten.`);
    });

  group
    .command('default')
    .description('say where new guests and new images are to lie')
    .option('--guests <location>', 'name or id, or “home” for the data folder')
    .option('--images <location>', 'name or id, or “home” for the data folder')
    .action(async (options: { guests?: string; images?: string }) => {
      const client = await engine();
      const { home, locations } = await client.call('storage.places', {});
      const idOf = (wanted: string) => (wanted === 'home' ? null : findLocation(locations, wanted).id);
      const change = {
        ...(options.guests === undefined ? {} : { guestLocation: idOf(options.guests) }),
        ...(options.images === undefined ? {} : { imageLocation: idOf(options.images) }),
      };
      const { guestLocation, imageLocation } = await client.call('settings.set', change);
      const nameOf = (id: string | null) => locations.find((location) => location.id === id)?.name ?? `the data folder, ${home.path}`;
      show(terminal, { guestLocation, imageLocation }, () =>
        facts([
          ['New guests', nameOf(guestLocation)],
          ['New images', nameOf(imageLocation)],
        ]),
      );
    });

  group
    .command('duplicates')
    .description('find files with the same content')
    .action(async () => {
      const client = await engine();
      await followJob(client, terminal, (await client.call('storage.findDuplicates', {})).id);
      const { duplicates } = await client.call('storage.report', {});
      const found = duplicates?.found ?? [];
      if (terminal.json) return showLine(terminal, found);
      if (found.length === 0) return terminal.out('No two files have the same content.\n');
      for (const { bytes: size, paths } of found) terminal.out(`${bytes(size)} each:\n${paths.map((path) => `  ${path}\n`).join('')}`);
    });

  group
    .command('delete-orphan')
    .description('delete a file or folder that nobody refers to, as the report names it')
    .argument('<path>')
    .action(async (path: string) => {
      const client = await engine();
      show(terminal, await client.call('storage.deleteOrphan', { path }), () => `Deleted ${path}.`);
    });
};

export function addGuestReclaim(group: Command, { terminal, engine }: Context): void {
  group
    .command('reclaim')
    .description('give back what the disks no longer need: trims while it runs, rewrites while it is off')
    .argument('<guest>', 'name or id')
    .action(async (wanted: string) => {
      const client = await engine();
      const guest = await findGuest(client, wanted);
      const job = await followJob(client, terminal, (await client.call('guest.reclaim', { guest: guest.id })).id);
      if (!terminal.json) terminal.out(`${await outcomeOf(client, job.id)}\n`);
    });
}

export function addGuestMove(group: Command, { terminal, engine }: Context): void {
  group
    .command('move')
    .description('move a guest that is off to another storage location, with its snapshots, or back')
    .argument('<guest>', 'name or id')
    .requiredOption('--to <location>', 'name or id, or “home” for the data folder')
    .action(async (wanted: string, { to }: { to: string }) => {
      const client = await engine();
      const guest = await findGuest(client, wanted);
      const location = to === 'home' ? null : findLocation((await client.call('storage.places', {})).locations, to);
      await followJob(client, terminal, (await client.call('guest.move', { guest: guest.id, location: location?.id ?? null })).id);
      if (!terminal.json) terminal.out(`${guest.spec.name} lies in ${location ? `“${location.name}”` : 'the data folder'} now.\n`);
    });
}

/** A location that is called “home” is found by its id. */
function findLocation(locations: readonly StoragePlace[], wanted: string): StoragePlace {
  const found = locations.find(({ id, name }) => id === wanted || name === wanted);
  if (found) return found;
  throw new Failure('storage/location-unknown', `There is no storage location “${wanted}”.`, {
    hint: 'See them with “guesthouse storage list”.',
  });
}

export function addImageMove(group: Command, { terminal, engine }: Context): void {
  group
    .command('move')
    .description('move the file of an image to another storage location, or back')
    .argument('<image>', 'name or id')
    .argument('[location]', 'name or id; the data folder when it is left out')
    .action(async (wanted: string, location: string | undefined) => {
      const client = await engine();
      const image = await findImage(client, wanted);
      await followJob(client, terminal, (await client.call('image.move', { image: image.id, location: location ?? null })).id);
      if (!terminal.json) terminal.out(`“${image.name}” lies in ${location ? `“${location}”` : 'the data folder'} now.\n`);
    });
}

export function addImageReclaim(group: Command, { terminal, engine }: Context): void {
  group
    .command('reclaim')
    .description('give back what an image takes up for zeros; its content stays the same')
    .argument('<image>', 'name or id')
    .action(async (wanted: string) => {
      const client = await engine();
      const image = await findImage(client, wanted);
      const job = await followJob(client, terminal, (await client.call('image.reclaim', { image: image.id })).id);
      if (!terminal.json) terminal.out(`${await outcomeOf(client, job.id)}\n`);
    });
}

/** What the job said of itself at its end: the newest event that names it is about that. */
async function outcomeOf(client: Awaited<ReturnType<Context['engine']>>, job: string): Promise<string> {
  const events = await client.call('event.list', { limit: 50 });
  return events.find((event) => event.jobId === job && /reclaimed$/.test(event.kind))?.text ?? 'Done.';
}

function describe(terminal: Terminal, report: StorageReport): string {
  const { home, freeBytes, totalBytes, keepFreeBytes } = report;
  const parts = [
    facts([
      ['Data folder', home],
      ['Free', `${bytes(freeBytes)} of ${bytes(totalBytes)}; ${bytes(keepFreeBytes)} are kept free`],
    ]),
    table(terminal, report.purposes, [
      { title: 'WHAT', value: ({ purpose }) => purpose },
      { title: 'ON DISK', value: ({ use }) => bytes(use.realBytes), align: 'right' },
      { title: 'HOLDS', value: ({ use }) => bytes(use.apparentBytes), align: 'right' },
      { title: 'FILES', value: ({ files }) => String(files), align: 'right' },
    ]),
  ];
  if (report.guests.length > 0)
    parts.push(
      table(terminal, report.guests, [
        { title: 'GUEST', value: ({ name, trashed }) => (trashed ? `${name} (in the trash)` : name) },
        { title: 'ON DISK', value: ({ use }) => bytes(use.realBytes), align: 'right' },
        { title: 'BUILT UPON', value: ({ disks }) => bytes(disks.reduce((sum, disk) => sum + disk.sharedRealBytes, 0)), align: 'right' },
        { title: 'ID', value: ({ id }) => id },
      ]),
    );
  if (report.images.length > 0)
    parts.push(
      table(terminal, report.images, [
        { title: 'IMAGE', value: ({ name }) => name },
        { title: 'ON DISK', value: ({ use }) => bytes(use.realBytes), align: 'right' },
        { title: 'NEEDED BY', value: ({ dependants }) => dependants.join(', ') },
      ]),
    );
  if (report.orphans.length > 0)
    parts.push(
      table(terminal, report.orphans, [
        { title: 'NOBODY’S', value: ({ path }) => path },
        { title: 'ON DISK', value: ({ use }) => bytes(use.realBytes), align: 'right' },
        { title: 'CHANGED', value: ({ modifiedAt }) => localTime(modifiedAt) },
        { title: 'WHAT', value: ({ what }) => what },
      ]),
    );
  return parts.join('\n\n');
}
