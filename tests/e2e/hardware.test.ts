import { join } from 'node:path';
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
    .getByText(/This computer has \d+\sMiB of memory/)
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

  // What somebody else adds while a device of that kind is being changed here stays when this is applied.
  await page.getByRole('option', { name: /^Disk disk0/ }).click();
  await page.getByRole('switch', { name: 'Give freed space back' }).focus();
  await page.keyboard.press('Space');
  await until('it can be applied', async () => (await apply.getAttribute('aria-disabled')) !== 'true');
  const disksOf = async () => (await call('guest.show', { guest: guest.id })).spec.disks;
  await call('guest.edit', { guest: guest.id, change: { disks: [...(await disksOf()), { sizeBytes: 1024 ** 3 }] } });
  await page.getByRole('option', { name: /^Disk disk1/ }).waitFor();
  await until('it can be applied', async () => (await apply.getAttribute('aria-disabled')) !== 'true');
  await apply.click();
  await until('the disk is changed', async () => (await disksOf())[0]?.discard === false);
  expect((await disksOf()).map(({ id }) => id)).toEqual(['disk0', 'disk1']);
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
  await page.getByRole('option', { name: /Disk disk1/ }).waitFor();
  await until('the guest has the disk', async () => {
    const { stdoutBase64 } = await call('guest.exec', { guest: guest.id, command: ['cat', '/sys/block/vdb/size'] });
    return Buffer.from(stdoutBase64, 'base64').toString().trim() === String(2 ** 30 / 512);
  });
  await page.getByRole('option', { name: /Disk disk1/ }).click();
  await page.getByRole('button', { name: 'Remove disk' }).click();
  await until('the disk is gone', async () => (await call('guest.show', { guest: guest.id })).spec.disks.length === 1);
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

test('a folder and a USB device of this computer are given to a guest, and experts see it as libvirt does', async () => {
  const app = await readyApp();
  const { page, call, client, home } = app;
  const guest = await makeStarterGuest(client, 'Workbench');
  await walkTo(page, `/guests/${guest.id}/hardware`);
  const choose = async (item: string) => {
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByRole('menuitem', { name: item }).click();
  };
  await choose('Shared folder…');
  const sharing = page.getByRole('dialog', { name: 'Share a folder' });
  const share = sharing.getByRole('button', { name: 'Add' });
  await sharing.getByRole('textbox', { name: 'Folder' }).fill(join(home, 'none'));
  await sharing
    .getByText(/There is no folder/)
    .first()
    .waitFor();
  expect(await share.getAttribute('aria-disabled')).toBe('true');
  await sharing.getByRole('textbox', { name: 'Folder' }).fill(join(home, 'guests'));
  await until('it can be shared', async () => (await share.getAttribute('aria-disabled')) !== 'true');
  await share.click();
  await page.getByRole('option', { name: /Folder guests/ }).click();
  await page.getByText(/mkdir -p \/mnt\/guests && mount -t (virtiofs|9p)/).waitFor();
  const mount = page.getByRole('button', { name: 'Mount it in the guest' });
  expect(await mount.getAttribute('aria-disabled')).toBe('true');

  await choose('USB device…');
  const giving = page.getByRole('dialog', { name: 'Give the guest a USB device' });
  await giving.getByRole('textbox', { name: 'Vendor' }).fill('046D');
  await giving.getByRole('textbox', { name: 'Product' }).fill('c52b');
  await giving.getByRole('button', { name: 'Add' }).click();
  await page.getByRole('option', { name: /USB 046d:c52b/ }).click();
  await page.getByText('Not plugged in now; the guest gets it when it is.').waitFor();
  expect((await call('guest.show', { guest: guest.id })).spec.usbDevices).toMatchObject([
    { vendorId: '046d', productId: 'c52b', port: null },
  ]);

  await page.getByRole('option', { name: 'libvirt XML' }).click();
  await page.getByText(/<filesystem type='mount'/).waitFor();
  await page.getByRole('option', { name: 'QMP console' }).click();
  expect(await page.getByRole('button', { name: 'Send' }).getAttribute('aria-disabled')).toBe('true');
});
