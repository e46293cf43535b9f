/** Guests that move to another disk, in the real window. */
import { lstatSync, mkdtempSync, readdirSync, readlinkSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { expectNothingSticksOut, readyApp, walkTo } from '../support/library-page.ts';
import { makeStarterGuest } from '../support/starter-guest.ts';
import { until } from '../support/until.ts';

const name = 'A guest with a name that goes on and on for longer than any window is wide, as people like to call them';

test('a guest moves to another disk and back, is shown there in the file manager, and says so while that disk is not there', async () => {
  const { electron, page, client, home, call } = await readyApp();
  const guest = await makeStarterGuest(client, name);
  const elsewhere = mkdtempSync('/tmp/gh-other-');
  onTestFinished(() => {
    for (const path of [elsewhere, `${elsewhere}.away`]) rmSync(path, { recursive: true, force: true });
  });
  await electron.evaluate(({ shell }) => {
    const shown: string[] = [];
    Object.assign(globalThis, { shown });
    shell.showItemInFolder = (path) => shown.push(path);
  });
  const shown = () => electron.evaluate(() => (globalThis as unknown as { shown: string[] }).shown);
  const openMove = async () => {
    await walkTo(page, `/guests/${guest.id}/overview`);
    await page.getByRole('button', { name: 'More' }).first().click();
    await page.getByRole('menuitem', { name: 'Move to another disk…' }).click();
    return page.getByRole('dialog');
  };

  // Without another place there is only the way to one.
  const empty = await openMove();
  await empty.getByText('There is no other place yet.').first().waitFor();
  await empty.getByRole('button', { name: 'Add a location…' }).click();
  await page.getByRole('heading', { level: 1, name: 'Storage' }).waitFor();
  const location = await call('storage.addLocation', { path: elsewhere, name: 'Second disk' });

  const dialog = await openMove();
  await dialog.getByRole('radio', { name: /Second disk/ }).waitFor();
  await expectNothingSticksOut(page, 'the dialog for moving');
  await dialog.getByRole('button', { name: 'Move', exact: true }).click();
  await dialog.waitFor({ state: 'detached' });
  const folder = join(home, 'guests', guest.id);
  await until('it lies there', () => lstatSync(folder).isSymbolicLink() && !!readlinkSync(folder), 60_000);
  const place = page.getByRole('region', { name: 'Where it lies' });
  await place.getByText('Second disk').waitFor();
  await place.getByRole('button', { name: 'Show in the file manager' }).click();
  const real = join(elsewhere, 'guesthouse-store', 'guests', guest.id);
  await until('it is shown', async () => (await shown()).includes(real));
  await page.locator('.guest-side').getByRole('button', { name: 'Show in the file manager' }).first().click();
  await until('its disk is shown', async () => (await shown()).includes(join(real, 'disk0.qcow2')));

  await walkTo(page, '/storage');
  await page
    .getByRole('list', { name: 'Storage locations' })
    .getByText(/1 guest/)
    .waitFor();
  await page
    .getByRole('list', { name: 'Guests' })
    .getByText(/in Second disk/)
    .waitFor();
  await expectNothingSticksOut(page, 'the storage page');

  renameSync(elsewhere, `${elsewhere}.away`);
  await walkTo(page, `/guests/${guest.id}/overview`);
  await place.getByText('“Second disk” cannot be reached').waitFor();
  expect(
    await call('guest.start', { guest: guest.id }).then(
      () => null,
      (thrown) => thrown.error?.code ?? String(thrown),
    ),
  ).toContain('storage/location-away');
  await expectNothingSticksOut(page, 'the guest page');
  renameSync(`${elsewhere}.away`, elsewhere);
  await place.getByText('“Second disk” cannot be reached').waitFor({ state: 'detached' });

  await walkTo(page, '/settings');
  await page.getByRole('button', { name: /New guests lie in/ }).click();
  await page.getByRole('option', { name: /Second disk/ }).click();
  await until('the setting is kept', async () => (await call('settings.get', {})).guestLocation === location.id);
  await walkTo(page, '/new/image');
  await page
    .getByRole('button', { name: /Where it lies/ })
    .getByText('Second disk')
    .waitFor();

  const back = await openMove();
  await back.getByRole('radio', { name: /The data folder/ }).check({ force: true });
  await back.getByRole('button', { name: 'Move', exact: true }).click();
  await until('it is back', () => lstatSync(folder).isDirectory(), 60_000);
  await place.waitFor({ state: 'detached' });
}, 180_000);

test('a disk that was taken out is listed, attached again, and deleted for good when one is sure', async () => {
  const { page, client, home, call } = await readyApp();
  const guest = await makeStarterGuest(client, 'Web');
  const disks = async () => (await call('guest.show', { guest: guest.id })).spec.disks;
  const added = await call('guest.edit', { guest: guest.id, change: { disks: [...(await disks()), { sizeBytes: 1024 ** 3 }] } });
  await until('it has two disks', async () => (await disks()).length === 2 && added.job !== undefined);
  const folder = join(home, 'guests', guest.id);
  const removed = () => readdirSync(folder).filter((name) => name.startsWith('removed-'));

  await walkTo(page, `/guests/${guest.id}/hardware`);
  const parts = page.getByRole('listbox', { name: 'Parts of this guest' });
  const takeOut = async () => {
    await parts.getByRole('option', { name: 'Disk disk1' }).click();
    await page.getByRole('button', { name: 'Remove' }).click();
    await parts.getByRole('option', { name: 'Removed disks' }).click();
  };
  await takeOut();
  const list = page.getByRole('list', { name: 'Removed disks' });
  await list.getByText('Disk disk1').waitFor();
  expect(removed()).toHaveLength(1);
  await list.getByRole('button', { name: 'Attach again' }).click();
  await parts.getByRole('option', { name: 'Disk disk1' }).waitFor();
  expect(removed()).toEqual([]);

  await takeOut();
  await walkTo(page, '/storage');
  await page.getByRole('link', { name: /1 removed disk/ }).click();
  await parts.getByRole('option', { name: 'Removed disks' }).click();
  await list.getByRole('button', { name: 'Delete for good…' }).click();
  await page.getByRole('alertdialog').getByRole('button', { name: 'Cancel' }).click();
  expect(removed()).toHaveLength(1);
  await list.getByRole('button', { name: 'Delete for good…' }).click();
  await page.getByRole('alertdialog').getByRole('button', { name: 'Delete for good' }).click();
  await parts.getByRole('option', { name: 'Removed disks' }).waitFor({ state: 'detached' });
  expect(removed()).toEqual([]);
  await page.getByRole('button', { name: 'Undo' }).first().click();
  await page.getByText('guest/disk-deleted').waitFor();
}, 120_000);
