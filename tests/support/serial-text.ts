/**
 * A text without repeated characters. Linux 6.1 (6.1.192 of Debian) now and then writes a character twice to an emulated serial port when the
 * computer is busy: what is said there is compared in this form.
 */
export function withoutRepeats(text: string): string {
  return text.replace(/(.)\1+/gs, '$1');
}
