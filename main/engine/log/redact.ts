/** Takes secrets out of what is logged: by the name of the field, and by pattern in free text and embedded JSON. */

const secretName = /^(password|passwd|passphrase|secret|ticket|token|cookie|authorization|privatekey|private_key|apikey|api_key)$/i;
const redacted = '[redacted]';
const deepest = 6;

/** A copy of `value` without secrets; errors become plain objects, and what nests too deep is cut off. */
export function redactFields(value: unknown, depth = 0): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= deepest) return '[deep]';
  if (value instanceof Error) {
    const { name, message, stack, cause, ...more } = value;
    return redactFields({ ...more, name, message, stack, ...(cause === undefined ? {} : { cause }) }, depth + 1);
  }
  if (Buffer.isBuffer(value)) return `[${value.length} bytes]`;
  if (Array.isArray(value)) return value.map((item) => redactFields(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [name, secretName.test(name) ? redacted : redactFields(field, depth + 1)]),
  );
}

const names = 'password|passwd|passphrase|secret|ticket|token|cookie|authorization';

/** `"password": "…"`, also inside a JSON string, where the quotes are escaped; a quote within the value is escaped once more. */
const jsonField = new RegExp(`(\\\\*")(${names})(\\\\*"\\s*:\\s*)(\\\\*")(?:(?!(?<!\\\\)\\4).)*\\4`, 'gis');
/** `password=…` as in command lines and connection strings, up to a separator. */
const assignment = new RegExp(`\\b(${names})=(?!\\[redacted\\])[^\\s,;&"'\\\\]+`, 'gi');
/** The user part of an address: `spice://user:hunter2@host`. */
const addressPassword = /\b([a-z][a-z0-9+.-]*:\/\/[^\s/:@"]*):[^\s/@"]+@/gi;

/** `text` (a line of the log) with every secret that stands in it replaced. */
export function redactText(text: string): string {
  return text.replace(jsonField, `$1$2$3$4${redacted}$4`).replace(assignment, `$1=${redacted}`).replace(addressPassword, `$1:${redacted}@`);
}
