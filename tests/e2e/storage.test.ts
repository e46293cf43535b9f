/** The page about space, in the real window. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { expectNothingSticksOut, readyApp, walkTo } from '../support/library-page.ts';
import { makeStarterGuest } from '../support/starter-guest.ts';
import { until } from '../support/until.ts';

test('the storage page says what uses how much, deletes what is nobody’s when asked, and gives back room', async () => {
  const { page, client, home, call } = await readyApp();
  const guest = await makeStarterGuest(client, 'Web');
  const stray = join(home, 'images', 'forgotten-with-a-name-that-goes-on-and-on-for-longer-than-any-window-is-wide-2026-11-25.iso');
  mkdirSync(join(home, 'images'), { recursive: true });
  writeFileSync(stray, Buffer.alloc(3_000_000, 7));
  utimesSync(stray, new Date('2026-01-01'), new Date('2026-01-01'));

  await walkTo(page, '/library');
  await page.locator('.sidebar').getByRole('link', { name: 'Storage' }).click();
  await page.getByRole('heading', { level: 1, name: 'Storage' }).waitFor();
  await page.getByRole('img', { name: /are free/ }).waitFor();
  const guests = page.getByRole('list', { name: 'Guests' });
  await guests.getByRole('link', { name: 'Web' }).waitFor();
  await expectNothingSticksOut(page, 'the storage page');

  const orphans = page.getByRole('list', { name: 'Nobody’s files' });
  await orphans.getByText('forgotten').waitFor();
  await orphans.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('alertdialog').getByRole('button', { name: 'Cancel' }).click();
  expect(existsSync(stray)).toBe(true);
  await orphans.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('alertdialog').getByRole('button', { name: 'Delete' }).click();
  await page.getByText('Every file belongs to something.').waitFor();
  expect(existsSync(stray)).toBe(false);

  await guests.getByRole('button', { name: 'Give back room' }).click();
  await until('the job has ended', async () =>
    (await call('job.list', {})).some((job) => job.kind === 'guest.reclaim' && job.target.id === guest.id && job.state === 'succeeded'),
  );
  await page.getByRole('button', { name: 'Look for them' }).click();
  await page.getByText('No two files have the same content.').waitFor();

  const elsewhere = mkdtempSync('/tmp/gh-other-');
  onTestFinished(() => rmSync(elsewhere, { recursive: true, force: true }));
  await page.getByRole('button', { name: 'Add a location…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('textbox', { name: 'Name' }).fill('Big disk');
  await dialog.getByRole('textbox', { name: 'Folder' }).fill('/no/such/folder');
  await dialog.getByRole('button', { name: 'Add' }).click();
  await dialog.getByText('storage/location-invalid').waitFor();
  await dialog.getByRole('textbox', { name: 'Folder' }).fill(elsewhere);
  await dialog.getByRole('button', { name: 'Add' }).click();
  await dialog.waitFor({ state: 'detached' });
  const images = page.getByRole('list', { name: 'Images' });
  await images.getByRole('button', { name: 'Move' }).click();
  await page.getByRole('menuitem', { name: 'Big disk' }).click();
  await images.getByText(/in Big disk/).waitFor();
  await page.getByRole('list', { name: 'Storage locations' }).getByText(elsewhere).waitFor();
});
