import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { projectRoot } from '../../build/places.ts';
import { defineGuests } from '../defined-guests.ts';
import { type Measure, median, timed } from '../figures.ts';
import { createStarterGuest, engineIn, withHome } from '../measured-engine.ts';
import { defineDomains, withLibvirt } from '../private-libvirt.ts';

const execute = promisify(execFile);
const guestCount = 100;
const rounds = 15;

export const commandLineList: Measure = {
  name: 'command-line-list',
  about: '“guesthouse guest list” beside “virsh list --all” with as many guests',
  async run(log) {
    const virshMs = await withLibvirt(async (uri) => {
      log(`defining ${guestCount} guests in a libvirt of its own`);
      await defineDomains(uri, guestCount);
      return medianOf(() => execute('virsh', ['-c', uri, 'list', '--all']));
    });
    const bareNodeMs = await medianOf(() => execute(process.execPath, ['-e', '0']));
    const oursMs = await withHome(async (home) => {
      const spec = await engineIn(home, async ({ client }) => (await createStarterGuest(client, 'model')).spec);
      defineGuests(join(home, 'guesthouse.db'), spec, guestCount - 1);
      return engineIn(home, ({ environment }) =>
        medianOf(() => execute(process.execPath, [join(projectRoot, 'out', 'cli', 'index.js'), 'guest', 'list'], { env: environment })),
      );
    });
    return [
      {
        what: `guesthouse guest list, ${guestCount} guests`,
        value: oursMs,
        unit: 'ms',
        beside: { what: 'virsh list --all', value: virshMs },
        aim: null,
      },
      { what: 'the same', value: oursMs, unit: 'ms', beside: { what: 'Node that does nothing', value: bareNodeMs }, aim: null },
    ];
  },
};

async function medianOf(action: () => Promise<unknown>): Promise<number> {
  const taken: number[] = [];
  for (let round = 0; round < rounds; round += 1) taken.push(await timed(action));
  return median(taken);
}
