import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { defineGuests } from '../defined-guests.ts';
import { type Measure, median, timed } from '../figures.ts';
import { createStarterGuest, engineIn, type MeasuredEngine, residentMiB, withHome } from '../measured-engine.ts';

const guestCount = 1000;
const rounds = 30;

export const manyGuests: Measure = {
  name: 'many-guests',
  about: 'memory of the engine and time of guest.list with 1,000 guests, beside an engine with one',
  run: () =>
    withHome(async (home) => {
      const spec = await engineIn(home, async ({ client }) => (await createStarterGuest(client, 'model')).spec);
      const one = await engineIn(home, memoryAndList);
      defineGuests(join(home, 'guesthouse.db'), spec, guestCount);
      const many = await engineIn(home, memoryAndList);
      return [
        {
          what: `engine memory, ${guestCount} guests`,
          value: many.memoryMiB,
          unit: 'MiB',
          beside: { what: 'one guest', value: one.memoryMiB },
          // 150 MB
          aim: { kind: 'value', limit: 143 },
        },
        {
          what: `guest.list, ${guestCount} guests, median`,
          value: many.listMs,
          unit: 'ms',
          beside: { what: 'one guest', value: one.listMs },
          aim: { kind: 'value', limit: 20 },
        },
      ];
    }),
};

async function memoryAndList({ client, pid }: MeasuredEngine) {
  const taken: number[] = [];
  for (let round = 0; round < rounds; round += 1) taken.push(await timed(() => client.call('guest.list', {})));
  await pause(3000);
  return { listMs: median(taken), memoryMiB: await residentMiB(pid) };
}
