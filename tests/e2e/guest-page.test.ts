import { expect, test } from 'vitest';
import { readyApp, walkTo } from '../support/library-page.ts';
import { makeStarterGuest, untilStatus } from '../support/starter-guest.ts';
import { until } from '../support/until.ts';

test('the page of a running guest shows its load and its facts, and keeps notes and tags', async () => {
  const app = await readyApp();
  const { page, call, client } = app;
  const guest = await makeStarterGuest(client, 'Front desk');
  await walkTo(page, `/guests/${guest.id}/overview`);
  await page.getByRole('button', { name: 'Start' }).first().click();
  await untilStatus(client, guest.id, 'running', 60_000);
  await page
    .getByText('Emulated, slow')
    .or(page.getByText(/Accelerated by/))
    .first()
    .waitFor();
  await page.getByRole('button', { name: 'Shut down' }).waitFor();
  await until('the processor was measured', async () =>
    /CPU: CPU [0-9.]+ cores/.test((await page.getByRole('figure', { name: /^CPU:/ }).getAttribute('aria-label')) ?? ''),
  );
  await page.getByRole('radio', { name: '1 day' }).click();
  await page.getByRole('radio', { name: '30 days' }).click();

  await page.getByRole('textbox', { name: 'Notes' }).fill('Ask Kim before it is shut down.');
  await page.getByRole('textbox', { name: 'Tags' }).fill('reception');
  await page.keyboard.press('Enter');
  await until('notes and tags are kept', async () => {
    const { spec } = await call('guest.show', { guest: guest.id });
    return spec.notes === 'Ask Kim before it is shut down.' && spec.tags.includes('reception');
  });
  await page.getByRole('link', { name: 'reception' }).waitFor();
});

test('the tabs are walked by keyboard, and hardware and command line are all there', async () => {
  const app = await readyApp();
  const { page, call, client } = app;
  const guest = await makeStarterGuest(client, 'Front desk');
  await walkTo(page, `/guests/${guest.id}/overview`);
  await page.getByRole('tab', { name: 'Overview' }).focus();
  await page.keyboard.press('ArrowRight');
  await page.waitForURL((url) => url.pathname.includes('/hardware'));
  await page.getByText(guest.spec.uuid, { exact: true }).waitFor();
  await page.getByRole('option', { name: 'QEMU command line' }).click();
  const shown = page.getByRole('figure', { name: 'QEMU command line' });
  await shown.waitFor();
  const { arguments: words } = await call('guest.arguments', { guest: guest.id });
  expect(await shown.textContent()).toContain(words.find((word) => word.startsWith('-nodefaults')) ?? words[1]);
  await page.getByRole('tab', { name: 'Hardware' }).focus();
  await page.keyboard.press('ArrowRight');
  await page.waitForURL((url) => url.pathname.includes('/snapshots'));
  await page.goBack();
  await page.waitForURL((url) => url.pathname.includes('/hardware'));
});

test('a QEMU that is killed shows as crashed, with its signal and what to do, and starts again', async () => {
  const app = await readyApp();
  const { page, call, client } = app;
  const guest = await makeStarterGuest(client, 'Front desk');
  await call('guest.start', { guest: guest.id });
  await untilStatus(client, guest.id, 'running', 60_000);
  await walkTo(page, `/guests/${guest.id}/overview`);
  const pid = (await call('guest.show', { guest: guest.id })).state.run?.pid;
  if (pid === undefined) throw new Error('The guest runs without a process.');
  process.kill(pid, 'SIGKILL');
  await page.getByText('Front desk crashed').first().waitFor();
  await page
    .getByText(/SIGKILL/)
    .first()
    .waitFor();
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await untilStatus(client, guest.id, 'running', 60_000);
  await until('the panel is gone', async () => (await page.getByText('Front desk crashed').count()) === 0);
});

test('forcing a guest off asks first and names what is lost; resetting too', async () => {
  const app = await readyApp();
  const { page, call, client } = app;
  const guest = await makeStarterGuest(client, 'Front desk');
  await call('guest.start', { guest: guest.id });
  await untilStatus(client, guest.id, 'running', 60_000);
  await walkTo(page, `/guests/${guest.id}/overview`);
  await page.getByRole('button', { name: 'More for this guest' }).click();
  await page.getByRole('menuitem', { name: /^Force off/ }).click();
  const question = page.getByRole('alertdialog', { name: 'Force Front desk off?' });
  await question.getByText('What was not saved in it is lost.').waitFor();
  await page.keyboard.press('Escape');
  expect((await call('guest.show', { guest: guest.id })).state.status).toBe('running');
  await page.getByRole('button', { name: 'More for this guest' }).click();
  await page.getByRole('menuitem', { name: /^Force off/ }).click();
  await question.getByRole('button', { name: 'Force off' }).click();
  await untilStatus(client, guest.id, 'off');
  await page.getByRole('button', { name: 'Start' }).first().waitFor();
});

test('a guest in the trash is restored, and deleted for good only when its name was typed', async () => {
  const app = await readyApp();
  const { page, call, client } = app;
  const guest = await makeStarterGuest(client, 'Old desk');
  await call('guest.delete', { guest: guest.id });
  await page.getByRole('link', { name: 'Trash' }).click();
  await page.getByRole('button', { name: 'Restore' }).click();
  await until('it is back', async () => (await call('guest.list', {})).length === 1);
  // The row that is still drawn takes its question along when it goes.
  await page.getByText('The trash is empty').waitFor();
  await call('guest.delete', { guest: guest.id });
  await page.getByRole('button', { name: 'Delete for good' }).click();
  const question = page.getByRole('alertdialog');
  const confirm = question.getByRole('button', { name: 'Delete for good' });
  expect(await confirm.getAttribute('aria-disabled')).toBe('true');
  await question.getByRole('textbox').fill('Old desk');
  await confirm.click();
  await until('it is gone for good', async () => (await call('guest.list', { trash: true })).length === 0);
  await page.getByText('The trash is empty').waitFor();
});
