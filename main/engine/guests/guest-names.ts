/** Names as people tell them apart: two that differ only in case or in how an accent is encoded are the same name. */
import { guestNameMaxLength } from '../../../contract/guest-spec.ts';

export const nameKey = (name: string): string => name.normalize('NFKC').toLowerCase();

/** `name`, or the first of "name (2)", "name (3)" … that is free, within the greatest length. */
export function freeName(name: string, isTaken: (name: string) => boolean): string {
  if (!isTaken(name)) return name;
  for (let number = 2; ; number++) {
    const suffix = ` (${number})`;
    const base = [...name]
      .slice(0, guestNameMaxLength - suffix.length)
      .join('')
      .trimEnd();
    if (!isTaken(base + suffix)) return base + suffix;
  }
}
