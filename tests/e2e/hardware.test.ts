import { expect, test } from 'vitest';
import { expectNothingSticksOut, readyApp, walkTo } from '../support/library-page.ts';
import { makeStarterGuest, untilAgent, untilStatus } from '../support/starter-guest.ts';
import { until } from '../support/until.ts';

test('hardware is changed in the window: checked as it is typed, applied, shown in the list and taken back', async () => {
  const app = await readyApp();
  const { page, call, client } = app;
  const guest = await makeStarterGuest(client, 'Workbench');
  await walkTo(page, `/guests/${guest.id}/hardware`);
  const undo = page.getByRole('button', { name: 'Undo last change' });
  await until('nothing can be undone yet', async () => (await undo.getAttribute('aria-disabled')) === 'true');

  await page.getByRole('option', { name: /^Memory/ }).click();
  const memory = page.getByRole('spinbutton', { name: /^Memory/ });
  await memory.fill('9999999');
  await page
    .getByText(/This computer has \d+ MiB of memory/)
    .first()
    .waitFor();
  const apply = page.getByRole('button', { name: 'Apply' });
  expect(await apply.getAttribute('aria-disabled')).toBe('true');
  await memory.fill('320');
  await until('it can be applied', async () => (await apply.getAttribute('aria-disabled')) !== 'true');
  await page.getByText('Now', { exact: true }).first().waitFor();
  await apply.click();
  await until('the memory is changed', async () => (await call('guest.show', { guest: guest.id })).spec.memoryMiB === 320);
  await page
    .getByRole('option', { name: /^Memory/ })
    .getByText('320 MiB')
    .waitFor();

  await undo.click();
  await until('the change is taken back', async () => (await call('guest.show', { guest: guest.id })).spec.memoryMiB === 256);
});

test('disks and cards of a running guest come and go in the window, and what waits for the next start is marked', async () => {
  const app = await readyApp();
  const { page, call, client } = app;
  const guest = await makeStarterGuest(client, 'Workbench');
  await call('guest.start', { guest: guest.id });
  await untilStatus(client, guest.id, 'running', 60_000);
  await untilAgent(client, guest.id);
  await walkTo(page, `/guests/${guest.id}/hardware`);

  await page.getByRole('button', { name: 'Add', exact: true }).click();
  await page.getByRole('menuitem', { name: 'Disk…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Add a disk' });
  await dialog.getByRole('spinbutton').fill('1');
  await dialog.getByText('Now', { exact: true }).waitFor();
  const add = dialog.getByRole('button', { name: 'Add' });
  await until('the disk can be added', async () => (await add.getAttribute('aria-disabled')) !== 'true');
  await add.click();
  await page.getByRole('option', { name: /Disk disk1/ }).waitFor({ timeout: 30_000 });
  await until('the guest has the disk', async () => {
    const { stdoutBase64 } = await call('guest.exec', { guest: guest.id, command: ['cat', '/sys/block/vdb/size'] });
    return Buffer.from(stdoutBase64, 'base64').toString().trim() === String(2 ** 30 / 512);
  });
  await page.getByRole('option', { name: /Disk disk1/ }).click();
  await page.getByRole('button', { name: 'Remove disk' }).click();
  await until('the disk is gone', async () => (await call('guest.show', { guest: guest.id })).spec.disks.length === 1, 30_000);
  await page.getByRole('option', { name: /Disk disk1/ }).waitFor({ state: 'detached' });

  await page.getByRole('option', { name: /^Devices and agents/ }).click();
  await page.getByText('USB tablet').click();
  await page.getByText('At next start', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Apply' }).click();
  await page.getByText('1 change waits for the next start').waitFor();
  await page.getByText('Waits for the next start', { exact: true }).first().waitFor();
  expect((await call('guest.show', { guest: guest.id })).pending).toEqual([{ path: 'usbTablet', kind: 'changed' }]);
  for (const width of [1280, 800]) {
    await page.setViewportSize({ width, height: 640 });
    await expectNothingSticksOut(page, `hardware at ${width}`);
  }
});
