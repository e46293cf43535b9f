/** The engine's process: `node out/engine/index.js [--home DIR] [--foreground]`. */
import { parseArgs } from 'node:util';
import { type ErrorCode, toGuesthouseError } from '../../contract/errors.ts';
import { engineExitCodes, type StartLine } from '../../contract/handshake.ts';
import { systemClock } from './clock/clock.ts';
import { composeRooms } from './composition.ts';
import { startEngine } from './engine.ts';
import { layoutFromEnvironment } from './files/layout.ts';
import { closeInheritedFiles } from './inherited-files.ts';

const usage = `Usage: index.js [--home DIR] [--foreground]

Runs the Guesthouse engine of one data folder: DIR, else GUESTHOUSE_HOME, else the folders of the XDG standard.
Prints {"ready":true,"socket":…,"pid":…} on stdout when it answers, {"ready":false,"error":…} on stderr when it cannot.

  --home DIR     the data folder
  --foreground   write the log to stderr as well

GUESTHOUSE_ENGINE_IDLE_SECONDS  leave after so many seconds without client, guest and job (default 600)

Exit status: ${Object.entries(engineExitCodes)
  .map(([name, code]) => `${code} ${name}`)
  .join(', ')}
`;

const defaultIdleSeconds = 600;

closeInheritedFiles();
// Everything that the engine writes is its user's alone.
process.umask(0o077);
// Whoever started the engine and read its first line may be gone: that is no reason to end.
process.stdout.on('error', () => undefined);
process.stderr.on('error', () => undefined);

const options = readOptions();
if (options) await run(options);

function readOptions() {
  try {
    const { values } = parseArgs({
      options: { home: { type: 'string' }, foreground: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
    });
    if (!values.help) return values;
    process.stdout.write(usage);
  } catch (thrown) {
    process.stderr.write(`${thrown instanceof Error ? thrown.message : String(thrown)}\n\n${usage}`);
    process.exitCode = engineExitCodes.usage;
  }
  return null;
}

async function run({ home, foreground }: { home?: string | undefined; foreground: boolean }): Promise<void> {
  try {
    const engine = await startEngine({
      layout: layoutFromEnvironment(home === undefined ? process.env : { ...process.env, GUESTHOUSE_HOME: home }),
      clock: systemClock,
      compose: composeRooms,
      idleSeconds: idleSeconds(process.env),
      foreground,
    });
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => engine.stop(`It received ${signal}.`));
    // One request that goes wrong in a way nobody foresaw must not end the work of all others.
    process.on('unhandledRejection', (reason) => engine.log.error({ error: reason }, 'A failure that nobody waited for.'));
    process.on('uncaughtException', (thrown) => {
      engine.log.error({ error: thrown }, 'A failure that nobody caught; the engine ends and guests go on.');
      process.exitCode = engineExitCodes.failed;
      engine.stop('It failed.');
    });
    say(process.stdout, { ready: true, socket: engine.socketPath, pid: process.pid });
    await engine.stopped;
    process.exit();
  } catch (thrown) {
    const error = toGuesthouseError(thrown);
    say(process.stderr, { ready: false, error });
    process.exit(exitCodeOf(error.code));
  }
}

function say(stream: NodeJS.WriteStream, line: StartLine): void {
  stream.write(`${JSON.stringify(line)}\n`);
}

function exitCodeOf(code: ErrorCode): number {
  if (code === 'engine/held') return engineExitCodes.held;
  if (code.startsWith('store/')) return engineExitCodes.store;
  if (code.startsWith('database/')) return engineExitCodes.database;
  return engineExitCodes.failed;
}

function idleSeconds(environment: NodeJS.ProcessEnv): number {
  const wanted = Number(environment.GUESTHOUSE_ENGINE_IDLE_SECONDS);
  return Number.isFinite(wanted) && wanted > 0 ? wanted : defaultIdleSeconds;
}
