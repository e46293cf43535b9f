/** `guesthouse open`: shows a guest's console in the app. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Failure } from '../../../contract/errors.ts';
import { bundlesFolder, type CommandGroup, findGuest } from '../context.ts';
import { show } from '../terminal.ts';

export const addOpen: CommandGroup = (program, { terminal, engine }) => {
  program
    .command('open')
    .description('show the console of a guest in the app')
    .argument('<guest>', 'name or id')
    .action(async (wanted: string) => {
      const { id, spec } = await findGuest(await engine(), wanted);
      const url = `guesthouse://guest/${id}/console`;
      launchApp(url);
      show(terminal, { url }, () => `Showing the console of “${spec.name}”.`);
    });
};

/** An app that runs already takes the address over from the new one. @throws Failure when the app is not where it should be */
function launchApp(url: string): void {
  const root = dirname(bundlesFolder);
  const packaged = process.env.GUESTHOUSE_APP;
  const start = join(root, 'start');
  const [command, first] = packaged ? [packaged, [url]] : [start, ['--', url]];
  if (!existsSync(command)) {
    throw new Failure('engine/unreachable', `The app was not found at ${command}.`, { hint: 'Set GUESTHOUSE_APP to the path of the app.' });
  }
  spawn(command, first, { detached: true, stdio: 'ignore' }).unref();
}
