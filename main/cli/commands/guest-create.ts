/** `guesthouse guest create`: everything the window's create page can choose. */
import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { Failure } from '../../../contract/errors.ts';
import type { CreateChoices, CreateSource } from '../../../contract/guest-creation.ts';
import { createChoices } from '../../../contract/guest-creation.ts';
import { firmwareKind, guestSpec, type PortForward } from '../../../contract/guest-spec.ts';
import type { EngineClient } from '../../client/engine-client.ts';
import { type Context, findImage } from '../context.ts';
import { describeGuest } from '../guest-text.ts';
import { followJob } from '../job-progress.ts';
import { readJson } from '../read-json.ts';
import { addSetupOptions, type SetupOptions, setupOf } from '../setup-options.ts';
import { collect, collectForward, wholeNumber } from '../values.ts';

type Options = SetupOptions & {
  iso?: string;
  disk?: string;
  image?: string;
  inPlace?: boolean;
  notes?: string;
  tag?: string[];
  memoryMib?: number;
  cpus?: number;
  cpuModel?: string;
  firmware?: CreateChoices['firmware'];
  tpm?: boolean;
  machine?: string;
  accelerator?: CreateChoices['accelerator'];
  diskGib?: number;
  location?: string;
  copy?: boolean;
  diskBus?: CreateChoices['diskBus'];
  network?: CreateChoices['network'];
  nic?: CreateChoices['nicModel'];
  forward?: PortForward[];
  display?: 'virtio' | 'qxl' | 'std' | 'none';
  heads?: number;
  sound?: CreateChoices['sound'];
  autostart?: boolean;
  choices?: string;
  qemuArgument?: string[];
};

export function addCreate(group: Command, { terminal, engine }: Context): void {
  const choice = (flags: string, description: string, values: readonly string[]) => new Option(flags, description).choices(values);
  const command = group
    .command('create')
    .description('create a guest from an ISO, a disk or an image; what is not given is chosen for its operating system')
    .argument('<name>')
    .addOption(new Option('--iso <file>', 'boot from this ISO, with a new disk').conflicts(['disk', 'image']))
    .addOption(new Option('--disk <file>', 'begin with a copy of this disk image').conflicts(['iso', 'image']))
    .option('--in-place', 'with --disk: use the file itself instead of a copy')
    .addOption(
      new Option('--image <image>', 'begin with this image of the store (name or id; “starter” is the included one)').conflicts([
        'iso',
        'disk',
      ]),
    )
    .option('--copy', 'with --image: copy its disk whole; without, the guest builds upon the image and keeps only what differs')
    .option('--memory-mib <n>', 'memory', wholeNumber(16, 16_777_216))
    .option('--cpus <n>', 'processors', wholeNumber(1, 256))
    .option('--cpu-model <model>', 'QEMU CPU model, or auto')
    .addOption(choice('--firmware <kind>', 'firmware', firmwareKind.options))
    .option('--tpm', 'give it a TPM 2.0')
    .option('--machine <type>', 'QEMU machine type')
    .addOption(choice('--accelerator <name>', 'how it is run', guestSpec.shape.accelerator.options))
    .option('--location <location>', 'storage location in which it is to lie (name, id, or “home” for the data folder)')
    .option('--disk-gib <n>', 'size of the new disk, or the size to grow the copied one to', wholeNumber(1, 65_536))
    .addOption(choice('--disk-bus <bus>', 'bus of the disk', createChoices.shape.diskBus.unwrap().options))
    .addOption(choice('--network <kind>', 'user: reaches out; restricted: does not; none', createChoices.shape.network.unwrap().options))
    .addOption(choice('--nic <model>', 'network card', createChoices.shape.nicModel.unwrap().options))
    .option('--forward <rule>', 'tcp:HOSTPORT:GUESTPORT, repeatable', collectForward)
    .addOption(choice('--display <device>', 'graphics card', guestSpec.shape.display.shape.device.options))
    .option('--heads <n>', 'monitors', wholeNumber(1, 16))
    .addOption(choice('--sound <device>', 'sound card', guestSpec.shape.sound.options))
    .option('--autostart', 'start it whenever the engine starts')
    .option('--notes <text>', 'notes')
    .option('--tag <tag>', 'a tag, repeatable', collect)
    .option('--qemu-argument <argument>', 'unsafe: a further argument for QEMU, repeatable', collect)
    .option('--choices <file>', 'all choices as JSON, as the API takes them (“-” reads standard input); options above win');
  addSetupOptions(command).action(async (name: string, options: Options) => {
    if (options.passwordStdin && options.choices === '-')
      throw new Failure('call/invalid-input', '--password-stdin and --choices - cannot both read standard input.');
    const setup = setupOf(options, name);
    const client = await engine();
    const source = await sourceOf(client, options);
    const input = { source, choices: choicesOf(name, options), ...(setup === null ? {} : { setup }) };
    const created = await client.call('guest.create', input, { timeoutMs: 120_000 });
    await followJob(client, terminal, created.job.id);
    if (terminal.json) return;
    terminal.out(`${describeGuest(await client.call('guest.show', { guest: created.guest.id }))}\n`);
  });
}

/** @throws Failure `call/invalid-input` when none or an odd one was given */
async function sourceOf(client: EngineClient, options: Options): Promise<CreateSource> {
  if (options.inPlace && !options.disk) throw new Failure('call/invalid-input', '--in-place goes with --disk.');
  if (options.copy && !options.image) throw new Failure('call/invalid-input', '--copy goes with --image.');
  if (options.iso) return { kind: 'iso', path: resolve(options.iso) };
  if (options.disk) return { kind: 'disk', path: resolve(options.disk), inPlace: options.inPlace ?? false };
  if (options.image === 'starter') {
    const starter = (await client.call('image.list', {})).find((image) => image.builtIn);
    if (starter) return { kind: 'image', imageId: starter.id };
  }
  if (options.image) return { kind: 'image', imageId: (await findImage(client, options.image)).id };
  throw new Failure('call/invalid-input', 'What should the guest be made from?', {
    hint: 'Give one of --iso FILE, --disk FILE or --image NAME.',
  });
}

function choicesOf(name: string, options: Options): CreateChoices {
  const given: CreateChoices = {
    name,
    notes: options.notes,
    tags: options.tag,
    memoryMiB: options.memoryMib,
    cpu:
      options.cpus || options.cpuModel
        ? {
            ...(options.cpus ? { sockets: 1, cores: options.cpus, threads: 1 } : {}),
            ...(options.cpuModel ? { model: options.cpuModel } : {}),
          }
        : undefined,
    firmware: options.firmware,
    tpm: options.tpm,
    machine: options.machine,
    accelerator: options.accelerator,
    location: options.location === 'home' ? null : options.location,
    diskGiB: options.diskGib,
    shareImage: options.copy ? false : undefined,
    diskBus: options.diskBus,
    network: options.network,
    nicModel: options.nic,
    forwards: options.forward,
    display: options.display || options.heads ? { device: options.display ?? 'virtio', heads: options.heads ?? 1 } : undefined,
    sound: options.sound,
    autostart: options.autostart,
    extraArguments: options.qemuArgument,
  };
  const present = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return { ...(options.choices ? readJson(options.choices, 'choices', createChoices) : {}), ...present };
}
