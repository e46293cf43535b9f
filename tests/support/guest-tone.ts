/** A tone that a starter guest plays with /dev/dsp, which begins with 8 bits at 8 kHz. */
import type { GuestId } from '../../contract/ids.ts';
import type { EngineClient } from '../../main/client/engine-client.ts';
import { runInGuest } from './console-page.ts';
import { until } from './until.ts';

/** Sixteen samples, one turn of a sine. */
const turn = Array.from({ length: 16 }, (_, at) => Math.round(128 + 100 * Math.sin((2 * Math.PI * at) / 16)));
const turnInShell = turn.map((value) => `\\${value.toString(8).padStart(3, '0')}`).join('');
export const toneHz = 500;

/** Settles when the guest has found its sound card. */
export async function untilSoundCard(client: EngineClient, guest: GuestId): Promise<void> {
  await until('the guest has a sound card', async () => (await runInGuest(client, guest, 'ls /dev/dsp')).includes('dsp'), 60_000);
  // Linux puts a card that is idle for a second to sleep, from which its amplifiers wake as Linux had them: silent.
  await runInGuest(client, guest, 'echo 0 > /sys/module/snd_hda_intel/parameters/power_save');
}

/** Plays until {@link stopTone}. */
export async function startTone(client: EngineClient, guest: GuestId): Promise<void> {
  await runInGuest(
    client,
    guest,
    `for i in $(seq 500); do printf '${turnInShell}'; done > /tmp/a; cat /tmp/a /tmp/a /tmp/a /tmp/a > /tmp/tone`,
  );
  await runInGuest(client, guest, '(while :; do cat /tmp/tone; done) > /dev/dsp 2> /dev/null & echo $! > /tmp/player');
}

export async function stopTone(client: EngineClient, guest: GuestId): Promise<void> {
  await runInGuest(client, guest, 'kill $(cat /tmp/player)');
}
