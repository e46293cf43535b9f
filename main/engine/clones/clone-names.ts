/** Names for clones, and host names after them. Pure. */
import { Failure } from '../../../contract/errors.ts';
import { guestNameProblem } from '../../../contract/guest-spec.ts';
import { nameKey } from '../guests/guest-names.ts';

/** Where a pattern has its number: as many letters as digits at least. */
const counter = /\{(n{1,4})\}/;
/** A pattern that never reaches a free name would be tried for ever. */
const triesMax = 10_000;

/**
 * `count` names that are free and differ. A pattern without a counter gets one at its end when there are several.
 * @throws Failure `guest/name-invalid` or `guest/name-taken`, at `name`
 */
export function cloneNames(pattern: string, count: number, isTaken: (name: string) => boolean): string[] {
  const numbered = counter.test(pattern) || count === 1 ? pattern : `${pattern}-{n}`;
  const names: string[] = [];
  const chosen = new Set<string>();
  for (let number = 1; names.length < count; number++) {
    const name = numbered.replace(counter, (_, digits: string) => String(number).padStart(digits.length, '0'));
    const problem = guestNameProblem(name);
    if (problem) throw new Failure('guest/name-invalid', problem, { path: 'name' });
    if (!isTaken(name) && !chosen.has(nameKey(name))) {
      names.push(name);
      chosen.add(nameKey(name));
    } else if (!counter.test(numbered) || number > triesMax) {
      throw new Failure('guest/name-taken', `There is a guest named “${name}” already.`, {
        hint: 'Choose another name, or one that counts: “web-{n}”.',
        path: 'name',
      });
    }
  }
  return names;
}
