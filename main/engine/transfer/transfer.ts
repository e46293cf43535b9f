/** Machines that come from other products, and guests that go to them. Implemented by `machine-transfer.ts`. */
import type { CallOutput, CallParsed } from '../../../contract/calls.ts';
import type { GuestId } from '../../../contract/ids.ts';
import type { Job } from '../../../contract/job.ts';
import type { BootTest, MachineReport } from '../../../contract/machine.ts';
import type { ArchiveImages } from './archive-images.ts';

export type Transfer = {
  /** Disks of an OVA or OVF for the library. */
  archives: Pick<ArchiveImages, 'inspect' | 'import'>;
  /** Reads a machine without trusting it, and copies nothing. @throws Failure `machine/*` or `image/*` when it is none */
  inspect(source: CallParsed<'machine.inspect'>): Promise<MachineReport>;
  /** @throws Failure of what stands in the way: `machine/blocked` with the first problem that was found, or `guest/name-*`. */
  import(wish: CallParsed<'machine.import'>, by: string): Promise<CallOutput<'machine.import'>>;
  /** Writes a guest that is off to a path of the user's. @throws Failure `guest/denied`, `export/exists`, `store/not-writable` */
  export(wish: CallParsed<'guest.export'>, by: string): Promise<Job>;
  /** What a guest that is off would take up as a capsule. */
  exportSize(id: GuestId): Promise<CallOutput<'guest.exportSize'>>;
  /** How an imported guest did when it was tried. */
  bootTest(id: GuestId): Promise<BootTest | null>;
};
