/** `guesthouse guest clone|template|disposable|keep|lineage`: guests made of others. */
import { type Command, Option } from 'commander';
import { Failure } from '../../../contract/errors.ts';
import { type CloneMoment, type CloneRequest, cloneCountMax } from '../../../contract/guest-clone.ts';
import type { LineageNode } from '../../../contract/guest-lineage.ts';
import type { EngineClient } from '../../client/engine-client.ts';
import { type Context, findGuest, findImage } from '../context.ts';
import { followJob } from '../job-progress.ts';
import { facts, printable, show, showLine, type Terminal } from '../terminal.ts';
import { bytes } from '../units.ts';
import { wholeNumber } from '../values.ts';

type CloneOptions = {
  location?: string;
  count?: number;
  full?: boolean;
  template?: boolean;
  keepTpm?: boolean;
  sameIdentity?: boolean;
  keepSnapshot?: boolean;
  plan?: boolean;
};

const moments: Record<CloneMoment, string | null> = {
  off: null,
  quiesced: 'while it runs; its agent brings the file systems to rest',
  'power-cut': 'as after a power cut: no agent can bring its file systems to rest now',
  suspended: 'as after a power cut when it was suspended; what was only in memory is not in them',
};

export function addClone(group: Command, { terminal, engine }: Context): void {
  group
    .command('clone')
    .description('make clones of a guest or a template, each with a name, addresses and an identity of its own')
    .argument('<guest>', 'name or id of the original; one that runs or is suspended is cloned as its disks are at this moment')
    .argument('<name>', 'name of the clone; with {n} in it names count: “web-{n}”')
    .option('--count <n>', 'how many', wholeNumber(1, cloneCountMax))
    .option('--full', 'copy all data; without, clones build upon the original’s frozen disks and keep only what differs')
    .option('--location <location>', 'storage location in which they are to lie (name, id, or “home” for the data folder)')
    .option('--template', 'make templates')
    .option('--keep-tpm', 'copy the TPM with its keys, which a disk that is sealed to it needs')
    .option('--same-identity', 'leave host name, machine id and SSH host keys inside as they are')
    .option('--keep-snapshot', 'keep what a guest that runs or is suspended was as a snapshot of it')
    .option('--plan', 'only say what would be made')
    .action(async (wanted: string, name: string, options: CloneOptions) => {
      const client = await engine();
      const { id } = await findGuest(client, wanted);
      const request: CloneRequest = {
        guest: id,
        name,
        ...(options.count ? { count: options.count } : {}),
        ...(options.full ? { share: false } : {}),
        ...(options.location ? { location: options.location === 'home' ? null : options.location } : {}),
        ...(options.template ? { asTemplate: true } : {}),
        ...(options.keepTpm ? { keepTpm: true } : {}),
        ...(options.keepSnapshot ? { keepSnapshot: true } : {}),
        ...(options.sameIdentity ? { newIdentity: false } : {}),
      };
      if (options.plan) {
        return show(terminal, await client.call('guest.planClone', request), (plan) =>
          facts([
            ['Names', plan.names.join(', ')],
            ['Disks', plan.share ? 'build upon the original’s' : 'copied whole'],
            ['Because', plan.shareProblem ?? plan.copyProblem],
            ['Moment', moments[plan.moment]],
            ['Room', bytes(plan.neededBytes)],
            ['Inside', plan.newIdentity ? 'a host name, machine id and SSH host keys of its own' : 'as the original'],
            ['Because', plan.identityProblem],
            ...plan.notes.map((note) => ['Note', note] as const),
          ]),
        );
      }
      const { guests, job } = await client.call('guest.clone', request, { timeoutMs: 120_000 });
      await followJob(client, terminal, job.id);
      if (terminal.json) showLine(terminal, { guests: guests.map((guest) => ({ id: guest.id, name: guest.spec.name })) });
      else for (const guest of guests) terminal.out(`${printable(guest.spec.name)}  ${guest.id}\n`);
    });

  group
    .command('template')
    .description('make a template of a guest or of an image: it is not started, and guests are made from it')
    .argument('[guest]', 'name or id')
    .addOption(new Option('--off', 'make it a guest again, when no clone builds upon it').conflicts('image'))
    .option('--image <image>', 'of a disk image instead (name or id)')
    .option('--name <name>', 'with --image: what the template is called')
    .action(async (wanted: string | undefined, options: { off?: boolean; image?: string; name?: string }) => {
      if ((wanted === undefined) === (options.image === undefined)) {
        throw new Failure('call/invalid-input', 'What should the template be made of?', { hint: 'Give a guest, or --image NAME.' });
      }
      const client = await engine();
      if (wanted === undefined) return templateOfImage(client, terminal, options.image ?? '', options.name);
      const { id } = await findGuest(client, wanted);
      show(terminal, await client.call(options.off ? 'guest.makeGuest' : 'guest.makeTemplate', { guest: id }), (guest) =>
        guest.state.status === 'template' ? `“${guest.spec.name}” is a template.` : `“${guest.spec.name}” is a guest.`,
      );
    });

  group
    .command('disposable')
    .description('start a guest on disks that are thrown away when it ends')
    .argument('[guest]', 'name or id of a guest or a template, which must not run')
    .option('--image <image>', 'from a disk image instead (name or id)')
    .action(async (wanted: string | undefined, options: { image?: string }) => {
      const client = await engine();
      if ((wanted === undefined) === (options.image === undefined)) {
        throw new Failure('call/invalid-input', 'What should the disposable guest be made from?', {
          hint: 'Give a guest, or --image NAME.',
        });
      }
      const from =
        wanted === undefined
          ? { image: (await findImage(client, options.image ?? '')).id }
          : { guest: (await findGuest(client, wanted)).id };
      const { guest, job } = await client.call('guest.disposable', from, { timeoutMs: 120_000 });
      await followJob(client, terminal, job.id);
      if (terminal.json) showLine(terminal, { guest: { id: guest.id, name: guest.spec.name } });
      else
        terminal.out(`“${printable(guest.spec.name)}” is running, and goes when it ends. “guesthouse guest keep ${guest.id}” keeps it.\n`);
    });

  group
    .command('keep')
    .description('keep a disposable guest')
    .argument('<guest>', 'name or id')
    .action(async (wanted: string) => {
      const client = await engine();
      const { id } = await findGuest(client, wanted);
      show(terminal, await client.call('guest.keep', { guest: id }), (guest) => `“${guest.spec.name}” stays when it ends.`);
    });

  group
    .command('flatten')
    .description('make a guest independent: copy into its disks what they build upon')
    .argument('<guest>', 'name or id; it may run meanwhile')
    .option('--limit <MiB/s>', 'the most to copy a second while it runs (default: 256)', wholeNumber(1, 100_000))
    .action(async (wanted: string, options: { limit?: number }) => {
      const client = await engine();
      const { id, spec } = await findGuest(client, wanted);
      await followJob(client, terminal, (await client.call('guest.flatten', { guest: id, mibPerSecond: options.limit })).id);
      if (!terminal.json) terminal.out(`“${printable(spec.name)}” stands alone.\n`);
    });

  group
    .command('rebase')
    .description('have a guest without data of its own build upon another image, such as a newer version')
    .argument('<guest>', 'name or id; it must not run')
    .argument('<image>', 'name or id of the disk image')
    .action(async (wanted: string, image: string) => {
      const client = await engine();
      const { id, spec } = await findGuest(client, wanted);
      const to = await findImage(client, image);
      await followJob(client, terminal, (await client.call('guest.rebase', { guest: id, image: to.id })).id);
      if (!terminal.json) terminal.out(`“${printable(spec.name)}” builds upon “${printable(to.name)}”.\n`);
    });

  group
    .command('lineage')
    .description('show which disks build upon which images and frozen disks, as a tree')
    .action(async () => show(terminal, await (await engine()).call('lineage.show', {}), drawLineage));
}

async function templateOfImage(client: EngineClient, terminal: Terminal, wanted: string, name: string | undefined): Promise<void> {
  const { id } = await findImage(client, wanted);
  const { guest, job } = await client.call('image.makeTemplate', { image: id, ...(name === undefined ? {} : { name }) });
  await followJob(client, terminal, job.id);
  if (terminal.json) showLine(terminal, { guest: { id: guest.id, name: guest.spec.name } });
  else terminal.out(`“${printable(guest.spec.name)}” is a template.\n`);
}

/** Each file under the one that it builds upon. */
export function drawLineage(nodes: readonly LineageNode[]): string {
  if (nodes.length === 0) return 'No disk builds upon another.';
  const lines: string[] = [];
  const draw = (node: LineageNode, indent: string, below: string) => {
    const name = node.kind === 'layer' ? `frozen disk ${node.layerId}` : `${printable(node.name)}${node.trashed ? ' (in the trash)' : ''}`;
    lines.push(`${indent}${name}  ${bytes(node.sizeBytes)}`);
    const children = nodes.filter((other) => other.base === node.file);
    for (const [at, child] of children.entries()) {
      const last = at === children.length - 1;
      draw(child, `${below}${last ? '└─ ' : '├─ '}`, `${below}${last ? '   ' : '│  '}`);
    }
  };
  for (const root of nodes.filter((node) => node.base === null)) draw(root, '', '');
  return lines.join('\n');
}
