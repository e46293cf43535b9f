/** The `guesthouse` command. */
import { createContext } from './context.ts';
import { run } from './program.ts';

const context = createContext({
  json: false,
  colour: process.stdout.isTTY === true && !process.env.NO_COLOR,
  redraw: process.stderr.isTTY === true,
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
});

// A reader that has seen enough (`| head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

process.exitCode = await run(context, process.argv.slice(2));
