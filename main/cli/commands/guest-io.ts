/** `guesthouse guest screenshot|exec|console|type`: into and out of a running guest. */
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { Failure } from '../../../contract/errors.ts';
import { type Context, findGuest } from '../context.ts';
import { Exit, exitCodes } from '../exit-codes.ts';
import { joinSerialConsole } from '../serial-console.ts';
import { show } from '../terminal.ts';
import { wholeNumber } from '../values.ts';

export function addGuestIo(group: Command, { terminal, engine }: Context): void {
  group
    .command('screenshot')
    .description('write what a guest shows as a PNG file')
    .argument('<guest>', 'name or id')
    .argument('<file>', 'where to write it')
    .action(async (wanted: string, file: string) => {
      const client = await engine();
      const { id } = await findGuest(client, wanted);
      const { pngBase64, widthPx, heightPx } = await client.call('guest.screenshot', { guest: id });
      const path = resolve(file);
      try {
        await writeFile(path, Buffer.from(pngBase64, 'base64'));
      } catch (thrown) {
        throw new Failure('store/not-writable', `The picture could not be written to ${path}.`, { detail: String(thrown) });
      }
      show(terminal, { path, widthPx, heightPx }, () => `Wrote ${widthPx} × ${heightPx} pixels to ${path}.`);
    });

  group
    .command('exec')
    .description('run a command in a guest through its agent; ends with the exit status of the command')
    .argument('<guest>', 'name or id')
    .argument('<command...>', 'after --')
    .option('--timeout <seconds>', 'how long it may take', wholeNumber(1, 3600), 60)
    .action(async (wanted: string, command: string[], options: { timeout: number }) => {
      const client = await engine();
      const { id } = await findGuest(client, wanted);
      const result = await client
        .call('guest.exec', { guest: id, command, timeoutSeconds: options.timeout }, { timeoutMs: (options.timeout + 15) * 1000 })
        .catch((thrown: unknown) => {
          if (thrown instanceof Failure && thrown.error.code === 'guest/agent-failed') throw new Exit(exitCodes.execFailed, thrown);
          throw thrown;
        });
      if (terminal.json) show(terminal, result, () => '');
      else {
        // The command's own bytes, as they are: they are what was asked for.
        process.stdout.write(Buffer.from(result.stdoutBase64, 'base64'));
        process.stderr.write(Buffer.from(result.stderrBase64, 'base64'));
        if (result.truncated) terminal.err('The output was longer than the agent keeps; its end is missing.\n');
      }
      if (result.exitStatus !== 0) throw new Exit(result.exitStatus);
    });

  group
    .command('console')
    .description('join the serial console of a guest; Ctrl+] leaves')
    .argument('<guest>', 'name or id')
    .action(async (wanted: string) => {
      const client = await engine();
      const guest = await findGuest(client, wanted);
      await joinSerialConsole(client, guest);
    });

  group
    .command('type')
    .description('type text on the keyboard of a guest (US layout; \\n is Enter)')
    .argument('<guest>', 'name or id')
    .argument('<text>')
    .action(async (wanted: string, text: string) => {
      const client = await engine();
      const { id } = await findGuest(client, wanted);
      show(terminal, await client.call('guest.type', { guest: id, text: text.replaceAll('\\n', '\n') }), () => '');
    });
}
