/**
 * Every call of the engine, as values. The router, the OpenAPI document, the clients of the window and of the command
 * line are derived from this table.
 *
 * INVARIANT: no process makes or answers an engine call that does not stand here (`contract/calls.test.ts`,
 * `main/engine/api/router.test.ts`).
 */
import type { z } from 'zod';
import type { CallTable } from './calls/definition.ts';
import { downloadCalls } from './calls/download.ts';
import { engineCalls } from './calls/engine.ts';
import { guestCalls } from './calls/guest.ts';
import { guestCloneCalls } from './calls/guest-clone.ts';
import { guestConsoleCalls } from './calls/guest-console.ts';
import { guestHardwareCalls } from './calls/guest-hardware.ts';
import { imageCalls } from './calls/image.ts';
import { imageCatalogueCalls } from './calls/image-catalogue.ts';
import { machineCalls } from './calls/machine.ts';
import { recordCalls } from './calls/record.ts';
import { seedCalls } from './calls/seed.ts';
import { snapshotCalls } from './calls/snapshot.ts';
import { storageCalls } from './calls/storage.ts';

export const calls = {
  ...engineCalls,
  ...imageCalls,
  ...downloadCalls,
  ...storageCalls,
  ...imageCatalogueCalls,
  ...guestCalls,
  ...guestCloneCalls,
  ...guestConsoleCalls,
  ...guestHardwareCalls,
  ...machineCalls,
  ...seedCalls,
  ...snapshotCalls,
  ...recordCalls,
} as const satisfies CallTable;

export type CallName = keyof typeof calls;
export type CallInput<Name extends CallName> = z.input<(typeof calls)[Name]['input']>;
/** The input after parsing, as a handler receives it. */
export type CallParsed<Name extends CallName> = z.output<(typeof calls)[Name]['input']>;
export type CallOutput<Name extends CallName> = z.output<(typeof calls)[Name]['output']>;

export function isCallName(name: string): name is CallName {
  return Object.hasOwn(calls, name);
}
