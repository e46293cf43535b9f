import { setTimeout as pause } from 'node:timers/promises';
import type { Figure, Measure } from '../figures.ts';
import { cpuSeconds, createStarterGuest, until, withEngine } from '../measured-engine.ts';

const counts = [1, 20];
const seconds = 60;
/** Starting and pausing is over by then, also what is written down of it. */
const settleMs = 10_000;

/**
 * What it costs to watch over guests that do nothing: the engine asks each QEMU every few seconds whether it answers. They are paused, so that
 * nothing of what QEMU uses is the guest's.
 */
export const watchedGuests: Measure = {
  name: 'watched-guests',
  about: 'processor use of the engine and of QEMU with paused guests that are watched over, beside the engine with none',
  run: (log) =>
    withEngine(async ({ client, pid }) => {
      const none = await percentOver([pid]);
      log(`no guest: engine ${none.toFixed(2)} %`);
      const qemus: number[] = [];
      const figures: Figure[] = [];
      for (const count of counts) {
        while (qemus.length < count) {
          const { id } = await createStarterGuest(client, `watched ${qemus.length}`, { memoryMiB: 128 });
          await client.call('guest.start', { guest: id });
          await until(client, id, 'running', 60_000);
          await client.call('guest.pause', { guest: id });
          await until(client, id, 'paused', 30_000);
          const { state } = await client.call('guest.show', { guest: id });
          if (!state.run) throw new Error('a guest ended');
          qemus.push(state.run.pid);
        }
        await pause(settleMs);
        const [engine, qemu] = await Promise.all([percentOver([pid]), percentOver(qemus)]);
        log(`${count} paused: engine ${engine.toFixed(2)} %, their QEMUs ${qemu.toFixed(2)} %`);
        const beside = { what: 'engine, no guest runs', value: none };
        figures.push(
          { what: `engine, ${count} paused`, value: engine, unit: '% of a core', beside, aim: null },
          { what: `QEMU, ${count} paused, together`, value: qemu, unit: '% of a core', beside, aim: null },
        );
      }
      return figures;
    }),
};

async function percentOver(pids: readonly number[]): Promise<number> {
  const used = async () => (await Promise.all(pids.map(cpuSeconds))).reduce((sum, each) => sum + each, 0);
  const before = await used();
  const begun = performance.now();
  await pause(seconds * 1000);
  return (((await used()) - before) / ((performance.now() - begun) / 1000)) * 100;
}
