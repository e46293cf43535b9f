import { expect, test } from 'vitest';
import { jobEnded } from '../../contract/job.ts';
import { launchApp, untilConnected } from '../support/app.ts';
import { goToConsole, runInGuest, untilLive } from '../support/console-page.ts';
import { makeStarterGuest, untilStatus } from '../support/starter-guest.ts';
import { until } from '../support/until.ts';

test('a guest is suspended with its console on the screen, and the console shows it again when it goes on', {
  timeout: 400_000,
}, async () => {
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

  const { id: job } = await app.call('guest.suspend', { guest });
  const ended = await until(
    'the job has ended',
    async () => {
      const now = await app.call('job.show', { job });
      return jobEnded.has(now.state) ? now : null;
    },
    60_000,
  );
  expect(ended).toMatchObject({ state: 'succeeded' });
  await untilStatus(client, guest, 'suspended');

  await app.call('guest.start', { guest });
  await untilStatus(client, guest, 'running');
  await untilLive(page);
  await untilAnswers();
  expect(await runInGuest(client, guest, 'cat /tmp/note')).toBe('kept\n');
});
