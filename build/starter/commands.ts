/** Running other programs during the build. */
import { execFile } from 'node:child_process';

export interface CommandOptions {
  cwd?: string;
  environment?: Record<string, string>;
}

/** Runs a program and gives its standard output. A failure says what ran and the last lines of what it complained about. */
export function runCommand(program: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      program,
      args,
      {
        ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
        // Messages are parsed and quoted: they must not depend on the user's language.
        env: { ...process.env, LC_ALL: 'C.UTF-8', ...options.environment },
        maxBuffer: 256 * 1024 * 1024,
      },
      (error, stdout, stderr) => {
        if (!error) return resolve(stdout);
        const complaint = stderr.trim().split('\n').slice(-12).join('\n') || error.message;
        reject(new Error(`${program} ${args.slice(0, 4).join(' ')}… failed: ${complaint}`, { cause: error }));
      },
    );
    child.stdin?.end();
  });
}
