/** The built `guesthouse` program, run as a user runs it. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { expect } from 'vitest';
import { bundle } from '../../build/bundle.ts';
import { projectRoot } from '../../build/places.ts';
import { findEngineNode } from '../../main/client/start-engine.ts';

export type CommandRun = { status: number | null; out: string; err: string };

/** Builds the program, and gives it with the words `first` before all others, for the data folder `home`. */
export async function commandLine(home: string, ...first: string[]) {
  await bundle(() => undefined, { names: ['engine', 'cli'] });
  const guesthouse = (...words: readonly string[]): Promise<CommandRun> =>
    new Promise((settle, fail) => {
      const program = join(projectRoot, 'out', 'cli', 'index.js');
      const child = spawn(findEngineNode(projectRoot).executable, [program, ...first, ...words], {
        env: { ...process.env, GUESTHOUSE_HOME: home, NO_COLOR: '1' },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let out = '';
      let err = '';
      child.stdout.on('data', (chunk) => {
        out += chunk;
      });
      child.stderr.on('data', (chunk) => {
        err += chunk;
      });
      child.on('error', fail);
      child.on('close', (status) => settle({ status, out, err }));
    });
  /** What it prints when it succeeds without a word on stderr. */
  const ok = async (...words: string[]): Promise<string> => {
    const { status, out, err } = await guesthouse(...words);
    expect(err).toBe('');
    expect(status, words.join(' ')).toBe(0);
    return out;
  };
  return { guesthouse, ok };
}
