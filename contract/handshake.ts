/** What a client says of itself with every request to the engine, and what an engine says when it has started. */
import { z } from 'zod';
import { guesthouseError } from './errors.ts';

export const versionHeader = 'x-guesthouse-version';
export const clientHeader = 'x-guesthouse-client';
/** The user's name as the client sees it: the socket is the user's own, so it is a label for the audit log and no credential. */
export const userHeader = 'x-guesthouse-user';

export const clientKind = z.enum(['app', 'cli', 'test']);
export type ClientKind = z.infer<typeof clientKind>;

/** Versions understand each other when major and minor agree. */
export function versionsAgree(a: string, b: string): boolean {
  const [aMajor, aMinor] = a.split('.');
  const [bMajor, bMinor] = b.split('.');
  return aMajor === bMajor && aMinor === bMinor;
}

/** The one line that an engine prints on stdout when it answers calls, or on stderr when it could not start. */
export const startLine = z.discriminatedUnion('ready', [
  z.object({ ready: z.literal(true), socket: z.string(), pid: z.number().int() }),
  z.object({ ready: z.literal(false), error: guesthouseError }),
]);
export type StartLine = z.infer<typeof startLine>;

/** How the engine's process ends. */
export const engineExitCodes = {
  stopped: 0,
  failed: 1,
  usage: 2,
  held: 3,
  store: 4,
  database: 5,
} as const;
