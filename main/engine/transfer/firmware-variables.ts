/**
 * Whether the variables of a machine's UEFI firmware (boot entries, keys of Secure Boot) can be brought along. They can when they are a store of
 * EDK II, as OVMF and AAVMF have it, of exactly the shape that the firmware here has; anything else QEMU would refuse, or the firmware wipe.
 */
import { lstat, realpath } from 'node:fs/promises';
import { basename, isAbsolute, relative, resolve } from 'node:path';
import { Failure } from '../../../contract/errors.ts';
import type { MachineFinding } from '../../../contract/machine.ts';
import type { FirmwareFiles } from '../host/capabilities.ts';
import { isQcow2 } from '../images/qcow2-header.ts';
import type { CarriedFile } from './capsule-plan.ts';
import type { ForeignMachine } from './foreign-machine.ts';
import { type MachineDiskRef, openMachineDisk, recogniseDisk } from './machine-disk.ts';

export type PlannedVariables = { file: CarriedFile | null; finding: MachineFinding; outsideFile: string | null };

/** More than any firmware's variables need. */
const variablesMaxBytes = 64 * 1024 * 1024;

/**
 * @param folder the machine's own; null in an archive
 * @param firmware what the guest will start with; null where none is installed
 */
export async function planVariables(
  variables: ForeignMachine['variables'],
  folder: string | null,
  firmware: FirmwareFiles | null,
  trustPaths: boolean,
): Promise<PlannedVariables> {
  const stay = (text: string, outsideFile: string | null = null, action?: string): PlannedVariables => ({
    file: null,
    finding: {
      id: 'machine/variables',
      severity: 'info',
      title: 'The variables of its firmware stay behind',
      text,
      action: action ?? 'It gets new ones; the firmware finds the system on the disk by itself.',
    },
    outsideFile,
  });
  if (variables === null) return stay('Its description names no file of them.');
  if (variables.kind !== 'edk2') return stay(`${variables.kind} keeps them in a format of its own, which no other firmware reads.`);
  if (folder === null) return stay('They are in an archive.');
  if (firmware === null) return stay('No UEFI firmware is installed here yet, so it is not known what fits it.');
  const path = await realpath(resolve(folder, variables.file)).catch(() => null);
  if (path === null) return stay(`${variables.file} is not there.`);
  // By where it really is: a link in the folder could lead anywhere.
  const within = relative(folder, path);
  const isOutside = within.startsWith('..') || isAbsolute(within);
  if (isOutside && !trustPaths) {
    return stay(
      `They are outside its own folder, at ${path}.`,
      path,
      'Allow files outside the folder to bring them along; else it gets new ones.',
    );
  }
  const outsideFile = isOutside ? path : null;
  try {
    const found = await lstat(path);
    if (!found.isFile() || found.size > variablesMaxBytes) return stay(`${path} is no file of such variables.`, outsideFile);
    const ref = await recogniseDisk(path, null, variables.raw);
    const problem = await differenceFrom(ref, firmware);
    if (problem) return stay(problem, outsideFile);
    return {
      file: { ref, role: 'nvram', file: 'nvram.fd', snapshot: null, sha256: null, asFormat: firmware.format },
      finding: {
        id: 'machine/variables',
        severity: 'ok',
        title: 'The variables of its firmware come along',
        text: `${basename(path)} has the boot entries and the keys of its firmware, and fits the firmware here.`,
        action: 'They are copied.',
      },
      outsideFile,
    };
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown;
    return stay(thrown.error.message, outsideFile);
  }
}

/** Those of a capsule are taken as they are, so what does not fit is told. Null when nothing is to be said. */
export async function carriedVariablesFinding(carried: MachineDiskRef, firmware: FirmwareFiles): Promise<MachineFinding | null> {
  const ref = await asVariables(carried);
  const problem =
    ref.format === firmware.format
      ? await differenceFrom(ref, firmware)
      : `They are ${ref.format}, and the firmware here keeps them as ${firmware.format}.`;
  if (problem === null) return null;
  return {
    id: 'capsule/variables',
    severity: 'warning',
    title: 'The variables of its firmware do not fit the firmware here',
    text: problem,
    action: 'They are kept. It starts once the UEFI firmware that it had is installed here.',
  };
}

/** A file of variables is raw unless it begins as qcow2 does. */
async function asVariables(ref: MachineDiskRef): Promise<MachineDiskRef> {
  const disk = await openMachineDisk({ ...ref, format: 'raw' });
  try {
    const head = (await disk.content?.read(0, 8)) ?? Buffer.alloc(0);
    return { ...ref, format: isQcow2(head) ? 'qcow2' : 'raw' };
  } finally {
    await disk.close();
  }
}

/** Why a store of variables does not fit the firmware, in a sentence; null when it does. @throws Failure `image/*` for what is neither raw nor qcow2 */
async function differenceFrom(ref: MachineDiskRef, { varsTemplatePath, format }: FirmwareFiles): Promise<string | null> {
  if (ref.format !== 'raw' && ref.format !== 'qcow2') return `${ref.name} is ${ref.format}, and no file of such variables.`;
  const name = basename(varsTemplatePath);
  const [theirs, ours] = [await shapeOf(ref), await shapeOf({ path: varsTemplatePath, member: null, name, format })];
  if (theirs.layout === null) return `${ref.name} does not begin as such variables do.`;
  if (theirs.sizeBytes !== ours.sizeBytes) {
    return `${ref.name} has ${theirs.sizeBytes / 1024} KiB, and the firmware here keeps its variables in ${ours.sizeBytes / 1024} KiB.`;
  }
  return theirs.layout === ours.layout ? null : `${ref.name} is laid out otherwise than the variables of the firmware here.`;
}

/** "_FVH", the signature of a firmware volume. */
const volumeSignature = 0x4856465f;

/**
 * The size, and what has to be the same: the volume's file system, length and blocks, and the kind and length of the store in it
 * (EFI_FIRMWARE_VOLUME_HEADER in the PI specification, vol. 3; VARIABLE_STORE_HEADER of EDK II). Null for what is no such volume.
 */
async function shapeOf(ref: MachineDiskRef): Promise<{ sizeBytes: number; layout: string | null }> {
  const disk = await openMachineDisk(ref);
  try {
    const { content, virtualSizeBytes } = disk;
    const head = (await content?.read(0, 4096)) ?? Buffer.alloc(0);
    if (head.length < 128 || head.readUInt32LE(40) !== volumeSignature) return { sizeBytes: virtualSizeBytes, layout: null };
    const headerBytes = head.readUInt16LE(48);
    const store = head.subarray(headerBytes, headerBytes + 20);
    return {
      sizeBytes: virtualSizeBytes,
      layout: Buffer.concat([head.subarray(16, 40), head.subarray(56, headerBytes), store]).toString('hex'),
    };
  } finally {
    await disk.close();
  }
}
