/** How the command ends, for scripts. Documented in docs/reference/cli.md and in `guesthouse --help`. */
import type { ErrorCode, Failure } from '../../contract/errors.ts';

export const exitCodes = {
  done: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  denied: 4,
  noEngine: 5,
  timedOut: 6,
  /** `guest exec` could not run the command; any other status of `guest exec` is the command's own. */
  execFailed: 125,
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

export const exitCodeMeanings: readonly (readonly [ExitCode, string])[] = [
  [exitCodes.done, 'done'],
  [exitCodes.failed, 'the operation failed'],
  [exitCodes.usage, 'the command line or a value on it is wrong; nothing was changed'],
  [exitCodes.notFound, 'no guest, image, snapshot, search or job of that name, or several'],
  [exitCodes.denied, 'not possible in the present state'],
  [exitCodes.noEngine, 'the engine could not be reached or started'],
  [exitCodes.timedOut, 'what was waited for did not happen in time'],
  [exitCodes.execFailed, 'guest exec: the command could not be run (else its own exit status)'],
  [exitCodes.interrupted, 'interrupted with Ctrl+C'],
];

const exact: Partial<Record<ErrorCode, ExitCode>> = {
  'call/unknown': exitCodes.usage,
  'call/invalid-input': exitCodes.usage,
  'guest/name-invalid': exitCodes.usage,
  'guest/name-taken': exitCodes.usage,
  'guest/spec-invalid': exitCodes.usage,
  'image/query-invalid': exitCodes.usage,
  'image/version-taken': exitCodes.usage,
  'settings/invalid': exitCodes.usage,
  'guest/not-found': exitCodes.notFound,
  'guest/ambiguous': exitCodes.notFound,
  'image/not-found': exitCodes.notFound,
  'search/not-found': exitCodes.notFound,
  'snapshot/not-found': exitCodes.notFound,
  'snapshot/ambiguous': exitCodes.notFound,
  'job/not-found': exitCodes.notFound,
  'download/unknown': exitCodes.notFound,
  'storage/not-an-orphan': exitCodes.denied,
  'storage/location-invalid': exitCodes.usage,
  'storage/location-unknown': exitCodes.notFound,
  'storage/location-in-use': exitCodes.denied,
  'storage/location-away': exitCodes.denied,
  'storage/copy-in-the-way': exitCodes.denied,
  'download/not-unfinished': exitCodes.notFound,
  'download/url-invalid': exitCodes.usage,
  'download/page-only': exitCodes.denied,
  'download/in-progress': exitCodes.denied,
  'download/not-newer': exitCodes.denied,
  'guest/denied': exitCodes.denied,
  'guest/not-in-trash': exitCodes.denied,
  'guest/disk-deleted': exitCodes.denied,
  'image/in-use': exitCodes.denied,
  'image/not-comparable': exitCodes.denied,
  'layer/not-freezable': exitCodes.denied,
  'layer/no-links': exitCodes.denied,
  'layer/chain-too-long': exitCodes.denied,
  'job/not-cancellable': exitCodes.denied,
};

const ofArea: Record<string, ExitCode> = { engine: exitCodes.noEngine, database: exitCodes.noEngine, store: exitCodes.noEngine };

export function exitCodeOf(code: ErrorCode): ExitCode {
  if (code === 'engine/internal' || code === 'store/full') return exitCodes.failed;
  return exact[code] ?? ofArea[code.split('/')[0] ?? ''] ?? exitCodes.failed;
}

/** Thrown to end the command with a status other than the one of its failure, or without any. */
export class Exit extends Error {
  readonly code: number;
  /** Said before ending, when there is one. */
  readonly failure: Failure | null;
  constructor(code: number, failure: Failure | null = null) {
    super(`exit ${code}`);
    this.code = code;
    this.failure = failure;
  }
}
