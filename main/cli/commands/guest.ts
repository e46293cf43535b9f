/** `guesthouse guest …`: the life of guests. What goes in and out of a running one stands in guest-io.ts. */
import { Argument, type Command, Option } from 'commander';
import type { CallName } from '../../../contract/calls.ts';
import { Failure } from '../../../contract/errors.ts';
import { type ClipboardPolicy, clipboardPolicy, type FilesPolicy, filesPolicy } from '../../../contract/guest-spec.ts';
import type { Guest } from '../../../contract/guest-state.ts';
import type { EngineClient } from '../../client/engine-client.ts';
import { type CommandGroup, type Context, findGuest } from '../context.ts';
import { describeGuest, listGuests } from '../guest-text.ts';
import { followJob } from '../job-progress.ts';
import { show } from '../terminal.ts';
import { wholeNumber } from '../values.ts';
import { type WaitCondition, waitConditions, waitForGuest } from '../wait-for-guest.ts';
import { addClone } from './guest-clone.ts';
import { addCreate } from './guest-create.ts';
import { addGuestFacts } from './guest-facts.ts';
import { addGuestHardware } from './guest-hardware.ts';
import { addGuestIo } from './guest-io.ts';
import { addGuestSharing } from './guest-sharing.ts';
import { addGuestExport, addGuestTransfer } from './guest-transfer.ts';
import { addGuestMove, addGuestReclaim } from './storage.ts';

/** Starting waits for QEMU, and resuming from disk for all of the memory to be read. */
const startTimeoutMs = 180_000;

export const addGuest: CommandGroup = (program, context) => {
  const { terminal, engine } = context;
  const group = program.command('guest').description('create, list, start, stop and look into guests');

  addCreate(group, context);
  addClone(group, context);
  addGuestMove(group, context);
  addGuestReclaim(group, context);

  group
    .command('list')
    .description('list the guests')
    .option('--trash', 'those in the trash instead')
    .action(async (options: { trash?: boolean }) => {
      const client = await engine();
      const guests = await client.call('guest.list', options.trash ? { trash: true } : {});
      show(terminal, guests, () => listGuests(terminal, guests, options.trash ?? false));
    });

  group
    .command('show')
    .description('show one guest')
    .argument('<guest>', 'name or id')
    .action(async (wanted: string) => show(terminal, await findGuest(await engine(), wanted), describeGuest));

  group
    .command('start')
    .description('start a guest, or resume it from disk')
    .argument('<guest>', 'name or id')
    .addOption(new Option('--wait <for>', 'wait until it runs, its agent answers, or its serial console greets').choices(waitConditions))
    .option('--timeout <seconds>', 'how long --wait waits', wholeNumber(1, 86_400), 180)
    .action(async (wanted: string, options: { wait?: WaitCondition; timeout: number }) => {
      const client = await engine();
      const { id } = await findGuest(client, wanted);
      let guest = await client.call('guest.start', { guest: id }, { timeoutMs: startTimeoutMs });
      if (options.wait) guest = await waitForGuest(client, id, options.wait, options.timeout);
      show(terminal, guest, said);
    });

  addVerb(group, context, 'pause', 'guest.pause', 'freeze a guest in memory');
  addVerb(group, context, 'resume', 'guest.resume', 'let a paused guest go on');

  group
    .command('shutdown')
    .description('ask a guest to shut down and wait until it is off')
    .argument('<guest>', 'name or id')
    .option('--timeout <seconds>', 'how long it has (default: as the settings say)', wholeNumber(1, 3600))
    .option('--no-wait', 'only ask')
    .action(async (wanted: string, options: { timeout?: number; wait: boolean }) => {
      const client = await engine();
      const { id } = await findGuest(client, wanted);
      const asked = await client.call('guest.shutdown', { guest: id, ...(options.timeout ? { timeoutSeconds: options.timeout } : {}) });
      const seconds = options.timeout ?? (await client.call('settings.get', {})).shutdownTimeoutSeconds;
      show(terminal, options.wait ? await waitForGuest(client, id, 'off', seconds) : asked, said);
    });

  addVerb(group, context, 'stop', 'guest.forceOff', 'cut the power of a guest; what it has not saved is lost');
  addVerb(group, context, 'reset', 'guest.reset', 'press the reset button of a guest');

  group
    .command('suspend')
    .alias('save')
    .description('save a guest with its memory to disk; start resumes it')
    .argument('<guest>', 'name or id')
    .action(async (wanted: string) => {
      const client = await engine();
      const { id } = await findGuest(client, wanted);
      await followJob(client, terminal, (await client.call('guest.suspend', { guest: id })).id);
      if (!terminal.json) terminal.out(`${said(await client.call('guest.show', { guest: id }))}\n`);
    });

  group
    .command('delete')
    .description('move a guest with its disks to the trash')
    .argument('<guest>', 'name or id')
    .option('--purge', 'delete it for good instead, with its disks; this cannot be undone')
    .action(async (wanted: string, options: { purge?: boolean }) => {
      const client = await engine();
      const guest = await findDeletable(client, wanted, options.purge ?? false);
      if (!guest.trashedAt) await client.call('guest.delete', { guest: guest.id });
      if (options.purge) await followJob(client, terminal, (await client.call('guest.purge', { guest: guest.id })).id);
      if (terminal.json && options.purge) return;
      show(terminal, { id: guest.id }, () =>
        options.purge
          ? `Deleted “${guest.spec.name}” for good.`
          : `Moved “${guest.spec.name}” to the trash. “guesthouse guest restore ${guest.id}” brings it back.`,
      );
    });

  group
    .command('restore')
    .description('bring a guest back from the trash')
    .argument('<guest>', 'name or id')
    .action(async (wanted: string) => {
      const client = await engine();
      const { id } = await findGuest(client, wanted, { trash: true });
      show(terminal, await client.call('guest.restore', { guest: id }), (guest) => `“${guest.spec.name}” is back.`);
    });

  group
    .command('rename')
    .description('give a guest another name')
    .argument('<guest>', 'name or id')
    .argument('<name>', 'the new name')
    .action(async (wanted: string, name: string) => {
      const client = await engine();
      const { id } = await findGuest(client, wanted);
      show(terminal, await client.call('guest.rename', { guest: id, name }), (guest) => `The guest is now called “${guest.spec.name}”.`);
    });

  group
    .command('clipboard')
    .description('say or change which way what is copied goes between this computer and a guest')
    .argument('<guest>', 'name or id')
    .addArgument(new Argument('[way]', 'the new way').choices(clipboardPolicy.options))
    .action(async (wanted: string, clipboard: ClipboardPolicy | undefined) => {
      const client = await engine();
      const guest = await findGuest(client, wanted);
      const now = clipboard === undefined ? guest : await client.call('guest.annotate', { guest: guest.id, clipboard });
      show(terminal, now, ({ spec }) => clipboardText[spec.clipboard](spec.name));
    });

  group
    .command('files')
    .description('say or change whether files that are dropped on a guest’s console are sent to it')
    .argument('<guest>', 'name or id')
    .addArgument(new Argument('[way]', 'the new way').choices(filesPolicy.options))
    .action(async (wanted: string, files: FilesPolicy | undefined) => {
      const client = await engine();
      const guest = await findGuest(client, wanted);
      const now = files === undefined ? guest : await client.call('guest.annotate', { guest: guest.id, files });
      show(terminal, now, ({ spec }) => filesText[spec.files](spec.name));
    });

  addGuestHardware(group, context);
  addGuestTransfer(group, context);
  addGuestExport(group, context);
  addGuestSharing(group, context);
  addGuestIo(group, context);
  addGuestFacts(group, context);
};

const clipboardText: Record<ClipboardPolicy, (name: string) => string> = {
  off: (name) => `Nothing that is copied goes to “${name}” or comes from it.`,
  'to-guest': (name) => `What is copied here goes to “${name}”, and nothing comes from it.`,
  'to-computer': (name) => `What is copied in “${name}” comes here, and nothing goes to it.`,
  both: (name) => `What is copied goes to “${name}” and comes from it.`,
};

const filesText: Record<FilesPolicy, (name: string) => string> = {
  off: (name) => `No files are sent to “${name}”.`,
  'to-guest': (name) => `Files that are dropped on the console of “${name}” are sent to it.`,
};

type VerbCall = Extract<CallName, 'guest.pause' | 'guest.resume' | 'guest.forceOff' | 'guest.reset'>;

function addVerb(group: Command, { terminal, engine }: Context, verb: string, call: VerbCall, description: string): void {
  group
    .command(verb)
    .description(description)
    .argument('<guest>', 'name or id')
    .action(async (wanted: string) => {
      const client = await engine();
      const { id } = await findGuest(client, wanted);
      show(terminal, await client.call(call, { guest: id }), said);
    });
}

/** What is deleted for good may lie in the trash already. */
async function findDeletable(client: EngineClient, wanted: string, trashToo: boolean): Promise<Guest> {
  try {
    return await findGuest(client, wanted);
  } catch (thrown) {
    if (!trashToo || !(thrown instanceof Failure) || thrown.error.code !== 'guest/not-found') throw thrown;
    return await findGuest(client, wanted, { trash: true });
  }
}

const sentences = {
  creating: 'is being created',
  off: 'is off',
  starting: 'is starting',
  running: 'is running',
  paused: 'is paused',
  stopping: 'is shutting down',
  suspending: 'is being suspended to disk',
  suspended: 'is suspended to disk',
  crashed: 'has crashed',
  template: 'is a template',
} as const;

function said(guest: Guest): string {
  return `“${guest.spec.name}” ${sentences[guest.state.status]}.`;
}
