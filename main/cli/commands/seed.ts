/** `guesthouse seed …`: the answers that a new system is given. */
import { resolve } from 'node:path';
import { Argument } from 'commander';
import { setupFormat } from '../../../contract/answers.ts';
import { Failure } from '../../../contract/errors.ts';
import { type CommandGroup, findGuest } from '../context.ts';
import { addSetupOptions, type SetupOptions, setupOf } from '../setup-options.ts';
import { facts, show } from '../terminal.ts';
import { bytes, localTime } from '../units.ts';

export const addSeed: CommandGroup = (program, { terminal, engine }) => {
  const group = program.command('seed').description('answers for systems that are set up by themselves');

  group
    .command('show')
    .description('say which answers a guest was given')
    .argument('<guest>', 'name or id')
    .action(async (wanted: string) => {
      const client = await engine();
      const guest = await findGuest(client, wanted);
      show(terminal, await client.call('seed.show', { guest: guest.id }), (seed) =>
        seed === null
          ? `“${guest.spec.name}” has no disc with answers.`
          : facts([
              ['Guest', guest.spec.name],
              ['Format', seed.format],
              ['Made', localTime(seed.madeAt)],
              ['Size', bytes(seed.sizeBytes)],
              ['Next start', seed.firstStart ? 'installs the system' : null],
            ]),
      );
    });

  group
    .command('remove')
    .description('take the disc with the answers out of a guest that is off, and delete it')
    .argument('<guest>', 'name or id')
    .action(async (wanted: string) => {
      const client = await engine();
      const guest = await findGuest(client, wanted);
      show(terminal, await client.call('seed.remove', { guest: guest.id }), () => `The answers of “${guest.spec.name}” are gone.`);
    });

  addSetupOptions(
    group
      .command('build')
      .description('write a disc with answers to a file, for another program or another computer')
      .addArgument(new Argument('<format>', 'what reads it').choices(setupFormat.options))
      .argument('<file>', 'the ISO to write'),
  ).action(async (format: (typeof setupFormat.options)[number], file: string, options: SetupOptions) => {
    const setup = setupOf(options, 'guest');
    if (setup === null)
      throw new Failure('call/invalid-input', 'Who is the user of the new system?', {
        hint: 'Give --user NAME, and --password-stdin or --ssh-key FILE.',
      });
    const client = await engine();
    show(
      terminal,
      await client.call('seed.build', { format, setup, path: resolve(file) }),
      ({ path, volumeId, sizeBytes }) => `Wrote ${path} (${volumeId}, ${bytes(sizeBytes)}).`,
    );
  });
};
