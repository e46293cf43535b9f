/** A guest made from the starter image: boots to its banner in a few seconds under plain emulation. */
import type { Guest, GuestStatus } from '../../contract/guest-state.ts';
import type { GuestId } from '../../contract/ids.ts';
import type { EngineClient } from '../../main/client/engine-client.ts';
import { succeeded } from './outcomes.ts';
import { until } from './until.ts';

/**
 * For the guest’s shell: reads the port of file descriptor 3 to standard output. Linux says that a port is at its end while no host has it open,
 * and the host opens a port of SPICE's only when it has heard that the guest did.
 */
export const readsPort = 'while :; do cat <&3; sleep 0.1; done';
/** For the guest’s shell: an agent of SPICE that has opened its channel and says nothing. What it is told is kept in /tmp/agent-heard. */
export const listensForSpice = `port=$(grep -lx com.redhat.spice.0 /sys/class/virtio-ports/*/name);
  (${readsPort}) 3<>/dev/$(basename $(dirname $port)) >/tmp/agent-heard 2>/dev/null &`;

/**
 * Makes a guest that is off. It has one processor: until its agent answers, one takes 7.8 s of a busy computer's and two take 9, since emulated
 * processors spin while the other waits for a turn.
 */
export async function makeStarterGuest(client: EngineClient, name: string): Promise<Guest> {
  const starter = await until('the starter image is in the library', async () =>
    (await client.call('image.list', {})).find(({ builtIn }) => builtIn),
  );
  const { guest, job } = await client.call('guest.create', {
    source: { kind: 'image', imageId: starter.id },
    choices: { name, memoryMiB: 256, cpu: { cores: 1 } },
  });
  await succeeded(client, job);
  return guest;
}

export async function untilStatus(client: EngineClient, guest: GuestId, status: GuestStatus, deadlineMs = 60_000): Promise<void> {
  await until(`the guest is ${status}`, async () => (await client.call('guest.show', { guest })).state.status === status, deadlineMs);
}

/** Settles when the guest's agent answers, which is when it can be asked to shut down. */
export async function untilAgent(client: EngineClient, guest: GuestId): Promise<void> {
  await until('the guest’s agent answers', async () => (await client.call('guest.show', { guest })).state.run?.qemuAgent === true, 240_000);
}
