/** JSON from a file or from standard input, checked against what the API takes. */
import { readFileSync } from 'node:fs';
import type { z } from 'zod';
import { Failure } from '../../contract/errors.ts';

/** @param file "-" is standard input. @param what "choices", "change": for the words. @throws Failure `call/invalid-input` */
export function readJson<Value>(file: string, what: string, schema: z.ZodType<Value>): Value {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file === '-' ? 0 : file, 'utf8'));
  } catch (thrown) {
    throw new Failure('call/invalid-input', `The ${what} in ${file} could not be read as JSON.`, { detail: String(thrown) });
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new Failure('call/invalid-input', `What ${file} holds is not right: ${issue?.path.join('.')}: ${issue?.message}`);
}
