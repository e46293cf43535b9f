/** `guesthouse events`: what happened, and what happens. */
import type { FeedEvent } from '../../../contract/events.ts';
import type { GuestId } from '../../../contract/ids.ts';
import type { EngineClient } from '../../client/engine-client.ts';
import { followEngineEvents } from '../../client/engine-events.ts';
import { type CommandGroup, findGuest } from '../context.ts';
import { printable, show, showLine, styled, type Terminal } from '../terminal.ts';
import { localTime } from '../units.ts';
import { wholeNumber } from '../values.ts';

export const addEvents: CommandGroup = (program, { terminal, engine }) => {
  program
    .command('events')
    .description('show what happened, oldest first')
    .option('--follow', 'go on showing what happens until Ctrl+C; with --json a line each')
    .option('--guest <guest>', 'only what concerns this guest')
    .option('--limit <n>', 'how many of the past at most', wholeNumber(1, 1000), 50)
    .action(async (options: { follow?: boolean; guest?: string; limit: number }) => {
      const client = await engine();
      const guest = options.guest ? (await findGuest(client, options.guest)).id : null;
      const past = (await client.call('event.list', { limit: options.limit, ...(guest ? { guest } : {}) })).reverse();
      if (!options.follow) {
        show(terminal, past, () => past.map((event) => line(terminal, event)).join('\n'));
        return;
      }
      await follow(client, terminal, past, guest);
    });
};

function line(terminal: Terminal, event: FeedEvent): string {
  const style = { info: 'dim', warning: 'yellow', problem: 'red' } as const;
  return `${styled(terminal, 'dim', localTime(event.at))}  ${styled(terminal, style[event.severity], event.kind)}  ${printable(event.text)}`;
}

/** Prints `past` and then what happens; what happened while no engine could be reached is fetched when it is back. */
async function follow(client: EngineClient, terminal: Terminal, past: readonly FeedEvent[], guest: GuestId | null): Promise<void> {
  let lastId = 0;
  const print = (event: FeedEvent) => {
    if (event.id <= lastId || (guest && event.guestId !== guest)) return;
    lastId = event.id;
    if (terminal.json) showLine(terminal, event);
    else terminal.out(`${line(terminal, event)}\n`);
  };
  past.forEach(print);
  let printed: Promise<void> = Promise.resolve();
  const catchUp = async () => {
    const missed = await client.call('event.list', { limit: 1000, ...(guest ? { guest } : {}) });
    if (lastId > 0) missed.reverse().forEach(print);
  };
  await new Promise<void>((settle, fail) => {
    const events = followEngineEvents(client, {
      message: (message) => {
        if (message.type === 'snapshot') printed = printed.then(catchUp);
        else if (message.type === 'event') printed = printed.then(() => print(message.event));
        printed.catch(fail);
      },
      lost: (reason) => terminal.err(`The engine is gone (${printable(reason)}); waiting for it.\n`),
    });
    process.once('SIGINT', () => {
      events.close();
      settle();
    });
  });
}
