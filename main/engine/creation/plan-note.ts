/** A note about one field of a plan, with the code that `guest.create` fails with when it is a problem. */

import { type ErrorCode, Failure, toGuesthouseError } from '../../../contract/errors.ts';
import type { FieldNote } from '../../../contract/guest-creation.ts';

export type PlanNote = FieldNote & { code: ErrorCode; detail?: string };

export function problem(code: ErrorCode, path: string, message: string, hint?: string): PlanNote {
  return { code, path, severity: 'problem', message, ...(hint ? { hint } : {}) };
}

export function warning(code: ErrorCode, path: string, message: string, hint?: string): PlanNote {
  return { ...problem(code, path, message, hint), severity: 'warning' };
}

/** What a thrown failure means for the field `path`. @throws whatever is no {@link Failure}: that is a fault of ours. */
export function problemOf(thrown: unknown, path: string): PlanNote {
  if (!(thrown instanceof Failure)) throw thrown;
  const { code, message, hint, detail } = toGuesthouseError(thrown);
  return { code, path, severity: 'problem', message, ...(hint ? { hint } : {}), ...(detail ? { detail } : {}) };
}

/** The note as clients get it. */
export function publicNote({ path, severity, message, hint }: PlanNote): FieldNote {
  return { path, severity, message, ...(hint ? { hint } : {}) };
}

/** The failure that a problem is when it is insisted on. */
export function failureOf({ code, message, hint, detail, path }: PlanNote): Failure {
  return new Failure(code, message, { ...(hint ? { hint } : {}), ...(detail ? { detail } : {}), path });
}
