import { expect, test } from 'vitest';
import type { QuitAnswer } from '../../main/shell/quitting.ts';
import { isAlive, launchApp, type TestApp, untilConnected, untilShown } from '../support/app.ts';
import { makeStarterGuest, untilAgent, untilStatus } from '../support/starter-guest.ts';
import { until } from '../support/until.ts';

async function appWithGuest(): Promise<TestApp & { guest: Awaited<ReturnType<typeof makeStarterGuest>>; qemu: number }> {
  const app = await launchApp();
  await untilConnected(app);
  const guest = await makeStarterGuest(app.client, 'Lodger');
  await app.call('guest.start', { guest: guest.id });
  await untilStatus(app.client, guest.id, 'running');
  const qemu = (await app.call('guest.show', { guest: guest.id })).state.run?.pid ?? 0;
  await untilShown(app, 'Lodger');
  return { ...app, guest, qemu };
}

/** Closes the main window as its close button would. */
function closeWindow({ electron }: TestApp): Promise<void> {
  return electron.evaluate(({ BrowserWindow }) => setImmediate(() => BrowserWindow.getAllWindows()[0]?.close())).then(() => {});
}

function hasEnded({ electron }: TestApp): boolean {
  return electron.process().exitCode !== null;
}

const labels: Record<Exclude<QuitAnswer['guests'], 'cancel'>, string> = {
  'keep-running': 'Keep running',
  suspend: 'Suspend',
  shutdown: 'Shut down',
};

async function answer({ page }: TestApp, guests: keyof typeof labels): Promise<void> {
  const dialog = page.getByRole('dialog');
  await dialog.locator('label', { hasText: new RegExp(`^${labels[guests]}`) }).click();
  await until('it is chosen', () => dialog.getByRole('radio', { name: labels[guests] }).isChecked());
  // The window may be gone before the click is.
  await dialog
    .getByRole('button', { name: 'Quit', exact: true })
    .click({ noWaitAfter: true })
    .catch(() => {});
}

test('with no guest running the window closes without a question', async () => {
  const app = await launchApp();
  await untilConnected(app);
  await closeWindow(app);
  await until('the app has ended', () => hasEnded(app));
  expect(app.electron.process().exitCode).toBe(0);
});

test('closing the window asks about the guests that run, and cancelling keeps everything', async () => {
  const app = await appWithGuest();
  await closeWindow(app);
  const dialog = app.page.getByRole('dialog');
  await dialog.getByText('Lodger').waitFor();
  await dialog.getByRole('button', { name: 'Cancel' }).first().click();
  await dialog.waitFor({ state: 'detached' });
  expect(hasEnded(app)).toBe(false);
  expect(isAlive(app.qemu)).toBe(true);
});

test('guests that are kept running go on without the window, and the next window shows them', async () => {
  const app = await appWithGuest();
  await closeWindow(app);
  await answer(app, 'keep-running');
  await until('the app has ended', () => hasEnded(app));
  expect(isAlive(app.qemu)).toBe(true);
  const next = await launchApp({ home: app.home });
  await untilShown(next, 'Lodger');
  expect((await next.call('guest.show', { guest: app.guest.id })).state).toMatchObject({ status: 'running', run: { pid: app.qemu } });
});

test('guests are shut down before the app leaves, which shows for whom it waits', async () => {
  const app = await appWithGuest();
  await untilAgent(app.client, app.guest.id);
  const told: string[] = [];
  app.page.on('console', (message) => told.push(message.text()));
  await app.page.evaluate(() => window.guesthouse.onShellEvent((event) => event.type === 'quitting' && console.log(JSON.stringify(event))));
  await closeWindow(app);
  await answer(app, 'shutdown');
  await until('the app has ended', () => hasEnded(app), 60_000);
  expect(told).toContain(JSON.stringify({ type: 'quitting', progress: { guests: 'shutdown', waitingFor: ['Lodger'], failed: null } }));
  expect(isAlive(app.qemu)).toBe(false);
});

test('guests are suspended before the app leaves, and go on where they were', async () => {
  const app = await appWithGuest();
  await closeWindow(app);
  await answer(app, 'suspend');
  await until('the app has ended', () => hasEnded(app), 60_000);
  expect(isAlive(app.qemu)).toBe(false);
  const next = await launchApp({ home: app.home });
  await untilConnected(next);
  await untilStatus(next.client, app.guest.id, 'suspended');
  await next.call('guest.start', { guest: app.guest.id });
  await untilStatus(next.client, app.guest.id, 'running');
});

test('the remembered answer is taken the next time without a question', async () => {
  const app = await appWithGuest();
  await app.call('settings.set', { onQuit: 'keep-running' });
  await until('the window knows', async () => (await app.page.evaluate(() => window.guesthouse.call('settings.get', {}))).ok);
  await closeWindow(app);
  await until('the app has ended', () => hasEnded(app));
  expect(isAlive(app.qemu)).toBe(true);
});
