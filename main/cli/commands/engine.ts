/** `guesthouse engine …`: the engine's own process. */
import { setTimeout as pause } from 'node:timers/promises';
import { Failure } from '../../../contract/errors.ts';
import type { EngineInfo } from '../../../contract/events.ts';
import { version } from '../../../contract/version.ts';
import { createEngineClient } from '../../client/engine-client.ts';
import { askEngine, dataRootFromEnvironment } from '../../client/start-engine.ts';
import type { CommandGroup } from '../context.ts';
import { Exit, exitCodes } from '../exit-codes.ts';
import { facts, show } from '../terminal.ts';
import { localTime } from '../units.ts';

const stopDeadlineMs = 30_000;

export const addEngine: CommandGroup = (program, { terminal, engine }) => {
  const group = program.command('engine').description('start, stop or ask after the engine, which runs the guests');

  group
    .command('start')
    .description('start the engine unless it runs')
    .action(async () => {
      const client = await engine();
      show(terminal, await askEngine(client), (info) => `The engine runs (process ${info.pid}).`);
    });

  group
    .command('stop')
    .description('stop the engine; guests keep running and the next engine takes them over')
    .action(async () => {
      // Not through `engine()`: stopping must neither start an engine nor mind its version.
      const root = dataRootFromEnvironment();
      const client = createEngineClient({ socketPath: root.engineSocket, version, client: 'cli' });
      try {
        const info = await engineOrNull(client);
        if (!info) {
          show(terminal, { stopped: false }, () => 'No engine runs.');
          return;
        }
        await client.call('engine.stop', {});
        await gone(client, info);
        show(terminal, { stopped: true }, () => 'The engine has stopped. Guests that were running still are.');
      } finally {
        client.close();
      }
    });

  group
    .command('status')
    .description(`say whether the engine runs (exit status ${exitCodes.noEngine} when it does not)`)
    .action(async () => {
      const root = dataRootFromEnvironment();
      const client = createEngineClient({ socketPath: root.engineSocket, version, client: 'cli' });
      try {
        const info = await engineOrNull(client);
        show(terminal, { running: info !== null, engine: info }, () => (info ? describe(info) : `No engine runs for ${root.home}.`));
        if (!info) throw new Exit(exitCodes.noEngine);
      } finally {
        client.close();
      }
    });
};

function describe(info: EngineInfo): string {
  return facts([
    ['Engine', 'running'],
    ['Version', info.version],
    ['Process', String(info.pid)],
    ['Since', localTime(info.startedAt)],
    ['Data folder', info.home],
  ]);
}

type Client = ReturnType<typeof createEngineClient>;

async function engineOrNull(client: Client): Promise<EngineInfo | null> {
  try {
    return await askEngine(client);
  } catch (thrown) {
    if (thrown instanceof Failure && thrown.error.code === 'engine/unreachable') return null;
    throw thrown;
  }
}

async function gone(client: Client, info: EngineInfo): Promise<void> {
  const deadline = Date.now() + stopDeadlineMs;
  while (Date.now() < deadline) {
    try {
      if ((await engineOrNull(client))?.instanceId !== info.instanceId) return;
    } catch (thrown) {
      if (!(thrown instanceof Failure) || thrown.error.code !== 'engine/stopping') throw thrown;
    }
    await pause(50);
  }
  throw new Failure(
    'engine/unreachable',
    `The engine (process ${info.pid}) was asked to stop and has not within ${stopDeadlineMs / 1000} s.`,
    {
      hint: `Its log is in ${info.home}/logs. As a last resort: kill ${info.pid}. Guests are not touched by that.`,
    },
  );
}
