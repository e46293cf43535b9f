/** `./start` and `npm start`, from the point where Node and the packages are there: prepares what is missing and opens the window. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../places.ts';
import { planLaunch } from './electron-launch.ts';
import { prepare, prepareForStart } from './prepare.ts';
import { hasDisplay, startPrivateDisplay } from './private-display.ts';
import { parseStartArguments } from './start-arguments.ts';

async function start(): Promise<number> {
  const given = process.argv.slice(2);
  if (given.includes('--help') || given.includes('-h')) {
    process.stdout.write(readFileSync(join(import.meta.dirname, 'start-usage.txt'), 'utf8'));
    return 0;
  }
  const { isSetupOnly, appArguments } = parseStartArguments(given, process.env.GUESTHOUSE_STARTED_FROM ?? process.cwd());
  const say = (stage: string, line: string) => console.log(`[${stage}] ${line}`);
  const { runtime, starter } = appArguments.includes('--demo') ? await prepare(say) : await prepareForStart(say);
  if (isSetupOnly) return 0;

  const display = hasDisplay() ? null : await startPrivateDisplay();
  const launch = planLaunch(runtime, display !== null);
  for (const remark of launch.remarks) say('window', remark);
  try {
    return await runApp(runtime.executablePath, [...launch.switches, projectRoot, ...appArguments], {
      ...launch.environment,
      ...(starter ? { GUESTHOUSE_STARTER: starter.diskPath } : {}),
      ...display?.environment,
    });
  } finally {
    await display?.stop();
  }
}

/** Ends as the app ends. Ctrl+C reaches the app by itself, which then leaves in its own order. */
function runApp(executable: string, commandArguments: string[], environment: Record<string, string>): Promise<number> {
  return new Promise((settle, reject) => {
    const app = spawn(executable, commandArguments, { stdio: 'inherit', env: { ...process.env, ...environment } });
    for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => app.kill(signal));
    process.on('SIGINT', () => {});
    app.on('error', (error) => reject(new Error(`Electron could not be started: ${error.message}`)));
    app.on('exit', (code) => settle(code ?? 1));
  });
}

try {
  process.exitCode = await start();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
