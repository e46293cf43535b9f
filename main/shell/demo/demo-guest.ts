/** The demo's guest as the engine sees it: made from the starter image, started, read, shut down. */

import type { Guest, GuestStatus } from '../../../contract/guest-state.ts';
import type { GuestId } from '../../../contract/ids.ts';
import { jobEnded } from '../../../contract/job.ts';
import type { EngineClient } from '../../client/engine-client.ts';
import { until } from './until.ts';

const demoName = 'Starter demo';
const banner = 'Welcome to the Guesthouse starter';
const gone: ReadonlySet<GuestStatus> = new Set(['off', 'crashed']);

/** A guest that does not run, made anew from the starter image unless there is one of the demo's name. */
export async function prepareGuest(client: EngineClient): Promise<Guest> {
  const known = (await client.call('guest.list', {})).find(({ spec }) => spec.name === demoName);
  if (known && gone.has(known.state.status)) return known;
  if (known) throw new Error(`“${demoName}” is ${known.state.status}; shut it down first`);
  const starter = await until('the starter image is in the library', 30_000, async () =>
    (await client.call('image.list', {})).find(({ builtIn }) => builtIn),
  );
  const { guest, job } = await client.call('guest.create', { source: { kind: 'image', imageId: starter.id }, choices: { name: demoName } });
  const ended = await until('the guest is created', 60_000, async () => {
    const now = await client.call('job.show', { job: job.id });
    return jobEnded.has(now.state) ? now : null;
  });
  if (ended.state !== 'succeeded') throw new Error(`the guest could not be created: ${ended.error?.message ?? ended.state}`);
  return guest;
}

/** Settles when the guest has printed its banner on the serial console, also when it did so before. */
export async function untilBanner(client: EngineClient, guest: GuestId, deadlineMs: number): Promise<void> {
  await new Promise<void>((settle, fail) => {
    const serial = client.openSerial(guest);
    let text = '';
    const end = (problem: string | null) => {
      clearTimeout(timer);
      serial.removeAllListeners();
      serial.on('error', () => {});
      serial.terminate();
      if (problem === null) settle();
      else fail(new Error(problem));
    };
    const timer = setTimeout(
      () => end(`no banner within ${deadlineMs / 1000} s; the serial console ended in: ${text.slice(-300)}`),
      deadlineMs,
    );
    serial.on('message', (data) => {
      text = (text + String(data)).slice(-65_536);
      if (text.includes(banner)) end(null);
    });
    serial.on('error', (error) => end(`the serial console could not be read: ${error.message}`));
    serial.on('close', () => end('the serial console was closed before the banner'));
  });
}

/** What a command prints in the guest, run by its agent. */
export async function run(client: EngineClient, guest: GuestId, ...command: string[]): Promise<string> {
  const { exitStatus, stdoutBase64, stderrBase64 } = await client.call('guest.exec', { guest, command, timeoutSeconds: 20 });
  if (exitStatus !== 0) throw new Error(`${command.join(' ')} in the guest: ${Buffer.from(stderrBase64, 'base64').toString()}`);
  return Buffer.from(stdoutBase64, 'base64').toString();
}

/** The text on the guest's first virtual terminal, rows one after the other without line breaks, so that a wrapped line is in one piece. */
export function screenText(client: EngineClient, guest: GuestId): Promise<string> {
  return run(client, guest, 'cat', '/dev/vcs1');
}

export async function statusOf(client: EngineClient, guest: GuestId): Promise<GuestStatus> {
  return (await client.call('guest.show', { guest })).state.status;
}

/** Asks the guest to shut down and waits until it is off. */
export async function shutDown(client: EngineClient, guest: GuestId, deadlineMs: number): Promise<void> {
  await client.call('guest.shutdown', { guest });
  const status = await until('the guest is off', deadlineMs, async () => {
    const now = await statusOf(client, guest);
    return gone.has(now) ? now : null;
  });
  if (status !== 'off') throw new Error(`the guest is ${status} and not off`);
}

/** Leaves no guest running behind a demo that failed. */
export async function forceOff(client: EngineClient, guest: GuestId): Promise<void> {
  if (gone.has(await statusOf(client, guest))) return;
  await client.call('guest.forceOff', { guest });
  await until('the guest is off', 10_000, async () => gone.has(await statusOf(client, guest)));
}
