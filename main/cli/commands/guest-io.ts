/** `guesthouse guest screenshot|exec|console|type|keyboard`: into and out of a running guest. */
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { type Command, Option } from 'commander';
import { Failure } from '../../../contract/errors.ts';
import { formatKeyCombination, type KeyboardLayout, keyboardLayouts, parseKeyCombination } from '../../../contract/guest-keyboard.ts';
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
    .description('type text on the keyboard of a guest (\\n is Enter); all of it, or nothing when its layout lacks a character')
    .argument('<guest>', 'name or id')
    .argument('<text>')
    .addOption(new Option('--layout <layout>', 'the layout of the guest, when it is not the one that is set').choices(keyboardLayouts))
    .action(async (wanted: string, text: string, { layout }: { layout?: KeyboardLayout }) => {
      const client = await engine();
      const { id } = await findGuest(client, wanted);
      show(
        terminal,
        await client.call('guest.type', { guest: id, text: text.replaceAll('\\n', '\n'), ...(layout ? { layout } : {}) }),
        () => '',
      );
    });

  group
    .command('keyboard')
    .description('say or change the layout that text is typed on, and the keys that a console keeps for this computer')
    .argument('<guest>', 'name or id')
    .addOption(new Option('--layout <layout>', 'what the system in the guest takes its keyboard for').choices(keyboardLayouts))
    .option('--keep <keys...>', 'combinations that stay here: F11 Ctrl+Alt+T; they take the place of those before')
    .option('--keep-none', 'every key is the guest’s')
    .action(async (wanted: string, options: { layout?: KeyboardLayout; keep?: string[]; keepNone?: boolean }) => {
      const client = await engine();
      const guest = await findGuest(client, wanted);
      const before = guest.spec.keyboard;
      const localKeys = options.keepNone ? [] : options.keep ? [...new Set(options.keep.map(combinationNamed))] : before.localKeys;
      const keyboard = { layout: options.layout ?? before.layout, localKeys };
      const now = isDeepStrictEqual(keyboard, before) ? guest : await client.call('guest.annotate', { guest: guest.id, keyboard });
      show(terminal, now, ({ spec }) => {
        const kept = spec.keyboard.localKeys.map(formatKeyCombination).join(', ');
        return `“${spec.name}” has a keyboard of layout ${spec.keyboard.layout}; ${kept === '' ? 'every key is its own' : `these keys stay here: ${kept}`}.`;
      });
    });
}

/** @throws Failure `call/invalid-input` for what is no combination of keys. */
function combinationNamed(text: string): string {
  const combination = parseKeyCombination(text);
  if (combination) return combination;
  throw new Failure('call/invalid-input', `“${text}” is no combination of keys that can stay here.`, {
    hint: 'Write the keys with + between them, such as Ctrl+Alt+T or F11; a letter alone stays the guest’s.',
  });
}
