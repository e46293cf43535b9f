/** Looks into the disks of a machine that was found, and says which system they hold. */
import { Failure } from '../../../contract/errors.ts';
import type { MachineFinding } from '../../../contract/machine.ts';
import { notRecognised, type OsRecognition, type Recognition } from '../os/os-recognition.ts';
import { type MachineDiskRef, openMachineDisk } from './machine-disk.ts';
import type { PlannedDisk } from './machine-spec.ts';
import { type FoundMachine, recogniseOutside } from './open-machine.ts';
import { recogniseHint } from './os-hint.ts';
import { diskProblem, readContent } from './preflight.ts';

export type ReadDisk = PlannedDisk & { ref: MachineDiskRef; fileSizeBytes: number };

/** Those that can be read, in their order; what is wrong with the others is told. What lies outside is read only when it is trusted. */
export async function readMachineDisks(
  found: FoundMachine,
  trustPaths: boolean,
  recognition: OsRecognition,
): Promise<{ disks: ReadDisk[]; findings: MachineFinding[] }> {
  const disks: ReadDisk[] = [];
  const findings: MachineFinding[] = [];
  for (const [index, one] of found.disks.entries()) {
    const source = found.machine.disks[index];
    if (one.problem) findings.push(diskProblem(one.problem));
    if (!source || !one.ref || (one.outside && !trustPaths)) continue;
    try {
      const ref = one.outside ? await recogniseOutside(one, source.raw) : one.ref;
      disks.push({ source, ref, ...(await readMachineDisk(ref, recognition)) });
    } catch (thrown) {
      if (!(thrown instanceof Failure)) throw thrown;
      findings.push(diskProblem(thrown));
    }
  }
  return { disks, findings };
}

/** @throws Failure `image/*` */
export async function readMachineDisk(
  ref: MachineDiskRef,
  recognition: OsRecognition,
): Promise<Pick<ReadDisk, 'virtualSizeBytes' | 'fileSizeBytes' | 'content'>> {
  const disk = await openMachineDisk(ref);
  try {
    const content = await readContent(disk.content, ref.name, recognition);
    return { virtualSizeBytes: disk.virtualSizeBytes, fileSizeBytes: disk.fileSizeBytes, content };
  } finally {
    await disk.close();
  }
}

export async function recogniseMachine(
  { machine }: FoundMachine,
  disks: readonly Pick<ReadDisk, 'content'>[],
  recognition: OsRecognition,
): Promise<Recognition> {
  const seen = disks.map(({ content }) => content.report?.recognition).filter((one) => one !== undefined && one.by !== null);
  const certain = seen.find((one) => one?.os.id !== null);
  if (certain) return certain;
  const hinted = machine.osHint ? await recogniseHint(machine.osHint, recognition) : notRecognised;
  // Partitions say only the family; the description says which release, if both agree.
  return seen[0] && seen[0].os.family !== hinted.os.family ? seen[0] : hinted.by !== null ? hinted : (seen[0] ?? notRecognised);
}
