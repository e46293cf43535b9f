/** Calls about whole machines that come from other products or go to them. */
import { z } from 'zod';
import { guestName } from '../guest-spec.ts';
import { guest } from '../guest-state.ts';
import { guestId } from '../ids.ts';
import { job } from '../job.ts';
import { bootTest, exportFormat, machineReport } from '../machine.ts';
import { type CallTable, oneGuest } from './definition.ts';

/** `path` is the machine's description, archive, folder or first disk; `moreDisks` are further disks of a machine that has no description. */
const source = { path: z.string(), moreDisks: z.array(z.string()).max(23).optional() };

export const machineCalls = {
  'machine.inspect': {
    summary: 'Read a machine of another product and say what importing it would make and mean, without copying anything.',
    input: z.strictObject(source),
    output: machineReport,
    effect: 'read',
  },
  'machine.import': {
    summary: 'Make a guest of a machine of another product: copy its disks, and try once whether the copy boots.',
    input: z.strictObject({
      ...source,
      name: guestName.optional(),
      /** Start the copy once, alone and without a network. Absent: yes. */
      bootTest: z.boolean().optional(),
      /** Give the copy drivers with virt-v2v. Absent: where it lacks them and that can be done here. */
      convert: z.boolean().optional(),
      /** Also copy disks outside the machine's own folder. */
      trustPaths: z.boolean().optional(),
    }),
    output: z.object({ guest, job }),
    effect: 'write',
  },
  'guest.export': {
    summary: 'Write a guest that is off to a file or folder that another product, or another Guesthouse, can open.',
    input: z.strictObject({
      guest: guestId,
      format: exportFormat,
      /** Absolute. What is written, by its whole name; its folder must be there. */
      path: z.string(),
      /** Replace what is at the path, once the new one is whole. */
      overwrite: z.boolean().optional(),
      /** Of a capsule: all its snapshots as well. Absent: yes. Other formats have no place for them. */
      withSnapshots: z.boolean().optional(),
    }),
    output: job,
    effect: 'write',
  },
  'guest.exportSize': {
    summary: 'Say about how large the capsule of a guest that is off would be, with its snapshots and without.',
    input: oneGuest,
    /** `allBytes`: with its snapshots. `presentBytes`: only what it is now. */
    output: z.object({ snapshots: z.number().int(), allBytes: z.number(), presentBytes: z.number() }),
    effect: 'read',
  },
  'machine.bootTest': {
    summary: 'Say how the boot test of an imported guest went; null when there was none.',
    input: oneGuest,
    output: bootTest.nullable(),
    effect: 'read',
  },
} as const satisfies CallTable;
