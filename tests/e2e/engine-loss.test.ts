import { expect, test } from 'vitest';
import { isAlive, launchApp, untilConnected, untilShown } from '../support/app.ts';
import { makeStarterGuest, untilStatus } from '../support/starter-guest.ts';
import { until } from '../support/until.ts';

test('the window says that the engine was killed, and goes on by itself with another', async () => {
  const app = await launchApp();
  const { page } = app;
  const pid = await untilConnected(app);
  await page.getByText('Engine running').waitFor();
  await page.evaluate(() => {
    const seen: string[] = [];
    Object.assign(window, { seen });
    window.guesthouse.onShellEvent((event) => event.type === 'engine' && seen.push(event.connection.state));
  });
  process.kill(pid, 'SIGKILL');
  const next = await until('another engine answers', async () => {
    const answer = await app.call('engine.info', {}).catch(() => null);
    return answer && answer.pid !== pid ? answer.pid : null;
  });
  await page.getByText('Engine running').waitFor();
  const seen = await page.evaluate(() => (window as unknown as { seen: string[] }).seen);
  expect(seen).toEqual(['connected', 'lost', 'connected']);
  const answer = await page.evaluate(() => window.guesthouse.call('engine.info', {}));
  expect(answer).toMatchObject({ ok: true, value: { pid: next } });
});

test('a guest runs on while its engine is killed, and the page shows it as before', async () => {
  const app = await launchApp();
  const { client } = app;
  const enginePid = await untilConnected(app);
  const guest = await makeStarterGuest(client, 'Survivor');
  await app.call('guest.start', { guest: guest.id });
  await untilStatus(client, guest.id, 'running');
  const before = (await app.call('guest.show', { guest: guest.id })).state.run?.pid ?? 0;
  process.kill(enginePid, 'SIGKILL');
  const after = await until('the next engine shows the guest', async () => {
    const shown = await app.call('guest.show', { guest: guest.id }).catch(() => null);
    return shown?.state.status === 'running' ? shown.state.run?.pid : null;
  });
  expect(after).toBe(before);
  expect(isAlive(before)).toBe(true);
  await untilShown(app, 'Survivor');
});

test('an engine that cannot start is explained, and starting it again helps once it can', async () => {
  const { electron, page } = await launchApp({ environment: { GUESTHOUSE_NODE: '/nonexistent/node' } });
  await page.getByRole('alert').getByText('The engine does not answer.').waitFor();
  await electron.evaluate((_electron, node) => {
    process.env.GUESTHOUSE_NODE = node;
  }, process.execPath);
  await page
    .getByRole('button', { name: 'Start the engine again' })
    .or(page.getByRole('button', { name: /restart/i }))
    .first()
    .click();
  await page.getByText('Engine running').waitFor();
});
