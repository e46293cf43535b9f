/** QEMU's `key=value,key=value` option syntax. */

export type OptionValue = string | number | boolean;

/** A comma inside a value is written twice (QEMU's util/keyval.c and qemu-option.c); nothing else is special. */
export function quoteOptionValue(value: string): string {
  return value.replaceAll(',', ',,');
}

/**
 * One option argument: `head` as it is, then every value, quoted. Booleans become on and off; null and undefined are left out.
 * `option('socket', {id: 'a', server: true})` is "socket,id=a,server=on".
 */
export function option(head: string | null, values: Readonly<Record<string, OptionValue | null | undefined>>): string {
  const parts = head === null ? [] : [head];
  for (const [key, value] of Object.entries(values)) {
    if (value === null || value === undefined) continue;
    parts.push(`${key}=${typeof value === 'boolean' ? (value ? 'on' : 'off') : quoteOptionValue(String(value))}`);
  }
  return parts.join(',');
}

export const device = (driver: string, values: Readonly<Record<string, OptionValue | null | undefined>>): string[] => [
  '-device',
  option(driver, values),
];
