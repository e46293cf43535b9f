/** The one door to everything outside the page. */
import type { CallInput, CallName, CallOutput } from '../../contract/calls.ts';
import type { GuesthouseError, Result } from '../../contract/errors.ts';
import type { GuesthouseBridge, ShellCallInput, ShellCallName, ShellCallOutput } from '../../contract/shell.ts';

declare global {
  interface Window {
    guesthouse: GuesthouseBridge;
  }
}

/** What the preload exposes. */
export const bridge: GuesthouseBridge = window.guesthouse;

/** Makes a call of the engine. Never rejects: what could not be asked at all is an error like any other. */
export async function call<Name extends CallName>(name: Name, input: CallInput<Name>): Promise<Result<CallOutput<Name>>> {
  try {
    return await bridge.call(name, input);
  } catch (error) {
    return { ok: false, error: asError(error) };
  }
}

/** Asks something of the shell. Never rejects. */
export async function shell<Name extends ShellCallName>(name: Name, input: ShellCallInput<Name>): Promise<Result<ShellCallOutput<Name>>> {
  try {
    return await bridge.shell(name, input);
  } catch (error) {
    return { ok: false, error: asError(error) };
  }
}

function asError(error: unknown): GuesthouseError {
  return { code: 'engine/unreachable', message: error instanceof Error ? error.message : String(error) };
}

/** Copies text without waiting for the outcome; a clipboard that refuses is not worth a message. */
export function copyText(text: string): void {
  void shell('shell.copyText', { text });
}
