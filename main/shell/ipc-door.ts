/**
 * The one door through which pages reach main. Whoever comes through it is a page of one of our windows, in its main frame, at our origin,
 * and what it asks for is a call of the contract with an input of the right shape.
 *
 * INVARIANT: nothing else in the app listens to Electron's IPC (build/checks; tests/e2e/page-security.test.ts tries foreign frames).
 */
import { ipcMain, type WebContents, type WebFrameMain } from 'electron';
import { type CallName, isCallName } from '../../contract/calls.ts';
import { Failure, type Result, toGuesthouseError } from '../../contract/errors.ts';
import { type ClientMessage, clientMessage } from '../../contract/events.ts';
import {
  type ConsoleTarget,
  consoleTarget,
  isShellCallName,
  type ShellCallName,
  type ShellCallParsed,
  shellCalls,
} from '../../contract/shell.ts';
import { appOrigin, shellChannels } from '../../contract/shell-channels.ts';

export type Sender = { contents: WebContents; frame: WebFrameMain };

export type DoorHandlers = {
  call(name: CallName, input: unknown): Promise<Result<unknown>>;
  shell<Name extends ShellCallName>(sender: Sender, name: Name, input: ShellCallParsed<Name>): Promise<unknown>;
  openConsole(sender: Sender, target: ConsoleTarget, token: string): Promise<void>;
  subscribe(sender: Sender): void;
  unsubscribe(sender: Sender): void;
  watch(sender: Sender, message: ClientMessage): void;
  ready(sender: Sender): void;
};

type IpcEvent = { sender: WebContents; senderFrame: WebFrameMain | null };

const tokenPattern = /^[\w-]{1,100}$/;

/** `isOurs` says whether the web contents belong to a window that we opened. */
export function openDoor(isOurs: (contents: WebContents) => boolean, handlers: DoorHandlers, log: (line: string) => void): void {
  const senderOf = (event: IpcEvent): Sender => {
    const frame = event.senderFrame;
    const trusted = frame !== null && frame === event.sender.mainFrame && frame.origin === appOrigin && isOurs(event.sender);
    if (trusted) return { contents: event.sender, frame };
    log(`a call from a foreign frame was refused: ${frame?.url.slice(0, 200) ?? 'a frame that is gone'}`);
    throw new Failure('call/forbidden-origin', 'This page may not ask Guesthouse for anything.');
  };
  const answer = (channel: string, handler: (sender: Sender, ...words: unknown[]) => Promise<Result<unknown>>) =>
    ipcMain.handle(channel, async (event, ...words: unknown[]): Promise<Result<unknown>> => {
      try {
        return await handler(senderOf(event), ...words);
      } catch (thrown) {
        const error = toGuesthouseError(thrown);
        if (error.code === 'engine/internal') log(`${channel}: ${thrown instanceof Error ? thrown.stack : String(thrown)}`);
        return { ok: false, error };
      }
    });
  const hear = (channel: string, handler: (sender: Sender, word: unknown) => void) =>
    ipcMain.on(channel, (event, word: unknown) => {
      try {
        handler(senderOf(event), word);
      } catch (thrown) {
        log(`${channel}: ${toGuesthouseError(thrown).message}`);
      }
    });

  answer(shellChannels.call, async (_sender, name, input) => {
    if (typeof name !== 'string' || !isCallName(name)) throw unknownCall(name);
    return handlers.call(name, input);
  });
  answer(shellChannels.shell, async (sender, name, input) => {
    if (typeof name !== 'string' || !isShellCallName(name)) throw unknownCall(name);
    const schema: Schema<unknown> = shellCalls[name].input;
    const value = await handlers.shell(sender, name, parseInput(name, schema, input) as ShellCallParsed<typeof name>);
    return { ok: true, value };
  });
  answer(shellChannels.openConsole, async (sender, target, token) => {
    if (typeof token !== 'string' || !tokenPattern.test(token)) throw new Failure('call/invalid-input', 'The console’s token is not one.');
    await handlers.openConsole(sender, parseInput('openConsole', consoleTarget, target), token);
    return { ok: true, value: null };
  });
  hear(shellChannels.subscribe, (sender) => handlers.subscribe(sender));
  hear(shellChannels.unsubscribe, (sender) => handlers.unsubscribe(sender));
  hear(shellChannels.watch, (sender, message) => handlers.watch(sender, parseInput('watch', clientMessage, message)));
  hear(shellChannels.ready, (sender) => handlers.ready(sender));
}

type Schema<T> = {
  safeParse(
    input: unknown,
  ): { success: true; data: T } | { success: false; error: { issues: readonly { path: readonly PropertyKey[]; message: string }[] } };
};

/** @throws Failure `call/invalid-input` naming the first field at fault */
export function parseInput<T>(name: string, schema: Schema<T>, input: unknown): T {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const path = issue?.path.map(String).join('.') ?? '';
  throw new Failure('call/invalid-input', `${name}: ${path === '' ? '' : `${path}: `}${issue?.message ?? 'invalid input'}`, { path });
}

function unknownCall(name: unknown): Failure {
  return new Failure('call/unknown', `No call is named “${String(name).slice(0, 100)}”.`);
}
