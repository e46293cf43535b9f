/** The words of the app's own command line. Pure. */
import { z } from 'zod';

export type StartWords = {
  /** Boot the starter guest unattended, check its console and leave. */
  demo: { out: string } | null;
};

/** Words it does not know are left to Chromium and to `openingFromArguments`. */
export function parseStartWords(words: readonly string[], defaultOut: string): StartWords {
  if (!words.includes('--demo')) return { demo: null };
  const out = words.find((word) => word.startsWith('--out='))?.slice('--out='.length);
  return { demo: { out: out || defaultOut } };
}

const secondStart = z.object({ words: z.array(z.string().max(4096)).max(200), workingDirectory: z.string().max(4096) });
/** What a second start of the app says to the first. It comes from any program of this user. */
export type SecondStart = { words: string[]; workingDirectory: string };

export function parseSecondStart(data: unknown): SecondStart | null {
  const parsed = secondStart.safeParse(data);
  return parsed.success ? parsed.data : null;
}
