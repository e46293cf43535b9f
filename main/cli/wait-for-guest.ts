/** Waiting for a guest to get somewhere, with a deadline. */
import { setTimeout as pause } from 'node:timers/promises';
import { Failure, toFailure } from '../../contract/errors.ts';
import type { Guest } from '../../contract/guest-state.ts';
import type { GuestId } from '../../contract/ids.ts';
import type { EngineClient } from '../client/engine-client.ts';
import { Exit, exitCodes } from './exit-codes.ts';

export const waitConditions = ['running', 'agent', 'banner'] as const;
export type WaitCondition = (typeof waitConditions)[number];

const pollMs = 200;
/** Printed by most systems on a serial console when someone can log in; the starter guest welcomes instead, as GRUB does too early. */
const banner = /(login:|welcome to (?!grub)|[#$] $)/i;

/**
 * @returns the guest as it was when the condition held
 * @throws Exit `timedOut` after saying so, Failure `guest/start-failed` when it ended instead
 */
export async function waitForGuest(client: EngineClient, id: GuestId, condition: WaitCondition | 'off', seconds: number): Promise<Guest> {
  const deadline = Date.now() + seconds * 1000;
  const greeting = condition === 'banner' ? await listenForBanner(client, id) : null;
  try {
    for (;;) {
      const guest = await client.call('guest.show', { guest: id });
      if (holds(guest, condition, greeting?.heard() ?? false)) return guest;
      if (condition !== 'off') refuseEnded(guest);
      if (Date.now() >= deadline) throw new Failure('guest/not-responding', waited(guest, condition, seconds), { hint: hint(condition) });
      await pause(pollMs);
    }
  } catch (thrown) {
    if (thrown instanceof Failure && thrown.error.code === 'guest/not-responding') throw new Exit(exitCodes.timedOut, thrown);
    throw thrown;
  } finally {
    greeting?.close();
  }
}

function holds({ state }: Guest, condition: WaitCondition | 'off', greeted: boolean): boolean {
  switch (condition) {
    case 'off':
      return state.status === 'off' || state.status === 'crashed' || state.status === 'suspended';
    case 'running':
      return state.status === 'running';
    case 'agent':
      return state.status === 'running' && state.run?.qemuAgent === true;
    case 'banner':
      return greeted;
  }
}

function refuseEnded({ spec, state }: Guest): void {
  if (state.status !== 'off' && state.status !== 'crashed') return;
  throw toFailure({
    code: 'guest/start-failed',
    message: `“${spec.name}” ended while it was waited for.`,
    ...(state.crash ? { detail: `${state.crash.text}\n${state.crash.lastWords}` } : {}),
  });
}

function waited({ spec, state }: Guest, condition: WaitCondition | 'off', seconds: number): string {
  const what = { off: 'shut down', running: 'come up', agent: 'had its agent answer', banner: 'greeted on its serial console' }[condition];
  return `“${spec.name}” has not ${what} within ${seconds} s; it is ${state.status}.`;
}

function hint(condition: WaitCondition | 'off'): string {
  return condition === 'off'
    ? '“guesthouse guest stop” cuts its power; “guesthouse guest console” shows what it does.'
    : 'A longer --timeout may help; “guesthouse guest console” shows what it does.';
}

async function listenForBanner(client: EngineClient, id: GuestId) {
  let text = '';
  let heard = false;
  const socket = client.openSerial(id);
  socket.on('message', (data: Buffer) => {
    text = (text + data.toString('utf8')).slice(-4096);
    heard ||= banner.test(text);
  });
  await new Promise<void>((settle, fail) => {
    socket.once('open', () => settle());
    socket.once('error', (error) =>
      fail(
        new Failure('console/unavailable', 'The guest has no serial console to listen to.', {
          detail: error.message,
          hint: 'Use --wait running or --wait agent.',
        }),
      ),
    );
  });
  socket.on('error', () => {
    // The guest ended; `guest.show` says so.
  });
  return { heard: () => heard, close: () => socket.terminate() };
}
