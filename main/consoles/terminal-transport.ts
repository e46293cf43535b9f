/** Bytes of a program in a terminal of its own: ssh to a guest. */
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { IPty } from 'node-pty';
import { Failure } from '../../contract/errors.ts';
import { GuardedHandlers, type OpenTransport } from './transport.ts';

export type TerminalCommand = { file: string; arguments: string[]; columns: number; rows: number };

/** Absolute path of a program on PATH. @throws Failure `console/unavailable` */
export async function findProgram(name: string, path = process.env.PATH ?? ''): Promise<string> {
  for (const folder of path.split(delimiter)) {
    if (folder === '') continue;
    const file = join(folder, name);
    if (
      await access(file, constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return file;
  }
  throw new Failure('console/unavailable', `The program “${name}” is not installed on this computer.`, {
    hint: name === 'ssh' ? 'Install the OpenSSH client.' : `Install ${name}.`,
  });
}

/** The native module is loaded on first use, so that an app without it starts and says so when it is needed. */
export async function terminalTransport(command: TerminalCommand): Promise<OpenTransport> {
  const { spawn } = await import('node-pty');
  return (given) => {
    const handlers = new GuardedHandlers(given);
    const pty: IPty = spawn(command.file, command.arguments, {
      name: 'xterm-256color',
      cols: command.columns,
      rows: command.rows,
      cwd: homedir(),
      env: terminalEnvironment(process.env),
      encoding: null,
    });
    // node-pty types its data as text even where no encoding was asked for.
    pty.onData((data: string | Uint8Array) => handlers.data(typeof data === 'string' ? Buffer.from(data) : data));
    pty.onExit(({ exitCode, signal }) => {
      if (exitCode === 0 && !signal) return handlers.closed('The session ended.', true);
      handlers.closed(signal ? `The session was ended by signal ${signal}.` : `The session ended with status ${exitCode}.`, false);
    });
    setImmediate(() => handlers.open());
    return {
      write(bytes, taken) {
        if (handlers.ended) return;
        pty.write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
        taken();
      },
      pause: () => pty.pause(),
      resume: () => pty.resume(),
      resize(columns, rows) {
        if (!handlers.ended) pty.resize(columns, rows);
      },
      close() {
        if (handlers.end()) pty.kill('SIGHUP');
      },
    };
  };
}

/** What belongs to Electron or to the app is no business of a program in a terminal. */
export function terminalEnvironment(environment: NodeJS.ProcessEnv): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment))
    if (value !== undefined && !/^(ELECTRON_|GUESTHOUSE_|NODE_|CHROME_)/.test(name)) kept[name] = value;
  return kept;
}
