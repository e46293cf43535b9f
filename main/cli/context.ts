/** What every command works with: the terminal, the engine, and names turned into things. */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import type { Guest } from '../../contract/guest-state.ts';
import type { Image } from '../../contract/image.ts';
import { version } from '../../contract/version.ts';
import type { EngineClient } from '../client/engine-client.ts';
import { connectEngine, dataRootFromEnvironment, findEngineNode } from '../client/start-engine.ts';
import { resolveName } from './names.ts';
import type { Terminal } from './terminal.ts';

export type Context = {
  terminal: Terminal;
  /** The engine of this user, started when none runs. Connected once a run. */
  engine(): Promise<EngineClient>;
  /** Closes what `engine` opened. */
  close(): void;
};

/** A part of the program: adds its commands to `program`. */
export type CommandGroup = (program: Command, context: Context) => void;

/** The folder that holds `engine/` and `cli/`: `out/` in a checkout, the app's resources in the package. */
export const bundlesFolder = dirname(dirname(fileURLToPath(import.meta.url)));

export function createContext(terminal: Terminal): Context {
  let connecting: Promise<EngineClient> | null = null;
  return {
    terminal,
    engine() {
      connecting ??= connectEngine({
        root: dataRootFromEnvironment(),
        node: findEngineNode(dirname(bundlesFolder)),
        engineScript: join(bundlesFolder, 'engine', 'index.js'),
        version,
        client: 'cli',
      });
      return connecting;
    },
    close() {
      connecting?.then(
        (client) => client.close(),
        () => {
          // It never was.
        },
      );
    },
  };
}

/** @throws Failure `guest/not-found`, `guest/ambiguous` */
export async function findGuest(client: EngineClient, wanted: string, from: { trash?: boolean } = {}): Promise<Guest> {
  const guests = await client.call('guest.list', from);
  return resolveName(
    guests.map((guest) => ({ ...guest, name: guest.spec.name })),
    wanted,
    { noun: 'guest', notFound: 'guest/not-found', ambiguous: 'guest/ambiguous' },
  );
}

/** @throws Failure `image/not-found` */
export async function findImage(client: EngineClient, wanted: string): Promise<Image> {
  return resolveName(await client.call('image.list', {}), wanted, {
    noun: 'image',
    notFound: 'image/not-found',
    ambiguous: 'image/not-found',
  });
}
