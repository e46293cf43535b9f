/**
 * Answers that are expensive to get and stay true as long as their key does: one JSON file in the cache folder. A file that is
 * missing, damaged or of another shape is an empty cache, never an error.
 */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { z } from 'zod';

export type AnswerCache<Answer> = {
  get(key: string): Promise<Answer | undefined>;
  set(key: string, answer: Answer): Promise<void>;
};

/** Keeps at most `maxEntries`, dropping the oldest. */
export function createAnswerCache<Answer>(file: string, schema: z.ZodType<Answer>, maxEntries = 64): AnswerCache<Answer> {
  let loading: Promise<Map<string, Answer>> | null = null;
  let writing: Promise<void> = Promise.resolve();
  const load = () => {
    loading ??= readEntries(file, schema);
    return loading;
  };
  return {
    get: async (key) => (await load()).get(key),
    async set(key, answer) {
      const entries = await load();
      entries.delete(key);
      entries.set(key, answer);
      for (const oldest of [...entries.keys()].slice(0, Math.max(0, entries.size - maxEntries))) entries.delete(oldest);
      // Writes follow each other, so that the newest content is what stays. A cache that cannot be written is only slower.
      writing = writing.then(() => writeEntries(file, entries)).catch(() => undefined);
      await writing;
    },
  };
}

async function readEntries<Answer>(file: string, schema: z.ZodType<Answer>): Promise<Map<string, Answer>> {
  const entries = new Map<string, Answer>();
  try {
    const stored: unknown = JSON.parse(await readFile(file, 'utf8'));
    if (!Array.isArray(stored)) return entries;
    for (const pair of stored) {
      if (!Array.isArray(pair) || typeof pair[0] !== 'string') continue;
      const answer = schema.safeParse(pair[1]);
      if (answer.success) entries.set(pair[0], answer.data);
    }
  } catch {
    return entries;
  }
  return entries;
}

async function writeEntries<Answer>(file: string, entries: Map<string, Answer>): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const temporary = `${file}.${process.pid}.tmp`;
  await writeFile(temporary, JSON.stringify([...entries]), { mode: 0o600 });
  await rename(temporary, file);
}
