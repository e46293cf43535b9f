/** Clones of a guest that runs and what a snapshot's memory goes on as, from the command line as a user runs it. */
import { expect, test } from 'vitest';
import { guest as guestSchema } from '../../contract/guest-state.ts';
import { commandLine } from '../support/command-line.ts';
import { makeStarterGuest, untilAgent } from '../support/starter-guest.ts';
import { until } from '../support/until.ts';
import { connect, engineHome } from '../support/whole-engine.ts';

test('a guest is cloned while it runs and while it is suspended, made independent, and opened from a snapshot’s memory', async () => {
  const home = await engineHome();
  const client = await connect(home);
  const { id } = await makeStarterGuest(client, 'web');
  const { guesthouse, ok } = commandLine(home);
  const shown = async (name: string) => guestSchema.parse(JSON.parse(await ok('guest', 'show', name, '--json')));
  await ok('guest', 'start', 'web');
  await untilAgent(client, id);

  expect(await ok('guest', 'clone', 'web', 'copy', '--plan')).toContain('while it runs; its agent brings the file systems to rest');
  expect((await guesthouse('guest', 'clone', 'web', 'copy', '--full')).err).toContain('cannot be copied whole');
  await ok('guest', 'clone', 'web', 'copy', '--keep-snapshot');
  expect((await shown('copy')).state.status).toBe('off');
  expect(await ok('snapshot', 'list', 'web')).toContain('Cloned as copy');

  await ok('snapshot', 'create', 'web', 'Moment', '--memory');
  expect((await guesthouse('snapshot', 'open', 'web', 'Cloned as copy', '--memory')).err).toContain('has no memory to go on from');
  expect(await ok('snapshot', 'open', 'web', 'Moment', '--memory')).toContain('is running, and goes when it ends');
  const opened = (await client.call('guest.list', {})).find((guest) => guest.disposable);
  expect(opened?.spec.nics.map(({ restricted, mac }) => [restricted, mac])).toEqual([[true, (await shown('web')).spec.nics[0]?.mac]]);
  await ok('guest', 'stop', opened?.id ?? '');
  await until('it is gone', async () => !(await client.call('guest.list', {})).some((guest) => guest.disposable));

  expect(await ok('guest', 'flatten', 'web', '--limit', '200')).toContain('stands alone');
  expect((await shown('web')).state.status).toBe('running');
  expect((await guesthouse('guest', 'flatten', 'web')).err).toContain('build upon nothing');

  await ok('guest', 'suspend', 'web');
  expect(await ok('guest', 'clone', 'web', 'later', '--plan')).toContain('as after a power cut when it was suspended');
  await ok('guest', 'clone', 'web', 'later');
  expect((await shown('web')).state.status).toBe('suspended');
  expect((await shown('later')).state.status).toBe('off');
  client.close();
}, 180_000);
