/** `guesthouse guest edit|undo|disk|cd|nic|forward …`: the hardware of a guest, also while it runs. */
import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import type { CallOutput } from '../../../contract/calls.ts';
import { Failure } from '../../../contract/errors.ts';
import { type DeviceList, type HardwareChange, hardwareChange, type PlannedChange } from '../../../contract/guest-hardware.ts';
import { disk, firmwareKind, type GuestSpec, guestSpec, type Nic, nic, type PortForward } from '../../../contract/guest-spec.ts';
import type { Guest } from '../../../contract/guest-state.ts';
import type { EngineClient } from '../../client/engine-client.ts';
import { type Context, findGuest, findImage } from '../context.ts';
import { followJob } from '../job-progress.ts';
import { readJson } from '../read-json.ts';
import { show, type Terminal, table } from '../terminal.ts';
import { bytes, localTime } from '../units.ts';
import { collectForward, onOrOff, wholeNumber, wholeNumberOrNone, wholeNumbers } from '../values.ts';

const gib = 1024 ** 3;

type EditOptions = {
  cpus?: number;
  cpusMax?: number;
  cpuModel?: string;
  pin?: number[];
  cpuQuota?: number | null;
  memoryMib?: number;
  memoryMaxMib?: number | null;
  balloonMib?: number | null;
  hugePages?: boolean;
  numaNodes?: number;
  firmware?: GuestSpec['firmware'];
  machine?: string;
  accelerator?: GuestSpec['accelerator'];
  tpm?: boolean;
  display?: GuestSpec['display']['device'];
  heads?: number;
  sound?: GuestSpec['sound'];
  watchdog?: GuestSpec['watchdog']['model'];
  watchdogAction?: GuestSpec['watchdog']['action'];
  bootMenu?: boolean;
  change?: string;
  dryRun?: boolean;
};

export function addGuestHardware(group: Command, context: Context): void {
  addEdit(group, context);
  addUndo(group, context);
  addDisk(group.command('disk').description('add, grow, limit and take out disks, and what becomes of those'), context);
  addCd(group.command('cd').description('put CDs in and take them out'), context);
  addNic(group.command('nic').description('add and remove network cards, plug and unplug their cables'), context);
  addForward(group.command('forward').description('add and remove port forwards'), context);
}

function addEdit(group: Command, { terminal, engine }: Context): void {
  const choice = (flags: string, description: string, values: readonly string[]) => new Option(flags, description).choices(values);
  group
    .command('edit')
    .alias('hotplug')
    .description('change the hardware; what a running guest cannot take now waits for its next start')
    .argument('<guest>', 'name or id')
    .option('--cpus <n>', 'processors', wholeNumber(1, 2048))
    .option('--cpus-max <n>', 'processors up to which more can be added while it runs', wholeNumber(1, 256))
    .option('--cpu-model <model>', 'QEMU CPU model, or auto')
    .option('--pin <list>', 'processors of this computer to run on: 0,1,4; empty for any', wholeNumbers(0, 4095))
    .option('--cpu-quota <percent>', 'the most of this computer’s processors: 100 is one; or none', wholeNumberOrNone(1, 409_600))
    .option('--memory-mib <n>', 'memory', wholeNumber(16, 16_777_216))
    .option('--memory-max-mib <n>', 'memory up to which more can be added while it runs; or none', wholeNumberOrNone(16, 16_777_216))
    .option('--balloon-mib <n>', 'shrink the memory to this much for now; or none', wholeNumberOrNone(16, 16_777_216))
    .option('--huge-pages <on|off>', 'take the memory from the pool of huge pages', onOrOff)
    .option('--numa-nodes <n>', 'spread processors and memory over NUMA nodes', wholeNumber(1, 8))
    .addOption(choice('--firmware <kind>', 'firmware', firmwareKind.options))
    .option('--machine <type>', 'QEMU machine type')
    .addOption(choice('--accelerator <name>', 'how it is run', guestSpec.shape.accelerator.options))
    .option('--tpm <on|off>', 'TPM 2.0', onOrOff)
    .addOption(choice('--display <device>', 'graphics card', guestSpec.shape.display.shape.device.options))
    .option('--heads <n>', 'monitors', wholeNumber(1, 16))
    .addOption(choice('--sound <device>', 'sound card', guestSpec.shape.sound.options))
    .addOption(choice('--watchdog <model>', 'watchdog', guestSpec.shape.watchdog.shape.model.options))
    .addOption(
      choice('--watchdog-action <action>', 'what happens when the watchdog runs out', guestSpec.shape.watchdog.shape.action.options),
    )
    .option('--boot-menu <on|off>', 'let the firmware offer what to boot from', onOrOff)
    .option('--change <file>', 'a change as JSON, as the API takes it (“-” reads standard input); options above win')
    .option('--dry-run', 'only say what would change and when')
    .action(async (wanted: string, options: EditOptions) => {
      const client = await engine();
      const guest = await findGuest(client, wanted);
      const change = changeOf(guest.spec, options);
      if (options.dryRun) return show(terminal, await client.call('guest.planEdit', { guest: guest.id, change }), describePlan);
      await edit(client, terminal, guest, change);
    });
}

function changeOf({ cpu }: GuestSpec, options: EditOptions): HardwareChange {
  const room = options.cpusMax ?? (cpu.online === null ? null : cpu.sockets * cpu.cores * cpu.threads);
  const topology = (cores: number) => ({ sockets: 1, cores, threads: 1 });
  const cpus = options.cpus;
  const processors = {
    ...(options.cpusMax === undefined
      ? {}
      : { ...topology(options.cpusMax), online: cpus ?? cpu.online ?? cpu.sockets * cpu.cores * cpu.threads }),
    ...(cpus === undefined ? {} : room !== null && cpus <= room ? { online: cpus } : { ...topology(cpus), online: null }),
    ...(options.cpuModel === undefined ? {} : { model: options.cpuModel }),
    ...(options.pin === undefined ? {} : { pins: options.pin }),
  };
  const given: HardwareChange = {
    cpu: Object.keys(processors).length > 0 ? processors : undefined,
    cpuQuotaPercent: options.cpuQuota,
    memoryMiB: options.memoryMib,
    memoryMaxMiB: options.memoryMaxMib,
    balloonTargetMiB: options.balloonMib,
    hugePages: options.hugePages,
    numaNodes: options.numaNodes,
    firmware: options.firmware,
    machine: options.machine,
    accelerator: options.accelerator,
    tpm: options.tpm,
    display: options.display || options.heads ? { device: options.display, heads: options.heads } : undefined,
    sound: options.sound,
    watchdog: options.watchdog || options.watchdogAction ? { model: options.watchdog, action: options.watchdogAction } : undefined,
    bootMenu: options.bootMenu,
  };
  const present = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return { ...(options.change ? readJson(options.change, 'change', hardwareChange) : {}), ...present };
}

function addUndo(group: Command, { terminal, engine }: Context): void {
  group
    .command('undo')
    .description('take the last change of the hardware back')
    .argument('<guest>', 'name or id')
    .option('--list', 'only list what can be taken back')
    .action(async (wanted: string, options: { list?: boolean }) => {
      const client = await engine();
      const guest = await findGuest(client, wanted);
      if (options.list) {
        return show(terminal, await client.call('guest.edits', { guest: guest.id }), (edits) =>
          edits.length === 0
            ? 'There is nothing to undo.'
            : edits.map(({ at, who, changes }) => `${at}  ${who}  ${changes.map(({ path }) => path).join(', ')}`).join('\n'),
        );
      }
      await settle(client, terminal, await client.call('guest.undoEdit', { guest: guest.id }));
    });
}

function addDisk(group: Command, { terminal, engine }: Context): void {
  group
    .command('add')
    .description('add an empty disk, or a file of your own that is used in place')
    .argument('<guest>', 'name or id')
    .addOption(new Option('--gib <n>', 'size of an empty disk').argParser(wholeNumber(1, 65_536)).conflicts('file'))
    .option('--file <path>', 'a qcow2 or raw file to use in place')
    .addOption(new Option('--bus <bus>', 'bus (default: that of the first disk)').choices(disk.shape.bus.options))
    .action(async (wanted: string, options: { gib?: number; file?: string; bus?: GuestSpec['disks'][number]['bus'] }) => {
      if (options.gib === undefined && !options.file)
        throw new Failure('call/invalid-input', 'Give the new disk a size with --gib, or a --file.');
      const client = await engine();
      const guest = await findGuest(client, wanted);
      const one = {
        ...(options.gib === undefined ? {} : { sizeBytes: options.gib * gib }),
        ...(options.file ? { path: resolve(options.file) } : {}),
        ...(options.bus ? { bus: options.bus } : {}),
      };
      await edit(client, terminal, guest, { disks: [...guest.spec.disks, one] });
    });
  group
    .command('remove')
    .description('take a disk out; its file is put away, and undo or “attach” brings it back')
    .argument('<guest>', 'name or id')
    .argument('<disk>', 'its id, such as disk1')
    .action(async (wanted: string, id: string) => {
      const client = await engine();
      const guest = await findGuest(client, wanted);
      deviceOf(guest, 'disks', id);
      await edit(client, terminal, guest, { disks: guest.spec.disks.filter((one) => one.id !== id) });
    });
  group
    .command('removed')
    .description('list the disks that were taken out and whose files are kept')
    .argument('<guest>', 'name or id')
    .action(async (wanted: string) => {
      const client = await engine();
      const { id } = await findGuest(client, wanted);
      show(terminal, await client.call('guest.removedDisks', { guest: id }), (disks) =>
        disks.length === 0
          ? 'There are none.'
          : table(terminal, disks, [
              { title: 'FILE', value: ({ file }) => file },
              { title: 'WAS', value: (one) => one.id ?? '' },
              { title: 'SIZE', value: ({ sizeBytes }) => bytes(sizeBytes), align: 'right' },
              { title: 'ON DISK', value: ({ realBytes }) => bytes(realBytes), align: 'right' },
              { title: 'REMOVED', value: ({ removedAt }) => localTime(removedAt) },
            ]),
      );
    });
  group
    .command('attach')
    .description('put a disk that was taken out in again')
    .argument('<guest>', 'name or id')
    .argument('<file>', 'as “disk removed” names it')
    .action(async (wanted: string, file: string) => {
      const client = await engine();
      const { id } = await findGuest(client, wanted);
      await settle(client, terminal, await client.call('guest.attachRemovedDisk', { guest: id, file }, { timeoutMs: 60_000 }));
    });
  group
    .command('delete')
    .description('delete a disk that was taken out for good; its removal cannot be undone any more')
    .argument('<guest>', 'name or id')
    .argument('<file>', 'as “disk removed” names it')
    .action(async (wanted: string, file: string) => {
      const client = await engine();
      const { id } = await findGuest(client, wanted);
      show(terminal, await client.call('guest.deleteRemovedDisk', { guest: id, file }), () => `${file} is deleted.`);
    });
  group
    .command('grow')
    .description('make a disk larger')
    .argument('<guest>', 'name or id')
    .argument('<disk>', 'its id, such as disk0')
    .argument('<gib>', 'its new size in GiB', wholeNumber(1, 65_536))
    .action(async (wanted: string, id: string, sizeGiB: number) => {
      const client = await engine();
      const guest = await findGuest(client, wanted);
      const grown = { ...deviceOf(guest, 'disks', id), sizeBytes: sizeGiB * gib };
      await edit(client, terminal, guest, { disks: guest.spec.disks.map((one) => (one.id === id ? grown : one)) });
    });
  group
    .command('limit')
    .description('limit how fast a disk is; without options the limits are lifted')
    .argument('<guest>', 'name or id')
    .argument('<disk>', 'its id, such as disk0')
    .option('--mib-per-second <n>', 'bytes read and written', wholeNumber(1, 953_674))
    .option('--operations-per-second <n>', 'reads and writes', wholeNumber(1, 100_000_000))
    .action(async (wanted: string, id: string, options: { mibPerSecond?: number; operationsPerSecond?: number }) => {
      const client = await engine();
      const guest = await findGuest(client, wanted);
      const limits = {
        bytesPerSecond: options.mibPerSecond === undefined ? null : options.mibPerSecond * 1024 ** 2,
        operationsPerSecond: options.operationsPerSecond ?? null,
      };
      const limited = { ...deviceOf(guest, 'disks', id), limits };
      await edit(client, terminal, guest, { disks: guest.spec.disks.map((one) => (one.id === id ? limited : one)) });
    });
}

function addCd(group: Command, { terminal, engine }: Context): void {
  group
    .command('insert')
    .description('put a CD into a drive: an image of the store, or an ISO file')
    .argument('<guest>', 'name or id')
    .addOption(new Option('--image <image>', 'an image of the store, by name or id').conflicts('file'))
    .option('--file <path>', 'an ISO file')
    .option('--drive <id>', 'the drive (default: the first)')
    .action(async (wanted: string, options: { image?: string; file?: string; drive?: string }) => {
      const client = await engine();
      const guest = await findGuest(client, wanted);
      if (!options.image && !options.file) throw new Failure('call/invalid-input', 'Which CD? Give --image NAME or --file FILE.');
      const medium = options.image
        ? ({ kind: 'image', imageId: (await findImage(client, options.image)).id } as const)
        : ({ kind: 'in-place', path: resolve(options.file ?? '') } as const);
      await setMedium(client, terminal, guest, options.drive, medium);
    });
  group
    .command('eject')
    .description('take the CD out of a drive')
    .argument('<guest>', 'name or id')
    .option('--drive <id>', 'the drive (default: the first)')
    .action(async (wanted: string, options: { drive?: string }) => {
      const client = await engine();
      await setMedium(client, terminal, await findGuest(client, wanted), options.drive, null);
    });
}

async function setMedium(
  client: EngineClient,
  terminal: Terminal,
  guest: Guest,
  wanted: string | undefined,
  medium: GuestSpec['cdDrives'][number]['medium'],
): Promise<void> {
  const id = wanted ?? guest.spec.cdDrives[0]?.id;
  if (id === undefined) {
    throw new Failure('guest/spec-invalid', `“${guest.spec.name}” has no CD drive.`, {
      hint: 'Add one in the window, or with guest edit --change.',
    });
  }
  deviceOf(guest, 'cdDrives', id);
  await edit(client, terminal, guest, { cdDrives: guest.spec.cdDrives.map((one) => (one.id === id ? { ...one, medium } : one)) });
}

function addNic(group: Command, { terminal, engine }: Context): void {
  group
    .command('add')
    .description('add a network card')
    .argument('<guest>', 'name or id')
    .addOption(new Option('--model <model>', 'its kind (default: that of the first card)').choices(nic.shape.model.options))
    .option('--bridge <name>', 'plug it into this bridge of the computer, instead of the user-mode network')
    .option('--network <name>', 'plug it into this isolated network, with the guests that name the same')
    .option('--restricted', 'it reaches nothing beyond this computer’s forwards')
    .action(async (wanted: string, options: { model?: Nic['model']; bridge?: string; network?: string; restricted?: boolean }) => {
      const client = await engine();
      const guest = await findGuest(client, wanted);
      const one = {
        ...(options.model ? { model: options.model } : {}),
        ...(options.bridge ? { mode: 'bridge' as const, bridge: options.bridge } : {}),
        ...(options.network ? { mode: 'isolated' as const, network: options.network } : {}),
        ...(options.restricted ? { restricted: true } : {}),
      };
      await edit(client, terminal, guest, { nics: [...guest.spec.nics, one] });
    });
  group
    .command('remove')
    .description('remove a network card')
    .argument('<guest>', 'name or id')
    .argument('<nic>', 'its id, such as nic0')
    .action(async (wanted: string, id: string) => {
      const client = await engine();
      const guest = await findGuest(client, wanted);
      deviceOf(guest, 'nics', id);
      await edit(client, terminal, guest, { nics: guest.spec.nics.filter((one) => one.id !== id) });
    });
  group
    .command('link')
    .description('plug the cable of a network card in or pull it out')
    .argument('<guest>', 'name or id')
    .argument('<nic>', 'its id, such as nic0')
    .argument('<on|off>', 'in or out', onOrOff)
    .action(async (wanted: string, id: string, linkUp: boolean) => {
      const client = await engine();
      const guest = await findGuest(client, wanted);
      const changed = { ...deviceOf(guest, 'nics', id), linkUp };
      await edit(client, terminal, guest, { nics: guest.spec.nics.map((one) => (one.id === id ? changed : one)) });
    });
}

function addForward(group: Command, { terminal, engine }: Context): void {
  const change = async (wanted: string, options: { nic?: string }, next: (before: readonly PortForward[]) => PortForward[]) => {
    const client = await engine();
    const guest = await findGuest(client, wanted);
    const id = options.nic ?? guest.spec.nics.find(({ mode }) => mode === 'user')?.id;
    if (id === undefined) throw new Failure('guest/spec-invalid', `“${guest.spec.name}” has no card on the user-mode network.`);
    const forwards = next(deviceOf(guest, 'nics', id).forwards);
    await edit(client, terminal, guest, { nics: guest.spec.nics.map((one) => (one.id === id ? { ...one, forwards } : one)) });
  };
  const parse = (rule: string) => collectForward(rule) as [PortForward];
  group
    .command('add')
    .description('forward a port of this computer to the guest')
    .argument('<guest>', 'name or id')
    .argument('<rule>', 'tcp:HOSTPORT:GUESTPORT or tcp:ADDRESS:HOSTPORT:GUESTPORT', parse)
    .option('--nic <id>', 'the network card (default: the first on the user-mode network)')
    .action((wanted: string, [rule]: [PortForward], options: { nic?: string }) => change(wanted, options, (before) => [...before, rule]));
  group
    .command('remove')
    .description('end the forward of a port of this computer')
    .argument('<guest>', 'name or id')
    .argument('<port>', 'the port of this computer', wholeNumber(1, 65_535))
    .option('--nic <id>', 'the network card (default: the first on the user-mode network)')
    .action((wanted: string, port: number, options: { nic?: string }) =>
      change(wanted, options, (before) => {
        const left = before.filter(({ hostPort }) => hostPort !== port);
        if (left.length < before.length) return left;
        throw new Failure('guest/spec-invalid', `No forward of port ${port} is there.`);
      }),
    );
}

/** @throws Failure `guest/spec-invalid` naming what there is */
export function deviceOf<List extends DeviceList>(guest: Guest, list: List, id: string): GuestSpec[List][number] {
  const devices: readonly GuestSpec[List][number][] = guest.spec[list];
  const found = devices.find((one) => one.id === id);
  if (found) return found;
  const there = devices.map((one) => one.id).join(', ');
  throw new Failure('guest/spec-invalid', `“${guest.spec.name}” has no ${id}.`, {
    hint: there ? `It has ${there}.` : 'It has none of the kind.',
  });
}

export async function edit(client: EngineClient, terminal: Terminal, guest: Guest, change: HardwareChange): Promise<void> {
  await settle(client, terminal, await client.call('guest.edit', { guest: guest.id, change }, { timeoutMs: 60_000 }));
}

async function settle(client: EngineClient, terminal: Terminal, answer: CallOutput<'guest.edit'>): Promise<void> {
  if (answer.job) await followJob(client, terminal, answer.job.id);
  if (answer.job && terminal.json) return;
  show(terminal, answer, ({ changes }) => (changes.length === 0 ? 'It is so already.' : changes.map(describeChange).join('\n')));
}

function describeChange({ path, kind, when, why }: PlannedChange): string {
  const what = kind === 'changed' ? `${path} changed` : `${path} ${kind}`;
  return when === 'now' ? what : `${what}, from the ${when === 'next-start' ? 'next start' : 'next power-off'} on: ${why}`;
}

function describePlan({ changes, notes }: CallOutput<'guest.planEdit'>): string {
  const lines = [
    ...changes.map(describeChange),
    ...notes.map((note) => `${note.severity}: ${note.path}: ${note.message} ${note.hint ?? ''}`.trim()),
  ];
  return lines.length === 0 ? 'Nothing would change.' : lines.join('\n');
}
