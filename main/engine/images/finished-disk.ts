/** What every disk that a job made has to stand before it gets its name. */
import { Failure } from '../../../contract/errors.ts';
import { checkDisk, diskInfo } from './qemu-img.ts';

export type WantedDisk = {
  /** How large a guest is to see it. */
  sizeBytes: number;
  /** What it is, for the message: "The disk of “Web”". */
  what: string;
  hint: string;
};

/** @throws Failure `image/corrupt` when the tables of a qcow2 file are damaged or it has another size than was wanted */
export async function checkFinishedDisk(qemuImg: string, path: string, { sizeBytes, what, hint }: WantedDisk): Promise<void> {
  const check = await checkDisk(qemuImg, path);
  const made = await diskInfo(qemuImg, path, 'qcow2');
  if (check.state !== 'corrupt' && made.virtualSizeBytes === sizeBytes) return;
  throw new Failure('image/corrupt', `${what} did not come out right.`, {
    hint,
    detail: check.detail ?? `It has ${made.virtualSizeBytes} bytes instead of ${sizeBytes}.`,
  });
}
