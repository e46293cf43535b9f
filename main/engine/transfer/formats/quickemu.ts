/** Quickemu's machines (`.conf`): assignments of a shell, of which only plain ones are read and none is run. */
import { dirname, join } from 'node:path';
import { boundedNumber, cpusMax, emptyMachine, type ForeignMachine, memoryMiBMax, notUnderstood } from '../foreign-machine.ts';

/** @throws Failure `machine/not-understood` */
export function parseQuickemu(text: string): ForeignMachine {
  const values = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const [, key, quoted, bare] = /^\s*([a-z0-9_]+)=(?:"([^"]*)"|'[^']*'|([^\s"'#]*))\s*(?:#.*)?$/.exec(line) ?? [];
    const value = quoted ?? bare ?? /='([^']*)'/.exec(line)?.[1];
    if (key !== undefined && value !== undefined) values.set(key, value);
  }
  const disk = values.get('disk_img');
  if (values.get('guest_os') === undefined || disk === undefined)
    throw notUnderstood('it is no machine of Quickemu, or it has no disk yet.');
  if (/[$`]/.test(disk)) throw notUnderstood('the path of its disk is made by a program of the shell, which is not run.');
  const machine = emptyMachine();
  machine.osHint = values.get('guest_os') ?? null;
  machine.cpus = boundedNumber(values.get('cpu_cores'), cpusMax);
  machine.memoryMiB = memoryMiB(values.get('ram'));
  const secure = values.get('secureboot') === 'on';
  machine.firmware = values.get('boot') === 'legacy' ? 'bios' : secure ? 'uefi-secure' : 'uefi';
  machine.tpm = values.get('tpm') === 'on';
  // Beside its disk, under a name that is always the same.
  if (machine.firmware !== 'bios') machine.variables = { kind: 'edk2', file: join(dirname(disk), 'OVMF_VARS.fd'), raw: true };
  // Quickemu gives Windows and Linux a virtio disk, and says nothing of it in the file.
  machine.disks.push({ file: disk, bus: 'virtio', controller: 'virtio', raw: values.get('disk_format') === 'raw' });
  machine.nics.push({ model: 'virtio', modelName: 'virtio-net', mac: null });
  return machine;
}

function memoryMiB(text: string | undefined): number | null {
  const [, amount, unit] = /^(\d+)([GM]?)$/i.exec(text ?? '') ?? [];
  return boundedNumber(amount ? String(Number(amount) * (unit?.toUpperCase() === 'G' ? 1024 : 1)) : null, memoryMiBMax);
}
