/** `guesthouse guest facts`: where a guest came from, and what its agent says of the system inside. */
import type { Command } from 'commander';
import type { CallOutput } from '../../../contract/calls.ts';
import { type Context, findGuest } from '../context.ts';
import { facts, show } from '../terminal.ts';
import { localTime } from '../units.ts';

const agentTimeoutMs = 45_000;

export function addGuestFacts(group: Command, { terminal, engine }: Context): void {
  group
    .command('facts')
    .description('say from which image a guest was made, and what its agent said of the system inside')
    .argument('<guest>', 'name or id')
    .option('--ask', 'ask the agent now; the guest must run')
    .action(async (wanted: string, options: { ask?: boolean }) => {
      const client = await engine();
      const { id } = await findGuest(client, wanted);
      if (options.ask) await client.call('guest.readFacts', { guest: id }, { timeoutMs: agentTimeoutMs });
      show(terminal, await client.call('guest.imageOrigin', { guest: id }), describe);
    });
}

function describe({ origin, facts: inside }: CallOutput<'guest.imageOrigin'>): string {
  const packages = inside?.packages;
  return facts([
    ['Made from', origin ? `${origin.imageName}${origin.present ? '' : ' (no longer in the library)'}` : 'no image of the library'],
    ['Series', origin?.series ? `${origin.series.name}, version ${origin.series.version}` : null],
    ['Newer', origin?.newer ? `version ${origin.newer.version}, ${origin.newer.imageName}` : null],
    ['Inside', inside ? (inside.osName ?? 'unknown') : 'its agent was not asked yet (--ask)'],
    ['Patch level', inside?.patchLevel ?? null],
    ['Kernels', inside && inside.kernels.length > 0 ? inside.kernels.join(', ') : null],
    ['Packages', packages ? `${packages.count === null ? 'managed' : packages.count} by ${packages.manager}` : null],
    ['Architecture', inside?.architecture ?? null],
    ['Asked', inside ? localTime(inside.readAt) : null],
  ]);
}
