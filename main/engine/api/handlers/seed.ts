/** `seed.*`. */
import { setupNotes } from '../../../../contract/answers.ts';
import { Failure } from '../../../../contract/errors.ts';
import { usualSystems } from '../../unattended/seed-registry.ts';
import type { Handlers, Services } from '../handlers.ts';

type Answered = 'seed.show' | 'seed.remove' | 'seed.build';

export function seedHandlers({ seeds }: Services): Pick<Handlers, Answered> {
  return {
    'seed.show': ({ guest }) => seeds.show(guest),
    'seed.remove': async ({ guest }) => {
      await seeds.remove(guest);
      return {};
    },
    'seed.build': async ({ format, setup, path }) => {
      const wrong = setupNotes(format, setup, null).find((note) => note.severity === 'problem');
      if (wrong)
        throw new Failure('seed/answers-invalid', wrong.message, { path: wrong.path, ...(wrong.hint ? { hint: wrong.hint } : {}) });
      const os =
        format === 'autounattend'
          ? usualSystems.windows
          : format === 'agama' || format === 'autoyast'
            ? usualSystems.suse
            : usualSystems.linux;
      const seed = await seeds.prepare(format, setup, { os, firmware: 'uefi', tpm: true });
      return seeds.writeFile(path, seed);
    },
  };
}
