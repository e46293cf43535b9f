/** Numbers, sizes, times and plurals as people read them. Everything goes through Intl, so another language needs no code. */

const language = 'en';

const integer = new Intl.NumberFormat(language, { maximumFractionDigits: 0 });
const oneDigit = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
const twoDigits = new Intl.NumberFormat(language, { maximumFractionDigits: 2 });
const percent = new Intl.NumberFormat(language, { style: 'percent', maximumFractionDigits: 0 });
const exact = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'medium' });
const minute = new Intl.DateTimeFormat(language, { hour: '2-digit', minute: '2-digit', hour12: false });
const day = new Intl.DateTimeFormat(language, { month: 'short', day: 'numeric' });
const relative = new Intl.RelativeTimeFormat(language, { numeric: 'auto' });
const plurals = new Intl.PluralRules(language);
const conjunction = new Intl.ListFormat(language, { type: 'conjunction' });
const collator = new Intl.Collator(language, { numeric: true, sensitivity: 'base' });

const byteUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** "4 GiB", "1.5 MiB", "17 B": binary units, one digit behind the point where it says something. No line ends before the unit. */
export function formatBytes(bytes: number): string {
  let value = Math.max(0, bytes);
  let unit = 0;
  while (value >= 1024 && unit < byteUnits.length - 1) {
    value /= 1024;
    unit += 1;
  }
  // 1023.96 would be written as "1,024".
  if (value >= 1023.95 && unit < byteUnits.length - 1) {
    value = 1;
    unit += 1;
  }
  return `${(unit === 0 || value >= 100 ? integer : oneDigit).format(value)}\u00a0${byteUnits[unit]}`;
}

export function formatMiB(mebibytes: number): string {
  return formatBytes(mebibytes * 1024 * 1024);
}

export function formatRate(bytesPerSecond: number): string {
  return `${formatBytes(bytesPerSecond)}/s`;
}

export function formatInteger(value: number): string {
  return integer.format(value);
}

export function formatPercent(share: number): string {
  return percent.format(share);
}

export function formatExactTime(instant: string): string {
  return exact.format(new Date(instant));
}

const steps: [limitSeconds: number, unit: Intl.RelativeTimeFormatUnit, seconds: number][] = [
  [60, 'second', 1],
  [3600, 'minute', 60],
  [86_400, 'hour', 3600],
  [86_400 * 30, 'day', 86_400],
  [86_400 * 365, 'month', 86_400 * 30],
  [Number.POSITIVE_INFINITY, 'year', 86_400 * 365],
];

/** "3 minutes ago", "yesterday"; what is less than ten seconds away is "now". */
export function formatRelativeTime(instant: string, now = Date.now()): string {
  const seconds = Math.round((Date.parse(instant) - now) / 1000);
  if (Math.abs(seconds) < 10) return relative.format(0, 'second');
  for (const [limit, unit, size] of steps) {
    if (Math.abs(seconds) < limit) return relative.format(Math.trunc(seconds / size), unit);
  }
  return formatExactTime(instant);
}

/** "2 d 3 h", "5 min", "12 s": the two largest units. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const parts: [number, string][] = [
    [Math.floor(whole / 86_400), 'd'],
    [Math.floor(whole / 3600) % 24, 'h'],
    [Math.floor(whole / 60) % 60, 'min'],
    [whole % 60, 's'],
  ];
  const first = parts.findIndex(([value]) => value > 0);
  if (first < 0) return '0 s';
  return parts
    .slice(first, first + 2)
    .filter(([value]) => value > 0)
    .map(([value, unit]) => `${integer.format(value)} ${unit}`)
    .join(' ');
}

/** "1 guest", "3 guests". */
export function formatCount(count: number, one: string, other: string): string {
  return `${integer.format(count)} ${plurals.select(count) === 'one' ? one : other}`;
}

export function formatList(items: readonly string[]): string {
  return conjunction.format(items);
}

/** What breaks lines, or turns what stands beside it the other way round: a name may look like another one by it. */
const deceptive = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;
const rightToLeft = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/;
const mostOfName = 48;

/** A file's name as somebody reads it, on one line. */
export function plainName(name: string): string {
  return name.replace(deceptive, '\ufffd');
}

/** The same in the middle of a sentence: "Holiday photos of th….jpg". Text that runs the other way keeps to itself. */
export function formatFileName(name: string): string {
  const characters = [...plainName(name)];
  const short =
    characters.length > mostOfName
      ? `${characters.slice(0, mostOfName - 13).join('')}…${characters.slice(-12).join('')}`
      : characters.join('');
  return rightToLeft.test(short) ? `\u2068${short}\u2069` : short;
}

/** Order of names: "guest 2" before "guest 10", upper and lower case together. */
export function compareNames(one: string, other: string): number {
  return collator.compare(one, other);
}

/** At most two digits behind the point. */
export function formatNumber(value: number): string {
  return twoDigits.format(value);
}

/** "14:05", of a moment in seconds since 1970. */
export function formatMinute(seconds: number): string {
  return minute.format(seconds * 1000);
}

/** "Nov 23", of a moment in seconds since 1970. */
export function formatDay(seconds: number): string {
  return day.format(seconds * 1000);
}
