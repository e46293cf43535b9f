import { expect, test } from 'vitest';
import { Failure } from '../../contract/errors.ts';
import type { EngineClient } from '../client/engine-client.ts';
import { complete } from './commands/completion.ts';
import type { Context } from './context.ts';
import { exitCodeOf, exitCodes } from './exit-codes.ts';
import { buildProgram, everyCommand, run } from './program.ts';

function session(answers: Record<string, unknown> = {}) {
  const said = { out: '', err: '' };
  const client = {
    call: async (name: string) => {
      const answer = answers[name];
      if (answer instanceof Error) throw answer;
      return answer;
    },
  } as unknown as EngineClient;
  const context: Context = {
    terminal: {
      json: false,
      colour: false,
      redraw: false,
      out: (text) => {
        said.out += text;
      },
      err: (text) => {
        said.err += text;
      },
    },
    engine: async () => client,
    close: () => undefined,
  };
  return { context, said };
}

test('every command and option explains itself', () => {
  for (const command of everyCommand(buildProgram(session().context))) {
    if (command.name().startsWith('__')) continue;
    expect(command.description(), command.name()).not.toBe('');
    for (const option of command.options) expect(option.description, `${command.name()} ${option.flags}`).not.toBe('');
  }
});

test('what is not understood ends with the status for usage, help ends with 0', async () => {
  expect(await run(session().context, ['guest', 'frobnicate'])).toBe(exitCodes.usage);
  expect(await run(session().context, ['guest', 'start'])).toBe(exitCodes.usage);
  expect(await run(session().context, ['events', '--limit', 'many'])).toBe(exitCodes.usage);
  expect(await run(session().context, ['guest', 'create', 'x', '--iso', 'a', '--disk', 'b'])).toBe(exitCodes.usage);
  const help = session();
  expect(await run(help.context, ['--help'])).toBe(exitCodes.done);
  expect(help.said.out).toContain('Exit status:');
});

test('a failure of the engine is said and gives the status of its code', async () => {
  const { context, said } = session({ 'image.list': new Failure('engine/unreachable', 'The engine does not answer.') });
  expect(await run(context, ['image', 'list'])).toBe(exitCodes.noEngine);
  expect(said.err).toContain('The engine does not answer.');
});

test('--json is taken before and after the command', async () => {
  for (const words of [
    ['--json', 'image', 'list'],
    ['image', 'list', '--json'],
  ]) {
    const { context, said } = session({ 'image.list': [] });
    expect(await run(context, words)).toBe(exitCodes.done);
    expect(JSON.parse(said.out)).toEqual([]);
  }
});

test('codes that a script can act on have a status of their own', () => {
  expect(exitCodeOf('guest/not-found')).toBe(exitCodes.notFound);
  expect(exitCodeOf('guest/denied')).toBe(exitCodes.denied);
  expect(exitCodeOf('call/invalid-input')).toBe(exitCodes.usage);
  expect(exitCodeOf('engine/held')).toBe(exitCodes.noEngine);
  expect(exitCodeOf('image/truncated')).toBe(exitCodes.failed);
});

test.each([
  [['gu'], ['guest']],
  [['guest', 'sta'], ['start']],
  [
    ['guest', 'start', 'web'],
    ['web 1', 'web 2'],
  ],
  [
    ['guest', 'start', 'web 1', '--wait', ''],
    ['running', 'agent', 'banner'],
  ],
  [['guest', 'start', '--ti'], ['--timeout']],
  [['completion', 'z'], ['zsh']],
  [['nonsense', 'x'], []],
])('%j is completed with %j', async (words, expected) => {
  const { context } = session({ 'guest.list': [{ spec: { name: 'web 1' } }, { spec: { name: 'web 2' } }, { spec: { name: 'db' } }] });
  expect(await complete(buildProgram(context), context, words)).toEqual(expected);
});
