/** What a file is called when it is sent to a guest. */

/** GKeyFile, and what Windows' agent makes room for. */
const maxNameBytes = 250;
const maxPathBytes = 4000;
const encoder = new TextEncoder();

/**
 * The name as an agent takes it, or null when it has none left. Linux' agent makes the folders of `Photos/2024/a.jpg`; Windows' knows no
 * folders, and none of the characters that its file systems reserve.
 */
export function nameForGuest(path: string, guest: 'unix' | 'windows'): string | null {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.' && part !== '..');
  const name = parts.at(-1);
  if (name === undefined) return null;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they end lines of the message
  const plain = (part: string) => part.replace(/[\u0000-\u001f\u007f]/g, '_');
  if (guest === 'windows') {
    const known = plain(name)
      .replace(/[\\/:*?"<>|]/g, '_')
      .replace(/[ .]+$/, '');
    return known === '' || bytesIn(known) > maxNameBytes ? null : known;
  }
  const whole = parts.map(plain).join('/');
  return parts.some((part) => bytesIn(part) > maxNameBytes) || bytesIn(whole) > maxPathBytes ? null : whole;
}

/** A value of a GKeyFile: a backslash begins an escape there, and a space at the front would be passed over. */
export function keyFileValue(text: string): string {
  return text.replace(/\\/g, '\\\\').replace(/^ /, '\\s');
}

function bytesIn(text: string): number {
  return encoder.encode(text).byteLength;
}
