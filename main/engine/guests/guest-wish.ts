/** What can be asked of one guest. */
import type { ByteProgress } from '../drivers/driver.ts';
import type { QueuedVerb } from './guest-queue.ts';
import type { HeldGuest, HeldVerb } from './held-guest.ts';

/** A verb with what it needs to know. */
export type Wish =
  | { verb: Exclude<QueuedVerb, 'shutdown' | 'suspend' | HeldVerb> }
  | { verb: 'shutdown'; timeoutSeconds: number }
  | { verb: 'suspend'; signal: AbortSignal; progress: ByteProgress }
  | { verb: HeldVerb; work(held: HeldGuest): Promise<void> };
