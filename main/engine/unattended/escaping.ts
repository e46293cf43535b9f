/**
 * Text of a person's in the syntaxes of answer files. What a syntax cannot say is refused, not changed: the schemas of the contract refuse it
 * already, and nothing here relies on that.
 *
 * INVARIANT: whatever the text, it stays one value in the file (`builders.test.ts`).
 */
import { Failure } from '../../../contract/errors.ts';

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is being refused
const control = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/;

function refused(why: string): Failure {
  return new Failure('seed/answers-invalid', why, { hint: 'Write it on one line, without control characters.' });
}

/** @throws Failure `seed/answers-invalid` */
export function demandOneLine(text: string): string {
  if (control.test(text) || !text.isWellFormed()) throw refused('An answer holds a line break or another control character.');
  return text;
}

/** JSON, which is YAML as well: no value can be taken for another type, an alias or a new key. */
export function yamlOf(value: unknown): string {
  // YAML allows fewer characters than JSON; an escape is the same in both.
  const escaped = JSON.stringify(value, null, 2).replace(
    /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return `${escaped}\n`;
}

const xmlNames: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' };

/** For the text of an element or the value of an attribute. @throws Failure `seed/answers-invalid` */
export function xmlText(text: string): string {
  return demandOneLine(text).replaceAll(/[&<>"']/g, (character) => xmlNames[character] ?? '');
}

/** One element with text in it, on a line of its own. */
export function xmlElement(name: string, text: string): string {
  return `<${name}>${xmlText(text)}</${name}>`;
}

/** One word for a POSIX shell. @throws Failure `seed/answers-invalid` */
export function shellWord(text: string): string {
  return `'${demandOneLine(text).replaceAll("'", "'\\''")}'`;
}

/** One word for kickstart, which splits its lines as Python's shlex does. @throws Failure `seed/answers-invalid` */
export function kickstartWord(text: string): string {
  return `"${demandOneLine(text).replaceAll(/["\\]/g, (character) => `\\${character}`)}"`;
}

/** The rest of a line of a preseed file; it has no quotes, and a backslash at its end would join the next line to it. @throws Failure `seed/answers-invalid` */
export function preseedValue(text: string): string {
  if (demandOneLine(text).endsWith('\\')) throw refused('An answer for Debian’s installer cannot end with a backslash.');
  return text;
}

/** A shell command that writes `content` to a file, whatever is in it: nothing of it is read by the shell. */
export function writeFileCommand(path: string, content: string): string {
  return `echo ${Buffer.from(content).toString('base64')} | base64 -d > ${shellWord(path)}`;
}
