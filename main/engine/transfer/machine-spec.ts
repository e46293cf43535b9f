/** From a machine of another product to the spec of a guest: its own hardware where that has a counterpart, else what its system has drivers for. */
import type { FirmwareKind, GuestSpec, OsIdentity } from '../../../contract/guest-spec.ts';
import type { MachineFinding } from '../../../contract/machine.ts';
import type { HardwareDefaults } from '../creation/hardware-defaults.ts';
import { buildSpec, newMac } from '../creation/plan-spec.ts';
import type { ForeignMachine, ForeignMachineDisk } from './foreign-machine.ts';
import type { DiskContent } from './preflight.ts';

/** A disk that was read, with what the description says of it. */
export type PlannedDisk = { source: ForeignMachineDisk; virtualSizeBytes: number; content: DiskContent };

export type PlannedMachine = { spec: GuestSpec; findings: MachineFinding[] };

type Input = {
  name: string;
  os: OsIdentity;
  machine: ForeignMachine;
  disks: readonly PlannedDisk[];
  defaults: HardwareDefaults;
  host: { cpus: number; memoryMiB: number };
  macsTaken: ReadonlySet<string>;
};

type Bus = GuestSpec['disks'][number]['bus'];

export function planMachine({ name, os, machine, disks, defaults, host, macsTaken }: Input): PlannedMachine {
  const findings: MachineFinding[] = [];
  const cpus = Math.max(1, Math.min(machine.cpus ?? defaults.cpus, host.cpus));
  const memoryMiB = Math.min(machine.memoryMiB ?? defaults.memoryMiB, Math.max(512, Math.floor(host.memoryMiB * 0.75)));
  if ((machine.cpus ?? 0) > cpus || (machine.memoryMiB ?? 0) > memoryMiB) {
    findings.push({
      id: 'machine/size',
      severity: 'info',
      title: 'It had more than this computer can give',
      text: `It had ${machine.cpus ?? cpus} processors and ${machine.memoryMiB ?? memoryMiB} MiB of memory.`,
      action: `It gets ${cpus} processors and ${memoryMiB} MiB.`,
    });
  }
  const firmware = firmwareOf(machine, disks, findings);
  // A disk that nothing describes is taken for one of a guest that is made anew, unless its system would not find it there.
  const buses = disks.map(({ source, content }) =>
    source.controller !== 'unknown' ? busFor(source.bus, os) : content.startUp?.ready === false ? 'sata' : defaults.diskBus,
  );
  for (const [index, { source: disk }] of disks.entries()) {
    if (buses[index] === disk.bus || disk.controller === 'unknown') continue;
    findings.push({
      id: 'disk/controller',
      severity: 'info',
      title: `The disk “${disk.file}” changes its controller`,
      text: `It was on ${disk.controller}, which does not exist here.`,
      action: `It is put on ${(buses[index] ?? 'sata').toUpperCase()}, which ${os.family === 'other' ? 'nearly every system' : os.name} has a driver for.`,
    });
  }
  const usesIde = buses.includes('ide');
  const base = buildSpec(
    name,
    os,
    defaults,
    {
      memoryMiB,
      firmware,
      tpm: machine.tpm,
      notes: machine.notes.slice(0, 20_000),
      cpu: { cores: cpus },
      ...(usesIde && firmware !== 'uefi-secure' ? { machine: 'pc' } : firmware === 'uefi-secure' ? { machine: 'q35' } : {}),
    },
    { cd: null, disk: null },
    macsTaken,
  );
  const spec: GuestSpec = {
    ...base,
    disks: disks.map(({ virtualSizeBytes }, index) => {
      const bus = usesIde && firmware === 'uefi-secure' && buses[index] === 'ide' ? 'sata' : (buses[index] ?? 'sata');
      return {
        id: `disk${index}`,
        location: { kind: 'store' as const, file: `disk${index}.qcow2` },
        format: 'qcow2' as const,
        sizeBytes: virtualSizeBytes,
        bus,
        cache: 'writeback' as const,
        discard: true,
        iothread: bus === 'virtio' || bus === 'scsi',
        readOnly: false,
        bootOrder: index + 1,
        limits: { bytesPerSecond: null, operationsPerSecond: null },
      };
    }),
    cdDrives: base.cdDrives.map((drive) => ({ ...drive, bus: usesIde && base.machine === 'pc' ? 'ide' : drive.bus, bootOrder: null })),
    nics: nicsOf(machine, base, defaults, macsTaken, findings),
  };
  return { spec, findings };
}

/** What the description says, unless the disk can only be started in another way. */
function firmwareOf(machine: ForeignMachine, disks: readonly PlannedDisk[], findings: MachineFinding[]): FirmwareKind {
  const report = disks.map(({ content }) => content.report).find((one) => one?.bootable.bios || one?.bootable.uefi) ?? null;
  const byDisk: FirmwareKind = report && (report.prefersUefi || !report.bootable.bios) ? 'uefi' : 'bios';
  const add = (severity: MachineFinding['severity'], text: string, action: string) =>
    findings.push({ id: 'machine/firmware', severity, title: 'Firmware', text, action });
  const said = machine.firmware;
  if (said === null) {
    add(
      report ? 'ok' : 'info',
      report ? `Its disk boots with ${byDisk === 'bios' ? 'BIOS' : 'UEFI'}.` : 'Its description does not say, and its disk neither.',
      `It gets ${byDisk === 'bios' ? 'BIOS' : 'UEFI'}.`,
    );
    return byDisk;
  }
  const isUefi = said !== 'bios';
  if (report && !(isUefi ? report.bootable.uefi : report.bootable.bios)) {
    add(
      'warning',
      `Its description says ${isUefi ? 'UEFI' : 'BIOS'}, but its disk looks as if only ${isUefi ? 'BIOS' : 'UEFI'} could start it.`,
      'The description is followed. If it does not start, change the firmware.',
    );
    return said;
  }
  if (!isUefi) add('ok', 'It boots with BIOS.', 'Nothing needs doing.');
  else add('ok', `It boots with UEFI${said === 'uefi-secure' ? ' and Secure Boot' : ''}.`, 'Nothing needs doing.');
  return said;
}

/** What has a counterpart stays. What has none goes to a bus for which the system surely has a driver. */
function busFor(bus: Bus | null, os: OsIdentity): Bus {
  // Drivers of virtio that are there but were never used are not started early enough to boot from, so they are no reason to change to it.
  if (bus !== null) return bus;
  return os.family === 'dos' ? 'ide' : 'sata';
}

function nicsOf(
  machine: ForeignMachine,
  base: GuestSpec,
  defaults: HardwareDefaults,
  taken: ReadonlySet<string>,
  findings: MachineFinding[],
): GuestSpec['nics'] {
  const template = base.nics[0];
  if (!template) return [];
  const used = new Set(taken);
  return machine.nics.slice(0, 8).map((nic, index) => {
    const model =
      nic.model ?? (nic.modelName === 'unknown' || machine.disks.some(({ bus }) => bus === 'virtio') ? defaults.nicModel : 'e1000e');
    if (nic.model === null && nic.modelName !== 'unknown') {
      findings.push({
        id: 'machine/network-card',
        severity: 'info',
        title: 'A network card changes',
        text: `It was a ${nic.modelName}, which does not exist here.`,
        action: `It becomes ${model}. The system may ask for its network settings again.`,
      });
    }
    const mac = nic.mac && !used.has(nic.mac) ? nic.mac : newMac(used);
    used.add(mac);
    return { ...template, id: `nic${index}`, model, mac, forwards: [] };
  });
}
