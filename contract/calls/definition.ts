/** The shape of one call, and the inputs and outputs that many share. */
import { z } from 'zod';
import { guestId } from '../ids.ts';

type CallDefinition = {
  /** One sentence for the API document and `--help`. */
  summary: string;
  input: z.ZodObject;
  output: z.ZodType;
  /** A `read` changes nothing and is not audited. */
  effect: 'read' | 'write';
};

export type CallTable = Record<`${string}.${string}`, CallDefinition>;

export const nothing = z.strictObject({});
export const oneGuest = z.strictObject({ guest: guestId });
export const done = z.object({});
