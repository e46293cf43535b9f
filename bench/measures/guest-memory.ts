import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import type { Measure } from '../figures.ts';
import { createStarterGuest, residentMiB, until, withEngine } from '../measured-engine.ts';

const guestCount = 4;

/** What a running guest costs beside QEMU itself: the wrapper that sees QEMU end, and the engine's share. */
export const guestMemory: Measure = {
  name: 'guest-memory',
  about: 'our memory per running guest beside QEMU’s own',
  run: (log) =>
    withEngine(async ({ client, pid }) => {
      const guests = [];
      for (let index = 0; index < guestCount; index += 1) guests.push(await createStarterGuest(client, `memory ${index}`));
      await pause(2000);
      const before = await residentMiB(pid);
      let qemu = 0;
      let wrappers = 0;
      for (const { id } of guests) {
        await client.call('guest.start', { guest: id });
        await until(client, id, 'running', 30_000);
      }
      await pause(10_000);
      for (const { id } of guests) {
        const { state } = await client.call('guest.show', { guest: id });
        if (!state.run) throw new Error('a guest ended');
        qemu += await residentMiB(state.run.pid);
        wrappers += await residentMiB(await parentOf(state.run.pid));
      }
      const engine = Math.max(0, (await residentMiB(pid)) - before);
      log(`engine grew by ${engine.toFixed(1)} MiB, ${guestCount} wrappers take ${wrappers.toFixed(1)} MiB`);
      return [
        {
          what: `our memory per running guest (of ${guestCount})`,
          value: (engine + wrappers) / guestCount,
          unit: 'MiB',
          beside: { what: 'QEMU', value: qemu / guestCount },
          aim: null,
        },
      ];
    }),
};

async function parentOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^PPid:\s+(\d+)/m.exec(status)?.[1]);
}
