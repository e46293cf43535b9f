/** The `guesthouse` program as the suite's set-up built it, run as a user runs it. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { expect } from 'vitest';
import { projectRoot } from '../../build/places.ts';
import { findEngineNode } from '../../main/client/start-engine.ts';

export type CommandRun = { status: number | null; out: string; err: string };

export type CommandOptions = {
  /** What it reads from its standard input. */
  input?: string;
  environment?: Record<string, string>;
  /** It is killed after so long, which shows as a status of null. */
  deadlineMs?: number;
};

export function runGuesthouse(
  home: string,
  words: readonly string[],
  { input = '', environment = {}, deadlineMs = 100_000 }: CommandOptions = {},
): Promise<CommandRun> {
  return new Promise((settle, fail) => {
    const child = spawn(findEngineNode(projectRoot).executable, [join(projectRoot, 'out', 'cli', 'index.js'), ...words], {
      env: { ...process.env, ...environment, GUESTHOUSE_HOME: home, NO_COLOR: '1' },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), deadlineMs);
    let out = '';
    let err = '';
    child.stdout.on('data', (chunk) => {
      out += chunk;
    });
    child.stderr.on('data', (chunk) => {
      err += chunk;
    });
    child.on('error', fail);
    child.on('close', (status) => {
      clearTimeout(timer);
      settle({ status, out, err });
    });
    // One that reads nothing may be gone before it is written to.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}

/** The program with the words `first` before all others, for the data folder `home`. */
export function commandLine(home: string, ...first: string[]) {
  const guesthouse = (...words: readonly string[]): Promise<CommandRun> => runGuesthouse(home, [...first, ...words]);
  /** What it prints when it succeeds without a word on stderr. */
  const ok = async (...words: string[]): Promise<string> => {
    const { status, out, err } = await guesthouse(...words);
    expect(err).toBe('');
    expect(status, words.join(' ')).toBe(0);
    return out;
  };
  return { guesthouse, ok };
}
