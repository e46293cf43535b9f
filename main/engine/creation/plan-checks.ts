/** Whether this computer can run what is planned: one note for every field that does not fit. */
import { constants } from 'node:fs';
import { access, realpath } from 'node:fs/promises';
import { sep } from 'node:path';
import { cpusOnline, type GuestSpec, guestNameProblem, guestSpec } from '../../../contract/guest-spec.ts';
import type { HostReport } from '../../../contract/host.ts';
import { machineFamily } from '../drivers/qemu/arguments/launch-facts.ts';
import type { HostCapabilities } from '../host/capabilities.ts';
import { isWindows11 } from '../images/inspect.ts';
import type { KnownOs } from '../os/osinfo-index.ts';
import { type PlanNote, problem, problemOf, warning } from './plan-note.ts';
import type { DiskWork } from './plan-source.ts';

export function checkName(name: string, isTaken: (name: string) => boolean): PlanNote[] {
  const invalid = guestNameProblem(name);
  if (invalid) return [problem('guest/name-invalid', 'name', invalid)];
  if (isTaken(name)) return [problem('guest/name-taken', 'name', `There is a guest named “${name}” already.`, 'Choose another name.')];
  return [];
}

/** The schema's own complaints, for values that a call let through and a guest cannot have. */
export function checkShape(spec: GuestSpec): PlanNote[] {
  const parsed = guestSpec.safeParse(spec);
  if (parsed.success) return [];
  return parsed.error.issues.map((issue) => problem('guest/spec-invalid', issue.path.join('.'), issue.message));
}

/** Memory and processors against those of the host and the needs of the operating system. */
export function checkSize(
  spec: GuestSpec,
  host: Pick<HostReport, 'cpus' | 'memoryMiB' | 'memoryFreeMiB'>,
  known: KnownOs | null,
): PlanNote[] {
  const notes: PlanNote[] = [];
  const { memoryMiB } = spec;
  if (memoryMiB > host.memoryMiB) {
    notes.push(
      problem(
        'host/not-enough-memory',
        'memoryMiB',
        `This computer has ${host.memoryMiB} MiB of memory; ${memoryMiB} MiB were asked for.`,
        'Give the guest less.',
      ),
    );
  } else if (memoryMiB > host.memoryMiB * 0.75) {
    notes.push(
      warning(
        'host/not-enough-memory',
        'memoryMiB',
        `This leaves only ${host.memoryMiB - memoryMiB} MiB of this computer’s memory for everything else.`,
        'Give the guest less.',
      ),
    );
  } else if (memoryMiB > host.memoryFreeMiB) {
    notes.push(
      warning(
        'host/not-enough-memory',
        'memoryMiB',
        `Only ${host.memoryFreeMiB} MiB of memory are free now.`,
        'Close other programs before you start the guest.',
      ),
    );
  }
  const minimum = known?.resources.minimumMemoryMiB ?? 0;
  if (memoryMiB < minimum) {
    notes.push(warning('guest/spec-invalid', 'memoryMiB', `${spec.os.name} needs at least ${minimum} MiB.`));
  }
  const cpus = cpusOnline(spec.cpu);
  if (cpus > host.cpus) {
    const has = host.cpus === 1 ? 'one processor' : `${host.cpus} processors`;
    notes.push(problem('host/too-many-cpus', 'cpu', `This computer has ${has}; ${cpus} were asked for.`, 'Give the guest fewer.'));
  }
  return notes;
}

/** The machine, its firmware and what they need on this host. */
export async function checkMachine(spec: GuestSpec, host: HostCapabilities, report: HostReport): Promise<PlanNote[]> {
  if (spec.architecture !== 'x86_64') {
    return [problem('guest/spec-invalid', 'architecture', `Guests of ${spec.architecture} cannot be started yet.`, 'Choose x86_64.')];
  }
  const notes: PlanNote[] = [];
  const family = machineFamily(spec.machine);
  if (family === null)
    notes.push(problem('guest/spec-invalid', 'machine', `A machine of type ${spec.machine} cannot be built.`, 'Choose q35 or pc.'));
  if (spec.firmware === 'uefi-secure' && family === 'pc') {
    notes.push(
      problem('guest/spec-invalid', 'firmware', 'Secure Boot needs the machine type q35.', 'Choose q35, or UEFI without Secure Boot.'),
    );
  }
  const asks: [string, () => Promise<unknown>][] = [
    ['accelerator', () => host.acceleratorFor(spec)],
    ['firmware', () => host.firmwareFor(spec.firmware, spec.architecture)],
  ];
  if (spec.tpm) asks.push(['tpm', () => host.swtpmPath()]);
  try {
    const qemu = await host.qemuFor(spec.architecture);
    if (family !== null && !qemu.machines.includes(spec.machine)) {
      notes.push(
        problem('guest/spec-invalid', 'machine', `QEMU ${qemu.version} has no machine of type ${spec.machine}.`, 'Choose q35 or pc.'),
      );
    }
    if (!qemu.spice && spec.display.device !== 'none') {
      notes.push(
        problem(
          'host/no-spice',
          'display',
          `${qemu.path} has no SPICE, so the guest’s screen could not be shown.`,
          'Install QEMU’s SPICE module; the health page has the command.',
        ),
      );
    }
    notes.push(...checkCpuModel(spec, report));
    for (const [path, ask] of asks) {
      try {
        await ask();
      } catch (thrown) {
        notes.push(problemOf(thrown, path));
      }
    }
  } catch (thrown) {
    notes.push(problemOf(thrown, 'architecture'));
  }
  return notes;
}

function checkCpuModel(spec: GuestSpec, report: HostReport): PlanNote[] {
  const { model } = spec.cpu;
  const qemu = report.qemu.find((one) => one.architecture === spec.architecture);
  if (model === 'auto' || !qemu || qemu.cpuModels.length === 0 || qemu.cpuModels.includes(model)) return [];
  return [
    problem(
      'guest/spec-invalid',
      'cpu.model',
      `QEMU ${qemu.version} has no processor model ${model}.`,
      'Choose “auto” for the best that is possible.',
    ),
  ];
}

/** What an operating system asks for beyond memory. */
export function checkNeeds(spec: GuestSpec): PlanNote[] {
  const notes: PlanNote[] = [];
  if (isWindows11(spec.os)) {
    const hint = 'Leave it on, unless you know how to get round the check.';
    if (!spec.tpm) notes.push(warning('guest/spec-invalid', 'tpm', `${spec.os.name} refuses to be installed without a TPM.`, hint));
    if (spec.firmware !== 'uefi-secure')
      notes.push(warning('guest/spec-invalid', 'firmware', `${spec.os.name} refuses to be installed without Secure Boot.`, hint));
  }
  if (spec.extraArguments.length > 0) {
    notes.push(
      warning(
        'guest/spec-invalid',
        'extraArguments',
        'Nothing checks these arguments: a wrong one keeps the guest from starting, or opens it to others.',
      ),
    );
  }
  return notes;
}

/** Firmware against the ways in which the medium can be started. */
export function checkBoot(spec: GuestSpec, bootable: { bios: boolean; uefi: boolean }): PlanNote[] {
  if (spec.firmware === 'bios' && !bootable.bios && bootable.uefi) {
    return [warning('guest/spec-invalid', 'firmware', 'This medium can only be started with UEFI.', 'Choose UEFI.')];
  }
  if (spec.firmware !== 'bios' && !bootable.uefi && bootable.bios) {
    return [warning('guest/spec-invalid', 'firmware', 'This medium can only be started with BIOS.', 'Choose BIOS.')];
  }
  return [];
}

/** Room for the disk: what is copied must fit now, what is empty only grows later. */
export function checkRoom(work: DiskWork, freeBytes: number, keepFreeMiB: number): PlanNote[] {
  if (work.kind === 'none') return [];
  const usableBytes = Math.max(0, freeBytes - keepFreeMiB * 1024 ** 2);
  const gib = (bytes: number) => `${(bytes / 1024 ** 3).toFixed(1)} GiB`;
  // What shares an image begins as small as an empty disk.
  const neededBytes = work.kind === 'copy' ? Math.min(work.fileSizeBytes, work.virtualSizeBytes) : 1024 ** 2;
  if (neededBytes > usableBytes) {
    const path = work.kind === 'copy' ? 'source.path' : 'diskGiB';
    return [
      problem(
        'store/full',
        path,
        `There is not enough room: ${gib(neededBytes)} are needed and ${gib(usableBytes)} can be used.`,
        'Free some space on that disk, or keep less of it free in the settings.',
      ),
    ];
  }
  if (work.sizeBytes > usableBytes) {
    return [
      warning(
        'store/full',
        'diskGiB',
        `The disk may grow to ${gib(work.sizeBytes)}, and ${gib(usableBytes)} can be used now.`,
        'The guest is paused when there is no more room.',
      ),
    ];
  }
  return [];
}

/** A disk of the user's own: nobody else may write to it, and it must be writable. */
export async function checkInPlace(path: string, usedInPlace: ReadonlyMap<string, string>, storeFolder: string): Promise<PlanNote[]> {
  const field = 'source.path';
  const real = await realpath(path).catch(() => path);
  for (const [other, guestName] of usedInPlace) {
    if (other === path || (await realpath(other).catch(() => other)) === real) {
      return [
        problem(
          'image/in-use',
          field,
          `“${guestName}” uses this disk already.`,
          'Two guests writing to one disk destroy it: copy it instead.',
        ),
      ];
    }
  }
  if (real.startsWith(storeFolder + sep)) {
    return [problem('image/in-use', field, 'This file belongs to Guesthouse’s own data folder.', 'Copy it instead of using it in place.')];
  }
  const writable = await access(real, constants.W_OK).then(
    () => true,
    () => false,
  );
  return writable
    ? []
    : [
        problem(
          'image/unreadable',
          field,
          'This disk may only be read by you, and a guest has to write to it.',
          'Copy it instead of using it in place.',
        ),
      ];
}
