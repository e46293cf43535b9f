import { expect, test } from 'vitest';
import { launchApp, untilConnected } from '../support/app.ts';
import { goToConsole, runInGuest, untilLive } from '../support/console-page.ts';
import { succeeded } from '../support/outcomes.ts';
import { makeStarterGuest, untilStatus } from '../support/starter-guest.ts';
import { until } from '../support/until.ts';

test('a guest is suspended with its console on the screen, and the console shows it again when it goes on', async () => {
  const app = await launchApp();
  await untilConnected(app);
  const { client, page } = app;
  const { id: guest } = await makeStarterGuest(client, 'Starter');
  const untilAnswers = () =>
    until('the agent answers', async () => (await client.call('guest.show', { guest })).state.run?.qemuAgent === true, 150_000);
  await app.call('guest.start', { guest });
  await goToConsole(page, guest);
  await untilLive(page);
  await untilAnswers();
  await runInGuest(client, guest, 'echo kept > /tmp/note');

  await succeeded(client, await app.call('guest.suspend', { guest }));
  await untilStatus(client, guest, 'suspended');

  await app.call('guest.start', { guest });
  await untilStatus(client, guest, 'running');
  await untilLive(page);
  await untilAnswers();
  expect(await runInGuest(client, guest, 'cat /tmp/note')).toBe('kept\n');
});
