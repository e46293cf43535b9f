/** The command line as a whole: its groups, its help, and how a run ends. */
import { Command, CommanderError } from 'commander';
import { toGuesthouseError } from '../../contract/errors.ts';
import { version } from '../../contract/version.ts';
import { addCompletion } from './commands/completion.ts';
import { addDoctor } from './commands/doctor.ts';
import { addEngine } from './commands/engine.ts';
import { addEvents } from './commands/events.ts';
import { addGuest } from './commands/guest.ts';
import { addImage } from './commands/image.ts';
import { addJob } from './commands/job.ts';
import { addOpen } from './commands/open.ts';
import { addSeed } from './commands/seed.ts';
import { addSnapshot } from './commands/snapshot.ts';
import { addStorage } from './commands/storage.ts';
import type { Context } from './context.ts';
import { Exit, exitCodeMeanings, exitCodeOf, exitCodes } from './exit-codes.ts';
import { showError } from './terminal.ts';

export function buildProgram(context: Context): Command {
  const { terminal } = context;
  const program = new Command('guesthouse')
    .description('Guesthouse from the command line: everything the window can do. The engine is started when none runs.')
    .version(version)
    .option('--json', 'answer in JSON, as the API has it; progress and events as a line of JSON each')
    .showHelpAfterError('(add --help for how it is used)')
    .addHelpText('after', () => exitCodeHelp)
    .configureOutput({ writeOut: terminal.out, writeErr: terminal.err });
  for (const add of [addDoctor, addEngine, addImage, addGuest, addSeed, addSnapshot, addStorage, addJob, addEvents, addOpen, addCompletion])
    add(program, context);
  for (const command of everyCommand(program)) {
    command.exitOverride();
    // `--json` is taken wherever it is written.
    if (command !== program && command.commands.length === 0) command.option('--json', 'answer in JSON');
  }
  program.hook('preAction', (_program, action) => {
    terminal.json = action.optsWithGlobals().json === true;
  });
  return program;
}

export function everyCommand(command: Command): Command[] {
  return [command, ...command.commands.flatMap(everyCommand)];
}

/** Runs one command line (without the names of node and script). @returns the exit status */
export async function run(context: Context, words: readonly string[]): Promise<number> {
  const { terminal } = context;
  // Errors of the command line itself are found before `preAction`.
  terminal.json = words.includes('--json');
  try {
    await buildProgram(context).parseAsync(words, { from: 'user' });
    return exitCodes.done;
  } catch (thrown) {
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? exitCodes.done : exitCodes.usage;
    if (thrown instanceof Exit) {
      if (thrown.failure) showError(terminal, thrown.failure.error);
      return thrown.code;
    }
    const error = toGuesthouseError(thrown);
    showError(terminal, error);
    return exitCodeOf(error.code);
  } finally {
    context.close();
  }
}

const exitCodeHelp = `
Exit status:
${exitCodeMeanings.map(([code, meaning]) => `  ${String(code).padStart(3)}  ${meaning}`).join('\n')}

Environment:
  GUESTHOUSE_HOME  one folder for all data, instead of the XDG folders
  NO_COLOR         no colours`;
