/** Whether this computer can run a guest as it is to be: the checks of creation, and those of what only an edit can ask for. */
import { readFile, stat } from 'node:fs/promises';
import { Failure } from '../../../contract/errors.ts';
import type { SpecDifference } from '../../../contract/guest-hardware.ts';
import { cpuCount, cpusOnline, type GuestSpec, type PortForward } from '../../../contract/guest-spec.ts';
import type { ImageId } from '../../../contract/ids.ts';
import { checkInPlace, checkMachine, checkNeeds, checkShape, checkSize } from '../creation/plan-checks.ts';
import { type PlanNote, problem, warning } from '../creation/plan-note.ts';
import { disksInPlace } from '../creation/plan-source.ts';
import { checkForwards, forwardsOf, type PortProbe, probePort } from '../creation/port-checks.ts';
import { bridgeProblem } from '../drivers/qemu/bridge.ts';
import { quotaProblem } from '../drivers/qemu/cpu-quota.ts';
import type { HostCapabilities } from '../host/capabilities.ts';

export type EditCheckDeps = {
  host: HostCapabilities;
  /** @throws Failure `image/not-found` */
  image(id: ImageId): { format: string };
  /** Specs of all other guests. */
  others: readonly GuestSpec[];
  /** The hardware that the guest runs with; null while it is off. */
  running: GuestSpec | null;
  /** The data folder, none of whose files may be used in place. */
  storeFolder: string;
};

/** Notes on the fields that an edit changes; on the others it is not asked. Paths have a device's id for its place in the list. */
export async function checkEdit(spec: GuestSpec, changes: readonly SpecDifference[], deps: EditCheckDeps): Promise<PlanNote[]> {
  const report = await deps.host.report();
  const notes = [
    ...checkShape(spec),
    ...checkSize(spec, report, null),
    ...(await checkMachine(spec, deps.host, report)),
    ...checkNeeds(spec),
    ...checkProcessors(spec, report.cpus),
    ...(await checkMemory(spec)),
    ...checkBootOrder(spec),
    ...checkNetwork(spec, deps.others),
    ...(await checkMediaThere(spec, changes, deps)),
    ...(await checkNewDisks(spec, changes, deps)),
    ...(await checkPorts(spec, deps)),
    ...(await checkQuota(spec)),
    ...(await checkShared(spec)),
    ...checkUsb(spec),
  ];
  const touched = new Set(changes.map(({ path }) => path.split('.')[0]));
  return unique(notes.map((note) => ({ ...note, path: withIds(spec, note.path) })).filter((note) => touched.has(note.path.split('.')[0])));
}

function checkProcessors({ cpu, numaNodes, memoryMiB }: GuestSpec, hostCpus: number): PlanNote[] {
  const notes: PlanNote[] = [];
  const room = cpuCount(cpu);
  if (cpusOnline(cpu) > room) {
    const hint = 'Give it more sockets, cores or threads.';
    notes.push(
      problem('guest/spec-invalid', 'cpu.online', `The topology has room for ${room} processors; ${cpu.online} were asked for.`, hint),
    );
  }
  const missing = cpu.pins.find((pin) => pin >= hostCpus);
  if (missing !== undefined) {
    notes.push(problem('host/too-many-cpus', 'cpu.pins', `This computer has processors 0 to ${hostCpus - 1}, and no ${missing}.`));
  }
  if (numaNodes > 1 && cpu.sockets % numaNodes !== 0) {
    const hint = `Give the guest ${numaNodes} sockets, or a multiple of that.`;
    notes.push(
      problem('guest/spec-invalid', 'numaNodes', `${cpu.sockets} sockets cannot be spread evenly over ${numaNodes} NUMA nodes.`, hint),
    );
  }
  if (numaNodes > 1 && memoryMiB < numaNodes * 16) {
    notes.push(problem('guest/spec-invalid', 'numaNodes', `${memoryMiB} MiB are too little for ${numaNodes} NUMA nodes.`));
  }
  return notes;
}

async function checkMemory({ memoryMiB, memoryMaxMiB, balloonTargetMiB, balloon, hugePages }: GuestSpec): Promise<PlanNote[]> {
  const notes: PlanNote[] = [];
  if (memoryMaxMiB !== null && memoryMaxMiB < memoryMiB) {
    notes.push(
      problem(
        'guest/spec-invalid',
        'memoryMaxMiB',
        `The memory cannot grow to ${memoryMaxMiB} MiB, since it has ${memoryMiB} MiB already.`,
      ),
    );
  }
  if (balloonTargetMiB !== null && balloonTargetMiB > memoryMiB) {
    notes.push(
      problem('guest/spec-invalid', 'balloonTargetMiB', `The balloon shrinks the memory, and the guest has only ${memoryMiB} MiB.`),
    );
  }
  if (balloonTargetMiB !== null && !balloon) {
    notes.push(warning('guest/spec-invalid', 'balloonTargetMiB', 'Without a memory balloon nothing is shrunk.', 'Turn the balloon on.'));
  }
  if (hugePages) {
    const poolMiB = hugePagesMiB(await readFile('/proc/meminfo', 'utf8').catch(() => ''));
    if (poolMiB < memoryMiB) {
      notes.push(
        problem(
          'host/not-enough-memory',
          'hugePages',
          `This computer’s pool of huge pages has ${poolMiB} MiB free; ${memoryMiB} MiB are needed.`,
          `An administrator makes it larger with “sysctl vm.nr_hugepages=${Math.ceil(memoryMiB / 2)}”.`,
        ),
      );
    }
  }
  return notes;
}

/** Free huge pages in MiB, from /proc/meminfo. */
export function hugePagesMiB(meminfo: string): number {
  const number = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(meminfo)?.[1] ?? 0);
  return Math.floor((number('HugePages_Free') * number('Hugepagesize')) / 1024);
}

function checkBootOrder(spec: GuestSpec): PlanNote[] {
  const lists = { disks: spec.disks, cdDrives: spec.cdDrives, nics: spec.nics };
  const holders = new Map<number, string>();
  const notes: PlanNote[] = [];
  for (const [list, devices] of Object.entries(lists)) {
    for (const { id, bootOrder } of devices) {
      if (bootOrder === null) continue;
      const holder = holders.get(bootOrder);
      if (holder) {
        const message = `${id} and ${holder} have the same place in the boot order.`;
        notes.push(problem('guest/spec-invalid', `${list}.${id}.bootOrder`, message, 'Give each a number of its own.'));
      } else holders.set(bootOrder, id);
    }
  }
  return notes;
}

function checkNetwork({ nics }: GuestSpec, others: readonly GuestSpec[]): PlanNote[] {
  return nics.flatMap((nic, index): PlanNote[] => {
    const path = `nics.${nic.id}`;
    const notes: PlanNote[] = [];
    if (nics.slice(0, index).some(({ mac }) => mac === nic.mac)) {
      notes.push(problem('guest/spec-invalid', `${path}.mac`, `Two network cards of the guest have the address ${nic.mac}.`));
    }
    const holder = others.find((other) => other.nics.some(({ mac }) => mac === nic.mac));
    if (holder)
      notes.push(warning('guest/spec-invalid', `${path}.mac`, `“${holder.name}” has a card with the address ${nic.mac} as well.`));
    if (nic.mode === 'bridge' && nic.bridge === null) {
      notes.push(problem('guest/spec-invalid', `${path}.bridge`, 'Name the bridge that the card is plugged into.'));
    } else if (nic.mode === 'bridge' && nic.bridge !== null) {
      const trouble = bridgeProblem(nic.bridge);
      if (trouble) notes.push(problem('guest/bridge-denied', `${path}.bridge`, trouble.message, trouble.hint));
    }
    if (nic.mode === 'isolated' && nic.network === null) {
      notes.push(problem('guest/spec-invalid', `${path}.network`, 'Name the network that the card is plugged into.'));
    }
    if (nic.forwards.length > 0 && nic.mode !== 'user') {
      notes.push(problem('guest/spec-invalid', `${path}.forwards`, 'Ports are forwarded to cards on the user-mode network only.'));
    }
    return notes;
  });
}

/** Media that the edit puts in must be there; those that lie in a drive already may be missing, as at a start. */
async function checkMediaThere(spec: GuestSpec, changes: readonly SpecDifference[], { image }: EditCheckDeps): Promise<PlanNote[]> {
  const notes: PlanNote[] = [];
  for (const { id, medium } of spec.cdDrives) {
    const path = `cdDrives.${id}.medium`;
    if (!medium || !changes.some((change) => change.path === path || change.path === `cdDrives.${id}`)) continue;
    try {
      if (medium.kind === 'image') {
        if (image(medium.imageId).format !== 'iso')
          notes.push(problem('image/not-an-image', path, 'This image is a disk and not a CD.', 'Choose an ISO.'));
      } else if (!(await stat(medium.path)).isFile()) {
        notes.push(problem('image/not-a-file', path, `${medium.path} is not a file.`));
      }
    } catch (thrown) {
      const gone =
        thrown instanceof Failure ? thrown.message : `There is no file ${medium.kind === 'in-place' ? medium.path : medium.imageId}.`;
      notes.push(problem(thrown instanceof Failure ? thrown.error.code : 'image/file-missing', path, gone));
    }
  }
  return notes;
}

async function checkNewDisks(
  spec: GuestSpec,
  changes: readonly SpecDifference[],
  { others, storeFolder }: EditCheckDeps,
): Promise<PlanNote[]> {
  const notes: PlanNote[] = [];
  for (const disk of spec.disks) {
    const isNew = changes.some(({ path, kind }) => kind === 'added' && path === `disks.${disk.id}`);
    if (!isNew || disk.location.kind !== 'in-place') continue;
    const mine = spec.disks.filter((one) => one !== disk);
    const used = disksInPlace([...others, { name: spec.name, disks: mine }]);
    const found = await checkInPlace(disk.location.path, used, storeFolder);
    notes.push(...found.map((note) => ({ ...note, path: `disks.${disk.id}.location` })));
  }
  return notes;
}

/** Ports that the guest itself holds now are free for it. */
async function checkPorts(spec: GuestSpec, { others, running }: EditCheckDeps): Promise<PlanNote[]> {
  const held = new Set((running?.nics ?? []).flatMap((nic) => nic.forwards.map(forwardKey)));
  const probe: PortProbe = async (forward) => (held.has(forwardKey(forward)) ? null : probePort(forward));
  const places = spec.nics.flatMap((nic) => nic.forwards.map((_, index) => `nics.${nic.id}.forwards.${index}`));
  const notes = await checkForwards(
    spec.nics.flatMap((nic) => nic.forwards),
    forwardsOf(others),
    probe,
  );
  return notes.map((note) => ({ ...note, path: note.path.replace(/^forwards\.(\d+)/, (_, index) => places[Number(index)] ?? 'nics') }));
}

const forwardKey = ({ protocol, hostAddress, hostPort }: PortForward): string => `${protocol}:${hostAddress}:${hostPort}`;

async function checkQuota({ cpuQuotaPercent }: GuestSpec): Promise<PlanNote[]> {
  const trouble = cpuQuotaPercent === null ? null : await quotaProblem();
  return trouble === null ? [] : [problem('host/no-cpu-quota', 'cpuQuotaPercent', trouble)];
}

async function checkShared({ shares, display }: GuestSpec): Promise<PlanNote[]> {
  const notes: PlanNote[] = [];
  for (const [index, { id, path, tag, via }] of shares.entries()) {
    const facts = await stat(path).catch(() => null);
    if (!facts?.isDirectory())
      notes.push(problem('guest/share-missing', `shares.${id}.path`, `There is no folder ${path}.`, 'Choose another.'));
    if (shares.slice(0, index).some((other) => other.tag === tag)) {
      notes.push(problem('guest/spec-invalid', `shares.${id}.tag`, `Two shares are called ${tag}.`, 'The guest knows each by its tag.'));
    }
    if (via === 'webdav' && display.device === 'none') {
      const trouble = `A guest without a screen has no console over which ${tag} could go.`;
      // At the field of either that may have been changed.
      for (const field of [`shares.${id}.via`, 'display.device'])
        notes.push(problem('guest/spec-invalid', field, trouble, 'Let the guest mount it, or keep the screen.'));
    }
    if (path === '/') {
      notes.push(
        warning('guest/spec-invalid', `shares.${id}.path`, 'This gives the guest everything on this computer that you can reach.'),
      );
    }
  }
  return notes;
}

function checkUsb({ usbDevices }: GuestSpec): PlanNote[] {
  return usbDevices.flatMap((one, index) => {
    const same = usbDevices.slice(0, index).some((other) => JSON.stringify({ ...other, id: '' }) === JSON.stringify({ ...one, id: '' }));
    return same ? [problem('guest/spec-invalid', `usbDevices.${one.id}`, 'The guest has this USB device already.')] : [];
  });
}

/** "disks.0.bus" as "disks.disk0.bus". */
function withIds(spec: GuestSpec, path: string): string {
  return path.replace(/^(disks|cdDrives|nics|shares|usbDevices)\.(\d+)/, (whole, list: 'disks', index: string) => {
    const id = spec[list][Number(index)]?.id;
    return id === undefined ? whole : `${list}.${id}`;
  });
}

function unique(notes: readonly PlanNote[]): PlanNote[] {
  return notes.filter((note, index) => notes.findIndex((one) => one.path === note.path && one.message === note.message) === index);
}
