/** Names for new guests. Pure. */
import { guestNameMaxLength, type OsIdentity } from '../../../contract/guest-spec.ts';

/** "Debian 12", or "Debian 12 (2)" when that is taken. Falls back to the medium's file name, then to "Guest". */
export function suggestName(os: OsIdentity, fileName: string, isTaken: (name: string) => boolean): string {
  const base = clean(os.id === null && os.name === 'Unknown' ? fileName.replace(/\.[^.]{1,6}$/, '') : os.name) || 'Guest';
  if (!isTaken(base)) return base;
  for (let number = 2; ; number++) {
    const name = `${base} (${number})`;
    if (!isTaken(name)) return name;
  }
}

/** Without what a name cannot have, and with room for a number behind it. */
function clean(text: string): string {
  return [
    ...text
      // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is being removed
      .replaceAll(/[/\\\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, ' ')
      .replaceAll(/[_\s]+/g, ' ')
      .trim(),
  ]
    .slice(0, guestNameMaxLength - 8)
    .join('')
    .trim()
    .replace(/^\.+$/, '');
}
