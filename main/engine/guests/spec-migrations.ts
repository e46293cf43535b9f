/**
 * Brings stored specs of older versions forward. A step takes a spec of its version to the next; specs are never written back unless
 * they are changed, so that an older Guesthouse can still read what this one did not touch.
 */
import { Failure } from '../../../contract/errors.ts';
import { type GuestSpec, guestSpec, guestSpecVersion } from '../../../contract/guest-spec.ts';

type OldSpec = Record<string, unknown>;

/** From version N to N + 1. Version 1 is the first, so there is no step yet. */
const steps: Readonly<Record<number, (spec: OldSpec) => OldSpec>> = {};

/** @throws Failure `database/newer` for a spec of a later version, `database/damaged` for one that is not a spec. */
export function parseStoredSpec(json: string): GuestSpec {
  let spec: OldSpec;
  try {
    spec = JSON.parse(json) as OldSpec;
  } catch (thrown) {
    throw new Failure('database/damaged', 'The hardware of a guest is not readable in the database.', { detail: String(thrown) });
  }
  let version = typeof spec?.version === 'number' ? spec.version : Number.NaN;
  if (version > guestSpecVersion) {
    throw new Failure('database/newer', `A guest was written by a newer Guesthouse (spec version ${version}).`, {
      hint: 'Update Guesthouse.',
    });
  }
  for (; version < guestSpecVersion; version++) {
    const step = steps[version];
    if (!step) break;
    spec = { ...step(spec), version: version + 1 };
  }
  const parsed = guestSpec.safeParse(spec);
  if (!parsed.success) {
    throw new Failure('database/damaged', 'The hardware of a guest in the database is not as it should be.', {
      detail: parsed.error.message,
    });
  }
  return parsed.data;
}
