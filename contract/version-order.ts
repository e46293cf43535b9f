/** Order of version numbers as people mean it: "12" before "12.5" before "13", "9" before "10", "22.04" before "22.10". */

/** Longer numbers than this are no version of anything, and are cut. */
const digitsMax = 12;

/**
 * Text that sorts as the version does, so that a database can compare it: its parts, numbers padded, joined by dots. Null when there is
 * nothing to compare.
 */
export function versionKey(version: string | null): string | null {
  const parts = version?.toLowerCase().match(/\d+|[a-z]+/g);
  return parts?.map((part) => (/^\d/.test(part) ? padded(part) : part)).join('.') ?? null;
}

/** Text that sorts names with numbers in them as people do: "guest 2" before "guest 10", upper and lower case together. */
export function nameKey(name: string): string {
  return name.toLowerCase().replaceAll(/\d+/g, padded);
}

function padded(digits: string): string {
  return digits
    .replace(/^0+(?=\d)/, '')
    .slice(0, digitsMax)
    .padStart(digitsMax, '0');
}
