/** Writes down who asked for what. Every call whose effect is `write` passes here, whatever comes of it. */
import { type CallName, calls } from '../../../contract/calls.ts';
import { toGuesthouseError } from '../../../contract/errors.ts';
import type { GuestId, ImageId, JobId } from '../../../contract/ids.ts';
import type { Job } from '../../../contract/job.ts';
import { type Clock, instantNow } from '../clock/clock.ts';
import type { Log } from '../log/log.ts';
import type { Caller } from './caller.ts';
import type { Services } from './handlers.ts';

type AuditDeps = { services: Pick<Services, 'guests' | 'images' | 'jobs' | 'audit'>; clock: Clock; log: Log };

/** What was asked for and could not be: `denied` is for what the rules forbid, `failed` for what went wrong. */
const deniedCodes: ReadonlySet<string> = new Set([
  'guest/denied',
  'guest/name-taken',
  'guest/name-invalid',
  'guest/not-in-trash',
  'layer/not-freezable',
  'image/in-use',
  'job/not-cancellable',
  'call/invalid-input',
  'call/forbidden-origin',
]);

/** Runs `work` and records its outcome. The target is named before, because a delete leaves nothing to name. */
export async function withAudit<T>(
  { services, clock, log }: AuditDeps,
  name: CallName,
  input: unknown,
  caller: Caller,
  work: () => Promise<T>,
): Promise<T> {
  if (calls[name].effect === 'read') return work();
  const target = nameTarget(services, input);
  const record = (outcome: 'done' | 'denied' | 'failed', errorCode: string | null, target: string) => {
    try {
      services.audit.record({ at: instantNow(clock), who: caller.who, call: name, target, outcome, errorCode });
    } catch (thrown) {
      log.error({ error: thrown, call: name, who: caller.who, target, outcome, errorCode }, 'The audit log could not be written.');
    }
  };
  try {
    const value = await work();
    // A guest that was given no name has one now.
    record('done', null, target || nameMade(value));
    return value;
  } catch (thrown) {
    const { code } = toGuesthouseError(thrown);
    record(deniedCodes.has(code) ? 'denied' : 'failed', code, target);
    throw thrown;
  }
}

function nameMade(value: unknown): string {
  return typeof value === 'object' && value !== null && 'job' in value ? (value as { job: Job }).job.target.name : '';
}

function nameTarget({ guests, images, jobs }: AuditDeps['services'], input: unknown): string {
  if (typeof input !== 'object' || input === null) return '';
  const fields = input as { guest?: GuestId; image?: ImageId; job?: JobId; path?: string; name?: string; choices?: { name?: string } };
  try {
    if (fields.guest) return guests.show(fields.guest).spec.name;
    if (fields.image) return images.show(fields.image).name;
    if (fields.job) return jobs.show(fields.job).title;
  } catch {
    return String(fields.guest ?? fields.image ?? fields.job ?? '');
  }
  return String(fields.choices?.name ?? fields.name ?? fields.path ?? '');
}
