/** From "an ISO, a disk or an image" to a guest: planning, which changes nothing, and the job. Implemented by `guest-creation.ts`. */
import type { CallOutput } from '../../../contract/calls.ts';
import type { CreateChoices, CreateSource } from '../../../contract/guest-creation.ts';

export type Creation = {
  plan(source: CreateSource, choices: CreateChoices): Promise<CallOutput<'guest.plan'>>;
  /** @throws Failure of the first note that is a problem, with its `path`. */
  create(source: CreateSource, choices: CreateChoices, by: string): Promise<CallOutput<'guest.create'>>;
};
