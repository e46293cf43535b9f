/**
 * The one shape in which anything that went wrong crosses a process boundary, and the table of every code.
 *
 * INVARIANT: nothing is thrown across a process boundary as text; see `docs/reference/errors.md`, which is generated
 * from `errorCodes`, and `contract/errors.test.ts`.
 */
import { z } from 'zod';

/** Every `area/reason` with what it means in a sentence. Codes are stable: add, never rename. */
export const errorCodes = {
  'call/unknown': 'No call of this name exists.',
  'call/invalid-input': 'A field of the call is missing, unknown or of the wrong type.',
  'call/forbidden-origin': 'The call came from a page or frame that may not make it.',
  'engine/unreachable': 'The engine does not answer.',
  'engine/held': 'Another engine already owns this data folder.',
  'engine/version-mismatch': 'The engine and the app are of different versions.',
  'engine/internal': 'The engine failed in a way it did not expect; the log has the details.',
  'engine/stopping': 'The engine is stopping and takes no new work.',
  'store/path-too-long': 'The data folder is so deep that sockets inside it cannot have a name.',
  'store/not-writable': 'The data folder cannot be written.',
  'store/full': 'There is not enough free space.',
  'database/newer': 'The database was written by a newer Guesthouse.',
  'database/damaged': 'The database is damaged.',
  'database/migration-failed': 'A migration of the database failed; the database is as it was before.',
  'host/no-qemu': 'No usable QEMU was found.',
  'host/no-spice': 'QEMU was built without SPICE.',
  'host/no-firmware': 'The firmware that the guest asks for is not installed.',
  'host/no-tpm': 'The TPM emulator is not installed.',
  'host/no-accelerator': 'The accelerator that the guest asks for is missing or failed its probe.',
  'host/not-enough-memory': 'The host has less memory than the guest asks for.',
  'host/no-cpu-quota': 'The host cannot limit how much of its processors a guest uses.',
  'host/too-many-cpus': 'The host has fewer processors than the guest asks for.',
  'guest/not-found': 'No guest has this name or id.',
  'guest/ambiguous': 'Several guests have this name.',
  'guest/name-invalid': 'The name cannot be used.',
  'guest/name-taken': 'Another guest has this name.',
  'guest/denied': 'The guest cannot do this in its present state.',
  'guest/start-failed': 'QEMU did not start the guest.',
  'guest/not-responding': 'The guest did not answer in time.',
  'guest/qemu-refused': 'QEMU refused what was asked of it.',
  'guest/agent-absent': 'The guest agent is not installed or not running in the guest.',
  'guest/agent-failed': 'The guest agent refused or failed.',
  'guest/spec-invalid': 'The hardware that was asked for cannot be built.',
  'guest/port-taken': 'A host port that the guest forwards is in use.',
  'guest/bridge-denied': 'The guest may not be plugged into this bridge of the host.',
  'guest/share-missing': 'A folder that the guest shares does not exist.',
  'guest/device-busy': 'The guest does not let go of the device.',
  'guest/nothing-to-undo': 'No edit of the guest’s hardware is left to be undone.',
  'guest/disk-deleted': 'A disk that would come back was deleted for good.',
  'guest/has-own-data': 'The guest’s disk holds data of its own, which belong to what it builds upon.',
  'guest/stands-alone': 'The guest’s disks build upon nothing.',
  'guest/not-in-trash': 'The guest is not in the trash.',
  'image/not-found': 'No image has this name or id.',
  'image/file-missing': 'The file does not exist or vanished.',
  'image/not-a-file': 'The path is a folder or a special file.',
  'image/unreadable': 'The file cannot be read.',
  'image/not-an-image': 'The file is neither a disk image nor an ISO.',
  'image/truncated': 'The file is cut short.',
  'image/corrupt': 'The image is damaged.',
  'image/outside-reference': 'The image points to a file outside itself.',
  'image/too-large': 'The virtual size is larger than is accepted.',
  'image/encrypted': 'The image is encrypted, which is not supported here.',
  'image/in-use': 'Something depends on the image.',
  'image/query-invalid': 'The search cannot be understood.',
  'image/version-taken': 'Another image is this version of the series.',
  'image/series-unknown': 'No image is in a series of this name.',
  'image/series-taken': 'Another series has this name.',
  'image/nothing-to-undo': 'No such edit of images is left to be taken back.',
  'image/not-comparable': 'The contents of the two images cannot be compared.',
  'image/changed': 'The file changed while it was read.',
  'layer/not-freezable': 'A disk cannot become a layer that others build upon.',
  'layer/no-links': 'The file system cannot give a file that is in use a second name.',
  'storage/location-invalid': 'The folder cannot be a storage location.',
  'storage/location-unknown': 'No storage location has this name or id.',
  'storage/location-in-use': 'Images, guests or layers lie in the storage location.',
  'storage/location-away': 'What is needed lies in a storage location that cannot be reached now.',
  'storage/copy-in-the-way': 'Something lies where a guest was to be moved.',
  'storage/not-an-orphan': 'Something refers to the file, or it is neither in the data folder nor one of ours in a location.',
  'download/unknown': 'The list of downloads has no such entry.',
  'download/page-only': 'This system is not downloaded here: its page opens in the browser.',
  'download/url-invalid': 'The address is not one from which an image can be downloaded.',
  'download/not-newer': 'The library has the newest version already.',
  'download/in-progress': 'This download is under way already.',
  'download/not-unfinished': 'Nothing is kept of such a download.',
  'download/unreachable': 'No server could be reached, or each broke off too often.',
  'download/file-missing': 'The server does not have the file.',
  'download/refused': 'The server refuses to hand out the file.',
  'download/redirect-refused': 'The server sends elsewhere in a way that is not followed.',
  'download/checksum-mismatch': 'What was downloaded is not what its makers published.',
  'download/checksum-missing': 'The checksum that belongs to the file could not be found.',
  'download/signature-bad': 'The signature of the checksums is wrong.',
  'download/version-unknown': 'The newest version could not be found out.',
  'download/archive-bad': 'The archive does not hold the image that it should.',
  'download/proxy-invalid': 'The proxy cannot be used.',
  'search/not-found': 'No saved search has this name.',
  'machine/not-understood': 'The description of the machine cannot be understood.',
  'machine/archive-refused': 'The archive holds something that it must not, or is damaged.',
  'machine/wrong-hash': 'A file of the machine is not the one that its manifest names.',
  'machine/no-conversion': 'The system on the machine cannot be given drivers here, or needs none.',
  'machine/blocked': 'Something about the machine stands in the way of importing it.',
  'layer/chain-too-long': 'A disk builds upon too many layers for another one.',
  'snapshot/not-found': 'No snapshot has this name or id.',
  'snapshot/ambiguous': 'Several snapshots have this name.',
  'snapshot/incomplete': 'A file that the snapshot needs is missing or damaged.',
  'snapshot/not-made': 'The snapshot did not come to be; the guest is as it was.',
  'export/exists': 'Something is at the path already.',
  'export/differs': 'What was written is not the same as the disk of the guest.',
  'job/not-found': 'No job has this id.',
  'job/cancelled': 'The job was cancelled.',
  'job/not-cancellable': 'The job is past the point where it can be cancelled.',
  'console/unavailable': 'The guest has no such console now.',
  'console/refused': 'The console server refused the connection.',
  'seed/unsupported': 'No answer file is known for this operating system.',
  'seed/answers-invalid': 'An answer cannot be written in the form that the installer reads.',
  'seed/no-tool': 'A program that makes answer discs is not installed.',
  'seed/build-failed': 'The disc with the answers could not be made.',
  'seed/no-installer': 'The medium has no installer where one is expected.',
  'seed/not-found': 'The guest has no disc with answers.',
  'seed/file-exists': 'There is a file of this name already.',
  'settings/invalid': 'The setting cannot have this value.',
} as const satisfies Record<`${string}/${string}`, string>;

export type ErrorCode = keyof typeof errorCodes;

const errorCode = z.enum(Object.keys(errorCodes) as [ErrorCode, ...ErrorCode[]]);

/**
 * `message` says in plain words what happened to which guest or file, `hint` what to do about it, `detail` what the
 * underlying tool said (shown on demand). `path` names the input field at fault, dotted, for forms.
 */
export const guesthouseError = z.object({
  code: errorCode,
  message: z.string(),
  hint: z.string().optional(),
  detail: z.string().optional(),
  path: z.string().optional(),
});
export type GuesthouseError = z.infer<typeof guesthouseError>;

/** What every call answers, on every boundary. */
export type Result<T> = { ok: true; value: T } | { ok: false; error: GuesthouseError };

/** The throwable form of {@link GuesthouseError}, used inside one process only. */
export class Failure extends Error {
  override name = 'Failure';
  readonly error: GuesthouseError;
  constructor(code: ErrorCode, message: string, more: Omit<GuesthouseError, 'code' | 'message'> = {}, options?: ErrorOptions) {
    super(message, options);
    this.error = { code, message, ...more };
  }
}

/** The throwable form of an error that came from another process. */
export function toFailure({ code, message, ...more }: GuesthouseError): Failure {
  return new Failure(code, message, more);
}

/** Anything thrown, as a {@link GuesthouseError}; what is not a {@link Failure} becomes `engine/internal`. */
export function toGuesthouseError(thrown: unknown): GuesthouseError {
  if (thrown instanceof Failure) return thrown.error;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return { code: 'engine/internal', message: `Something unexpected went wrong: ${message}`, hint: 'The engine log has the details.' };
}
