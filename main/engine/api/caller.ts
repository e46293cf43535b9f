/** Who makes a request: what its headers say, checked. */
import { Failure } from '../../../contract/errors.ts';
import { type ClientKind, clientHeader, clientKind, userHeader, versionHeader, versionsAgree } from '../../../contract/handshake.ts';

export type Caller = {
  client: ClientKind | 'other';
  /** "root via cli": for the audit log and for `startedBy`. */
  who: string;
};

/** A request's headers by lower-case name, from Hono or from Node. */
export type HeaderReader = (name: string) => string | undefined;

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is being taken out
const unprintable = /[\u0000-\u001f\u007f-\u009f]/g;

/** The socket is the user's own and 0600, so the names are labels and no credentials. */
export function parseCaller(header: HeaderReader): Caller {
  const kind = clientKind.safeParse(header(clientHeader));
  const client = kind.success ? kind.data : 'other';
  const user = (header(userHeader) ?? '').replace(unprintable, '').slice(0, 64) || 'unknown';
  return { client, who: `${user} via ${client}` };
}

/**
 * @throws Failure `call/forbidden-origin` for a request that a web page makes: none has business here.
 * @throws Failure `engine/version-mismatch` for a client of another major or minor version.
 */
export function checkCaller(header: HeaderReader, engineVersion: string, versionMatters: boolean): void {
  const origin = header('origin');
  if (origin !== undefined) throw new Failure('call/forbidden-origin', `A page of ${origin} may not call the engine.`);
  const version = header(versionHeader);
  // A script with curl says no version and speaks to whatever engine there is.
  if (!versionMatters || version === undefined || versionsAgree(version, engineVersion)) return;
  throw new Failure('engine/version-mismatch', `The engine that runs is version ${engineVersion}; the client is version ${version}.`, {
    hint: 'Stop the engine with “guesthouse engine stop” (guests keep running) and try again: the matching one is then started.',
  });
}
