import { expect, test } from 'vitest';
import type { GuestId } from '../../contract/ids.ts';
import { readyApp } from '../support/library-page.ts';
import { makeStarterGuest, untilAgent, untilStatus } from '../support/starter-guest.ts';
import { until } from '../support/until.ts';

test('clones are made from the menu of a guest as the dialog says, and Undo moves them to the trash', async () => {
  const { page, client, call } = await readyApp();
  const { id } = await makeStarterGuest(client, 'Golden');
  const card = page.getByRole('row', { name: 'Golden' });
  await card.click({ button: 'right' });
  await page.getByRole('menuitem', { name: 'Clone…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Clone Golden' });
  const name = dialog.getByRole('textbox', { name: 'Name' });
  expect(await name.inputValue()).toBe('Golden-{n}');
  const submit = dialog.getByRole('button', { name: /^(Clone|Make)/ });

  await name.fill('golden');
  await dialog.getByText('There is a guest named “golden” already.').first().waitFor();
  expect(await submit.getAttribute('aria-disabled')).toBe('true');

  await name.fill('web-{nn}');
  await dialog
    .getByRole('textbox', { name: 'How many' })
    .or(dialog.getByRole('spinbutton', { name: 'How many' }))
    .fill('9');
  await dialog.getByText('web-06').waitFor();
  await dialog.getByText('and 3 more').waitFor();
  await until('the dialog can be sent', async () => (await submit.getAttribute('aria-disabled')) === null);
  expect(await submit.textContent()).toBe('Make 9 clones');
  await submit.click();
  await page.getByText('9 clones are there').waitFor();
  const guests = await call('guest.list', {});
  expect(guests).toHaveLength(10);
  expect(guests.filter((guest) => guest.origin?.id === id && guest.identity?.state === 'waiting')).toHaveLength(9);

  await page.getByRole('button', { name: 'Undo' }).click();
  await until('they are in the trash', async () => (await call('guest.list', { trash: true })).length === 9);
});

test('a template is shown as one, is not started, makes guests, and shows who builds upon it', async () => {
  const { page, client, call } = await readyApp();
  const { id } = await makeStarterGuest(client, 'Golden');
  await page.getByRole('link', { name: 'Golden' }).first().click();
  await page.getByRole('button', { name: 'More' }).last().click();
  await page.getByRole('menuitem', { name: 'Make a template' }).click();
  await untilStatus(client, id, 'template');
  await page.getByRole('button', { name: 'New from template' }).click();
  const dialog = page.getByRole('dialog', { name: 'New from Golden' });
  const submit = dialog.getByRole('button', { name: 'Clone' });
  await until('the dialog can be sent', async () => (await submit.getAttribute('aria-disabled')) === null);
  await submit.click();
  await until('the clone is there', async () => (await call('guest.list', {})).length === 2);

  await page.getByRole('button', { name: 'New', exact: true }).click();
  await page.getByRole('menuitem', { name: 'Guest from a template' }).click();
  await page.getByRole('dialog', { name: 'New from Golden' }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('link', { name: 'Templates' }).click();
  await page.getByRole('heading', { level: 1, name: 'Templates' }).waitFor();
  expect(await page.getByRole('row').count()).toBe(1);
  await page.getByRole('link', { name: 'Golden' }).first().click();
  await page.getByRole('tab', { name: 'Overview' }).click();
  const tree = page.getByRole('list', { name: 'What builds upon what' });
  await tree.getByRole('link', { name: 'Golden-1' }).waitFor();

  await page.getByRole('button', { name: 'More' }).last().click();
  await page.getByRole('menuitem', { name: 'Make it a guest again' }).click();
  await page.getByText('The template “Golden” is still built upon by “Golden-1”.').waitFor();
});

test('a disposable guest says that it is one, and is gone when it ends', async () => {
  const { page, client, call } = await readyApp();
  await makeStarterGuest(client, 'Golden');
  await page.getByRole('row', { name: 'Golden' }).click({ button: 'right' });
  await page.getByRole('menuitem', { name: 'Start disposable' }).click();
  await page.getByRole('heading', { level: 1, name: 'Golden (disposable)' }).waitFor({ timeout: 60_000 });
  await page.getByRole('note', { name: 'Disposable' }).waitFor();
  const id = (await call('guest.list', {})).find((guest) => guest.disposable)?.id as GuestId;
  await untilStatus(client, id, 'running');
  await call('guest.forceOff', { guest: id });
  await until('it is gone', async () => (await call('guest.list', {})).length === 1);
});

test('a guest that runs is cloned as it is at this moment, and the dialog says what that means for its disks', async () => {
  const { page, client, call } = await readyApp();
  const { id } = await makeStarterGuest(client, 'Golden');
  await call('guest.start', { guest: id });
  await untilAgent(client, id);
  await page.getByRole('row', { name: 'Golden' }).click({ button: 'right' });
  await page.getByRole('menuitem', { name: 'Clone…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Clone Golden' });
  await dialog.getByText('Its agent brings the file systems to rest').waitFor();
  expect(await dialog.getByRole('radio').count()).toBe(1);
  await dialog.getByRole('textbox', { name: 'Name' }).fill('Sprig');
  await dialog.getByText('Keep that moment as a snapshot').click();
  const submit = dialog.getByRole('button', { name: 'Clone', exact: true });
  await until('the dialog can be sent', async () => (await submit.getAttribute('aria-disabled')) === null);
  await submit.click();
  await page.getByText('Sprig is there').waitFor();
  expect((await call('guest.show', { guest: id })).state.status).toBe('running');
  expect((await call('snapshot.list', { guest: id })).snapshots).toMatchObject([{ name: 'Cloned as Sprig', quiesced: true }]);

  await call('guest.pause', { guest: id });
  await page.getByRole('row', { name: 'Golden' }).click({ button: 'right' });
  await page.getByRole('menuitem', { name: 'Clone…' }).click();
  await dialog.getByText('as they would be after a power cut, which').waitFor();
  await call('guest.forceOff', { guest: id });
});
