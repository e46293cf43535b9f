/** Notes of the engine about the fields of a form, as the lines that stand at a field. Pure. */
import type { FieldNote } from '../../contract/guest-creation.ts';
import type { FieldNoteLine } from '../ui/TextField.tsx';

/** The notes of one field and of what lies inside it, as lines. A call's notes may name the whole input: "choices.name". */
export function notesFor(notes: readonly FieldNote[], ...paths: readonly string[]): FieldNoteLine[] {
  return notes
    .filter(({ path }) => {
      const field = path.replace(/^(choices|source)\./, '');
      return paths.some((wanted) => field === wanted || field.startsWith(`${wanted}.`));
    })
    .map(({ severity, message, hint }) => ({ severity, text: hint === undefined ? message : `${message} ${hint}` }));
}
