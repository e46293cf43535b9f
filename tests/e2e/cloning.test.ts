import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { GuestId, ImageId } from '../../contract/ids.ts';
import { readyApp, walkTo } from '../support/library-page.ts';
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

test('guests are moved to a newer version from the list of what is out of date, those that cannot say why, and Undo moves them back', async () => {
  const { page, client, call, home } = await readyApp();
  const starter = (await call('image.list', {})).find(({ builtIn }) => builtIn);
  if (!starter) throw new Error('The starter image is not on the list.');
  const [first, second] = [await makeStarterGuest(client, 'First'), await makeStarterGuest(client, 'Second')];
  const diskOf = ({ id, spec }: typeof first) => {
    const location = spec.disks[0]?.location;
    return join(home, 'guests', id, location?.kind === 'store' ? location.file : '');
  };
  const baseOf = (disk: string): string =>
    JSON.parse(execFileSync('qemu-img', ['info', '--output=json', disk]).toString())['backing-filename'];
  execFileSync('qemu-io', ['-f', 'qcow2', '-c', 'write -P 9 16M 64k', diskOf(second)]);
  const newer = join(home, 'newer.qcow2');
  execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', newer, '64M']);
  execFileSync('qemu-io', ['-f', 'qcow2', '-c', 'write -P 7 1M 1M', newer]);
  const { id } = await call('image.import', { path: newer, name: 'Newer' });
  const target = await until('it is imported', async () => {
    const now = await call('job.show', { job: id });
    return now.state === 'succeeded' ? (now.target.id as ImageId) : null;
  });
  await call('image.edit', { image: starter.id, series: { name: 'Starter' } });
  await call('image.edit', { image: target, series: { name: 'Starter' } });

  await page
    .locator('.sidebar')
    .getByRole('link', { name: /^Out of date/ })
    .click();
  await page.getByRole('button', { name: 'Move to the newest version…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Move guests to another version' });
  await dialog.getByText('holds data of its own').waitFor();
  expect(await dialog.getByRole('checkbox', { name: /^Second/ }).isDisabled()).toBe(true);
  const submit = dialog.getByRole('button', { name: 'Move 1 guest' });
  await dialog.getByRole('checkbox', { name: /^First/ }).press('Space');
  const none = dialog.getByRole('button', { name: 'Move 0 guests' });
  expect(await none.getAttribute('aria-disabled')).toBe('true');
  await dialog.getByRole('checkbox', { name: /^First/ }).press('Space');
  await submit.click();
  await page.getByText('1 guest builds upon the other version').waitFor();
  expect(baseOf(diskOf(first))).toContain(target);
  await dialog.getByRole('list', { name: 'Move guests to another version' }).getByText('Move First to Newer').waitFor();
  await dialog.getByRole('button', { name: 'Close' }).last().click();
  await page.getByRole('button', { name: 'Undo' }).click();
  await until('it builds upon the first again', () => baseOf(diskOf(first)).includes(starter.id));

  // From the overview of one that cannot, the reason is the same.
  await walkTo(page, `/guests/${second.id}/overview`);
  await page.getByRole('button', { name: 'Move to the newest version…' }).click();
  await dialog.getByText('holds data of its own').waitFor();
  await page.keyboard.press('Escape');
  // And from the panel of the version.
  await walkTo(page, `/images?image=${target}`);
  await page.getByRole('button', { name: 'Move guests to this version…' }).click();
  await dialog.getByRole('button', { name: 'Move 1 guest' }).waitFor();
});

test('a template is made of an image by its button, and its hardware can be edited', async () => {
  const { page, call } = await readyApp();
  const starter = (await call('image.list', {})).find(({ builtIn }) => builtIn);
  await walkTo(page, `/images?image=${starter?.id}`);
  await page.getByRole('button', { name: 'Make a template' }).click();
  await page.getByText(/is a template now$/).waitFor();
  const [template] = await call('guest.list', {});
  expect(template).toMatchObject({ state: { status: 'template' }, origin: { kind: 'image', id: starter?.id } });
  await until('its page is open', () => page.url().includes(`/guests/${template?.id}`));
  await page.getByRole('tab', { name: 'Hardware' }).click();
  await page.getByRole('option', { name: /^Memory/ }).click();
  await page.getByRole('spinbutton', { name: /^Memory/ }).fill('640');
  const apply = page.getByRole('button', { name: 'Apply' });
  await until('it can be applied', async () => (await apply.getAttribute('aria-disabled')) !== 'true');
  await apply.click();
  await until('it has more memory', async () => (await call('guest.list', {}))[0]?.spec.memoryMiB === 640);
});
