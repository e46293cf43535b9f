/** What every disk that a job made has to stand before it gets its name. */
import { Failure } from '../../../contract/errors.ts';
import { moveIntoPlace } from '../files/durable.ts';
import { checkDisk, diskInfo } from './qemu-img.ts';

export type FinishedDisk = {
  /** A qcow2 file under the name that it was made under. */
  arriving: string;
  target: string;
  /** How large a guest is to see it. */
  sizeBytes: number;
  /** What it is, for the message: "The disk of “Web”". */
  what: string;
  hint: string;
};

/** Checks a disk that was made and gives it its name. @throws Failure `image/corrupt`, or the signal's reason: then it has its name not. */
export async function finishDisk(qemuImg: string, { arriving, target, ...disk }: FinishedDisk, signal: AbortSignal): Promise<void> {
  await checkMadeDisk(qemuImg, arriving, disk);
  signal.throwIfAborted();
  await moveIntoPlace(arriving, target);
}

/** @throws Failure `image/corrupt` when its tables are damaged or it has another size than was wanted */
export async function checkMadeDisk(
  qemuImg: string,
  path: string,
  { sizeBytes, what, hint }: Pick<FinishedDisk, 'sizeBytes' | 'what' | 'hint'>,
): Promise<void> {
  const made = await diskInfo(qemuImg, path, 'qcow2');
  const check = await checkDisk(qemuImg, path);
  if (check.state !== 'corrupt' && made.virtualSizeBytes === sizeBytes) return;
  throw new Failure('image/corrupt', `${what} did not come out right.`, {
    hint,
    detail: check.detail ?? `It has ${made.virtualSizeBytes} bytes instead of ${sizeBytes}.`,
  });
}
