/** `guesthouse snapshot …`: keep what a guest is, and go back to it. */
import { Option } from 'commander';
import type { GuestSnapshot } from '../../../contract/guest-snapshot.ts';
import type { Guest } from '../../../contract/guest-state.ts';
import type { EngineClient } from '../../client/engine-client.ts';
import { type CommandGroup, findGuest } from '../context.ts';
import { followJob } from '../job-progress.ts';
import { resolveName } from '../names.ts';
import { describeSchedule, describeSnapshot, drawTree, listSnapshots } from '../snapshot-text.ts';
import { show } from '../terminal.ts';
import { wholeNumber } from '../values.ts';

type ScheduleOptions = { on?: boolean; off?: boolean; hourly?: number; daily?: number; weekly?: number; beforeHardware?: 'yes' | 'no' };

export const addSnapshot: CommandGroup = (program, context) => {
  const { terminal, engine } = context;
  const group = program.command('snapshot').description('keep what a guest is, and go back to it');

  group
    .command('create')
    .description('keep what a guest is now, running or not')
    .argument('<guest>', 'name or id')
    .argument('[name]', 'what the snapshot is called')
    .option('--note <text>', 'what it is good for')
    .option('--memory', 'with the memory of the running guest, so that it goes on from this moment')
    .action(async (wanted: string, name: string | undefined, options: { note?: string; memory?: boolean }) => {
      const client = await engine();
      const { id } = await findGuest(client, wanted);
      const { snapshot, job } = await client.call('snapshot.create', { guest: id, name, note: options.note, memory: options.memory });
      await followJob(client, terminal, job.id);
      if (!terminal.json) terminal.out(`${describeSnapshot(await client.call('snapshot.show', { snapshot: snapshot.id }))}\n`);
    });

  group
    .command('list')
    .description('list the snapshots of a guest; * marks the one that it builds upon now')
    .argument('<guest>', 'name or id')
    .action(async (wanted: string) => {
      const client = await engine();
      const { id } = await findGuest(client, wanted);
      show(terminal, await client.call('snapshot.list', { guest: id }), (tree) => listSnapshots(terminal, tree));
    });

  group
    .command('tree')
    .description('draw the snapshots of a guest as a tree, with the place of the present')
    .argument('<guest>', 'name or id')
    .action(async (wanted: string) => {
      const client = await engine();
      const { id } = await findGuest(client, wanted);
      show(terminal, await client.call('snapshot.list', { guest: id }), (tree) => drawTree(terminal, tree));
    });

  group
    .command('show')
    .description('show one snapshot')
    .argument('<guest>', 'name or id')
    .argument('<snapshot>', 'name or id')
    .action(async (wanted: string, which: string) => {
      show(terminal, (await find(await engine(), wanted, which)).snapshot, describeSnapshot);
    });

  group
    .command('revert')
    .description('take a guest that is off back to a snapshot; what it is now is lost unless it is kept')
    .argument('<guest>', 'name or id')
    .argument('<snapshot>', 'name or id')
    .option('--keep', 'keep what it is now as a snapshot first: a new branch of the tree')
    .option('--force-off', 'cut its power first when it runs')
    .action(async (wanted: string, which: string, options: { keep?: boolean; forceOff?: boolean }) => {
      const client = await engine();
      const { guest, snapshot } = await find(client, wanted, which);
      const input = { snapshot: snapshot.id, keepPresent: options.keep ?? false, forceOff: options.forceOff ?? false };
      await followJob(client, terminal, (await client.call('snapshot.revert', input)).id);
      if (!terminal.json) terminal.out(`“${guest.spec.name}” is what it was in “${snapshot.name}”.\n`);
    });

  group
    .command('export')
    .description('make an image of a disk of a snapshot, whole and on its own')
    .argument('<guest>', 'name or id')
    .argument('<snapshot>', 'name or id')
    .option('--disk <id>', 'which disk (default: the first)')
    .option('--name <name>', 'what the image is called')
    .action(async (wanted: string, which: string, options: { disk?: string; name?: string }) => {
      const client = await engine();
      const { snapshot } = await find(client, wanted, which);
      const job = await followJob(client, terminal, (await client.call('snapshot.export', { snapshot: snapshot.id, ...options })).id);
      if (!terminal.json) terminal.out(`The image “${job.target.name}” is in the library.\n`);
    });

  group
    .command('open')
    .description('start a disposable guest from a snapshot; it goes when it ends')
    .argument('<guest>', 'name or id')
    .argument('<snapshot>', 'name or id')
    .option('--memory', 'go on from its memory instead of booting, with a network that leads nowhere: the addresses are the original’s')
    .action(async (wanted: string, which: string, options: { memory?: boolean }) => {
      const client = await engine();
      const { snapshot } = await find(client, wanted, which);
      const { guest, job } = await client.call('snapshot.open', { snapshot: snapshot.id, memory: options.memory });
      await followJob(client, terminal, job.id);
      if (!terminal.json) terminal.out(`“${guest.spec.name}” is running, and goes when it ends.\n`);
    });

  group
    .command('delete')
    .description('delete a snapshot; those after it stay as they are')
    .argument('<guest>', 'name or id')
    .argument('<snapshot>', 'name or id')
    .action(async (wanted: string, which: string) => {
      const client = await engine();
      const { snapshot } = await find(client, wanted, which);
      await client.call('snapshot.delete', { snapshot: snapshot.id });
      show(
        terminal,
        { id: snapshot.id },
        () => `Deleted the snapshot “${snapshot.name}”. For five minutes “guesthouse snapshot restore ${snapshot.id}” brings it back.`,
      );
    });

  group
    .command('restore')
    .description('bring back a snapshot that was deleted within the last five minutes')
    .argument('<id>', 'its id')
    .action(async (id: string) => {
      const client = await engine();
      const snapshot = await client.call('snapshot.restore', { snapshot: id as GuestSnapshot['id'] });
      show(terminal, snapshot, ({ name }) => `The snapshot “${name}” is back.`);
    });

  group
    .command('rename')
    .description('give a snapshot another name or note')
    .argument('<guest>', 'name or id')
    .argument('<snapshot>', 'name or id')
    .argument('[name]', 'the new name')
    .option('--note <text>', 'the new note')
    .action(async (wanted: string, which: string, name: string | undefined, options: { note?: string }) => {
      const client = await engine();
      const { snapshot } = await find(client, wanted, which);
      show(terminal, await client.call('snapshot.edit', { snapshot: snapshot.id, name, note: options.note }), describeSnapshot);
    });

  group
    .command('schedule')
    .description('say or show how snapshots of a guest are made by themselves')
    .argument('<guest>', 'name or id')
    .option('--on', 'make them by themselves')
    .option('--off', 'make no more')
    .option('--hourly <n>', 'keep one of each of the last n hours', wholeNumber(0, 48))
    .option('--daily <n>', 'keep one of each of the last n days', wholeNumber(0, 31))
    .option('--weekly <n>', 'keep one of each of the last n weeks', wholeNumber(0, 52))
    .addOption(new Option('--before-hardware <yes|no>', 'make one before a change of hardware').choices(['yes', 'no']))
    .action(async (wanted: string, options: ScheduleOptions) => {
      const client = await engine();
      const { id } = await findGuest(client, wanted);
      const schedule = {
        enabled: options.on ? true : options.off ? false : undefined,
        keepHourly: options.hourly,
        keepDaily: options.daily,
        keepWeekly: options.weekly,
        beforeHardwareChange: options.beforeHardware ? options.beforeHardware === 'yes' : undefined,
      };
      const changes = Object.values(schedule).some((value) => value !== undefined);
      const now = changes
        ? await client.call('snapshot.setSchedule', { guest: id, schedule })
        : (await client.call('snapshot.list', { guest: id })).schedule;
      show(terminal, now, describeSchedule);
    });
};

/** @throws Failure `guest/not-found`, `guest/ambiguous`, `snapshot/not-found`, `snapshot/ambiguous` */
async function find(client: EngineClient, wanted: string, which: string): Promise<{ guest: Guest; snapshot: GuestSnapshot }> {
  const guest = await findGuest(client, wanted);
  const { snapshots } = await client.call('snapshot.list', { guest: guest.id });
  const words = { noun: 'snapshot', notFound: 'snapshot/not-found', ambiguous: 'snapshot/ambiguous' } as const;
  return { guest, snapshot: resolveName(snapshots, which, words) };
}
