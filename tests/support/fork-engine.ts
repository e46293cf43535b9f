import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { EngineOrder } from './guest-engine-process.ts';

export type ForkedEngine = {
  /** Asks, and settles with what came of it: "done" or "failed: why". */
  order(order: EngineOrder): Promise<string>;
  /** Asks, and kills the engine `afterMs` later, wherever it is by then. */
  orderAndKill(order: EngineOrder, afterMs: number): Promise<void>;
  kill(): Promise<void>;
};

/** Starts an engine over `home` in a process of its own. */
export async function forkEngine(home: string): Promise<ForkedEngine> {
  const child = fork(join(import.meta.dirname, 'guest-engine-process.ts'), [home], {
    execArgv: [],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  await messageOf(child);
  const kill = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  return {
    kill,
    async order(order) {
      child.send(order);
      return messageOf(child);
    },
    async orderAndKill(order, afterMs) {
      child.send(order);
      await new Promise((done) => setTimeout(done, afterMs));
      await kill();
    },
  };
}

function messageOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once('message', (message) => resolve(String(message)));
    child.once('exit', (code) => reject(new Error(`The engine's process ended (${code}).`)));
  });
}
