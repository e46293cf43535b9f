/** A machine as another product describes it, in our words. Parsers make it of text alone; nothing of it is believed or opened yet. */
import { Failure } from '../../../contract/errors.ts';
import type { FirmwareKind, GuestSpec } from '../../../contract/guest-spec.ts';
import type { MachineFinding } from '../../../contract/machine.ts';

export type ForeignBus = GuestSpec['disks'][number]['bus'];

export type ForeignMachineDisk = {
  /** As the description names it: relative to it, or absolute. */
  file: string;
  /** Null where the controller has no counterpart here. */
  bus: ForeignBus | null;
  /** The controller in the words of the product: "LSI Logic SAS". */
  controller: string;
  /** Said to be raw: then it is, whatever its first bytes look like. */
  raw: boolean;
};

export type ForeignNic = { model: GuestSpec['nics'][number]['model'] | null; modelName: string; mac: string | null };

export type ForeignMachine = {
  name: string | null;
  notes: string;
  /** What the product calls the operating system: "Debian_64", "windows9-64". */
  osHint: string | null;
  architecture: GuestSpec['architecture'];
  cpus: number | null;
  memoryMiB: number | null;
  firmware: FirmwareKind | null;
  tpm: boolean;
  /**
   * Where its UEFI firmware keeps variables: a file of EDK II as its description names it (`raw`: said to be so), or one in the format of the
   * product that is named. Null when none is named.
   */
  variables: { kind: 'edk2'; file: string; raw: boolean } | { kind: 'VMware' | 'VirtualBox' } | null;
  disks: ForeignMachineDisk[];
  nics: ForeignNic[];
  /** What the description itself tells: snapshots, encryption. */
  findings: MachineFinding[];
};

export function emptyMachine(): ForeignMachine {
  return {
    name: null,
    notes: '',
    osHint: null,
    architecture: 'x86_64',
    cpus: null,
    memoryMiB: null,
    firmware: null,
    tpm: false,
    variables: null,
    disks: [],
    nics: [],
    findings: [],
  };
}

/** @throws Failure `machine/not-understood` */
export function notUnderstood(what: string, detail?: string): Failure {
  return new Failure('machine/not-understood', `The description of the machine cannot be understood: ${what}`, {
    hint: 'Export the machine again from the program that it comes from, or import its disks one by one.',
    path: 'path',
    ...(detail ? { detail } : {}),
  });
}

/** A number of a description, or null when it is absent or none that anyone means. */
export function boundedNumber(text: string | null | undefined, max: number): number | null {
  if (!text || !/^\d{1,15}$/.test(text.trim())) return null;
  const value = Number(text.trim());
  return value >= 1 && value <= max ? value : null;
}

export const cpusMax = 256;
export const memoryMiBMax = 16_777_216;

/** "080027C0FFEE" or "08:00:27:c0:ff:ee" as we write it; null for what is none, or addresses many. */
export function macOf(text: string | null | undefined): string | null {
  const digits = (text ?? '').replaceAll(/[:-]/g, '').toLowerCase();
  if (!/^[0-9a-f]{12}$/.test(digits) || (Number.parseInt(digits.slice(0, 2), 16) & 1) === 1) return null;
  return digits.match(/../g)?.join(':') ?? null;
}

/** Network cards of other products by our models. */
export function nicModelOf(name: string): ForeignNic['model'] {
  const key = name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
  if (key.startsWith('virtio')) return 'virtio';
  if (key.startsWith('vmxnet3')) return 'vmxnet3';
  if (key.startsWith('e1000e') || key === '82574l') return 'e1000e';
  if (key.startsWith('e1000') || key.startsWith('8254')) return 'e1000';
  if (key.startsWith('rtl8139')) return 'rtl8139';
  return null;
}

export function snapshotsFinding(count: number): MachineFinding {
  return {
    id: 'source/snapshots',
    severity: 'warning',
    title: count === 1 ? 'The machine has a snapshot' : `The machine has ${count} snapshots`,
    text: 'Snapshots of other products cannot be taken along.',
    action: 'Only the present state is imported, and only if its disks are whole; delete the snapshots in the source if they are not.',
  };
}

export function encryptionFinding(product: string): MachineFinding {
  return {
    id: 'source/encrypted',
    severity: 'problem',
    title: `The machine is encrypted by ${product}`,
    text: 'Its disks cannot be read without the key.',
    action: `Remove the encryption in ${product}, then import it.`,
  };
}
