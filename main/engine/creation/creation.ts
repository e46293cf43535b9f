/** From "an ISO, a disk or an image" to a guest: planning, which changes nothing, and the job. Implemented by `guest-creation.ts`. */

import type { SetupForm } from '../../../contract/answers.ts';
import type { CallOutput } from '../../../contract/calls.ts';
import type { CreateChoices, CreateSource } from '../../../contract/guest-creation.ts';

export type Creation = {
  plan(source: CreateSource, choices: CreateChoices): Promise<CallOutput<'guest.plan'>>;
  /**
   * @param setup what the new system is told, where it is to be set up by itself
   * @throws Failure of the first note that is a problem, with its `path`; `seed/*`
   */
  create(source: CreateSource, choices: CreateChoices, by: string, setup?: SetupForm): Promise<CallOutput<'guest.create'>>;
};
