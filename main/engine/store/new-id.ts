/** New identifiers: random, so that two data folders can be merged, and short, because a guest's is part of socket paths. */
import { randomInt } from 'node:crypto';
import type { GuestId, ImageId, JobId, LayerId, SnapshotId } from '../../../contract/ids.ts';

const digits = '0123456789abcdefghijklmnopqrstuvwxyz';

/** Nine digits of base 36 are 46 bits: a clash among a thousand guests is a matter of one in 10^8. */
function randomDigits(): string {
  return Array.from({ length: 9 }, () => digits[randomInt(digits.length)]).join('');
}

export const newGuestId = () => `g${randomDigits()}` as GuestId;
export const newImageId = () => `i${randomDigits()}` as ImageId;
export const newJobId = () => `j${randomDigits()}` as JobId;
export const newLayerId = () => `l${randomDigits()}` as LayerId;
export const newSnapshotId = () => `s${randomDigits()}` as SnapshotId;
