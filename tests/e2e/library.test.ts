import { expect, test } from 'vitest';
import type { TestApp } from '../support/app.ts';
import { readyApp } from '../support/library-page.ts';
import { until } from '../support/until.ts';

/** A small guest without a disk image of its own: made from the starter, never started. */
async function createGuest({ call, client }: TestApp, name: string, more: { tags?: string[]; memoryMiB?: number } = {}) {
  const images = await call('image.list', {});
  const starter = images.find((image) => image.builtIn);
  if (!starter) throw new Error('The starter image is not on the list.');
  const { guest } = await client.call('guest.create', { source: { kind: 'image', imageId: starter.id }, choices: { name, ...more } });
  await until(`${name} is made`, async () => (await call('guest.show', { guest: guest.id })).state.status === 'off');
  return guest;
}

test('the empty library makes and starts the starter guest with one press, and shows its console', async () => {
  const app = await readyApp();
  const { page, call } = app;
  await page.getByRole('button', { name: 'Create and start the starter guest' }).click();
  await page.getByRole('heading', { level: 1, name: 'Starter' }).waitFor();
  await until('the guest runs', async () => (await call('guest.list', {}))[0]?.state.status === 'running', 60_000);
  await page
    .locator('.sidebar')
    .getByRole('link', { name: /^Running/ })
    .click();
  await page.getByRole('row', { name: /Starter/ }).waitFor();
  await until('its screen shows on the card', () => page.evaluate(() => document.querySelector('.thumbnail img') !== null));
});

test('filters, sorting and the view are kept, and every view has an address', async () => {
  const app = await readyApp();
  const { page } = app;
  await createGuest(app, 'Alpha', { tags: ['shop'], memoryMiB: 256 });
  await createGuest(app, 'Beta', { memoryMiB: 128 });
  const rows = page.getByRole('grid', { name: 'Guests' }).getByRole('row');
  await until('both are there', async () => (await rows.count()) === 2);

  await page.getByRole('searchbox', { name: 'Filter guests' }).fill('alp');
  await until('one is left', async () => (await rows.count()) === 1);
  await page.waitForURL(/q=alp/);
  await page.getByRole('button', { name: 'Clear filters' }).click();
  await until('both are back', async () => (await rows.count()) === 2);

  await page.getByRole('link', { name: 'shop' }).click();
  await until('the tag narrows', async () => (await rows.count()) === 1);
  await page.goBack();
  await until('back shows both', async () => (await rows.count()) === 2);

  await page.getByRole('radio', { name: 'Table' }).click();
  await page.getByRole('columnheader', { name: 'Memory' }).click();
  await until('sorted by memory', async () => (await page.getByRole('rowheader').first().textContent())?.includes('Beta') === true);
  await page.reload();
  await until(
    'sorted by memory after a reload',
    async () => (await page.getByRole('rowheader').first().textContent())?.includes('Beta') === true,
  );
  expect((await app.call('settings.get', {})).libraryView).toBe('table');
});

test('the keyboard alone finds, selects, renames, deletes, brings back and opens a guest', async () => {
  const app = await readyApp();
  const { page, call } = app;
  await createGuest(app, 'Alpha');
  await createGuest(app, 'Beta');
  const card = page.getByRole('row', { name: /Beta/ });
  await card.waitFor();

  await page.getByRole('grid', { name: 'Guests' }).focus();
  await page.keyboard.press('Home');
  await page.keyboard.type('be');
  await until('type-to-find is on Beta', () => page.evaluate(() => document.activeElement?.textContent?.includes('Beta') === true));
  await page.keyboard.press('F2');
  await page.getByRole('textbox', { name: 'Name' }).fill('Be/ta');
  await page.getByText('A name cannot contain a slash.').waitFor();
  await page.getByRole('textbox', { name: 'Name' }).fill('Gamma');
  await page.keyboard.press('Enter');
  await until('the engine knows the new name', async () => (await call('guest.list', {})).some((guest) => guest.spec.name === 'Gamma'));

  await page.getByRole('row', { name: /Gamma/ }).focus();
  await page.keyboard.press('Delete');
  await until('it is in the trash', async () => (await call('guest.list', {})).length === 1);
  await page.getByText('Gamma moved to the trash').waitFor();
  await page.getByRole('button', { name: 'Undo' }).click();
  await until('it is back', async () => (await call('guest.list', {})).length === 2);

  await page.getByRole('grid', { name: 'Guests' }).focus();
  await page.keyboard.press('Control+a');
  await page.getByRole('toolbar', { name: 'Selected guests' }).getByText('2 selected').waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('row', { name: /Gamma/ }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: 'Gamma' }).waitFor();
});

test('a selection survives what changes around it', async () => {
  const app = await readyApp();
  const { page, call } = app;
  const kept = await createGuest(app, 'Kept');
  const other = await createGuest(app, 'Other');
  await page.getByRole('row', { name: /Kept/ }).click();
  const bar = page.getByRole('toolbar', { name: 'Selected guests' });
  await bar.getByText('1 selected').waitFor();
  await call('guest.rename', { guest: kept.id, name: 'Kept still' });
  await call('guest.delete', { guest: other.id });
  await page.getByRole('row', { name: /Kept still/ }).waitFor();
  await bar.getByText('1 selected').waitFor();
  await call('guest.delete', { guest: kept.id });
  await until('nothing is selected any more', async () => (await bar.count()) === 0);
});

test('a verb that is not possible now says why, to eyes and to screen readers', async () => {
  const app = await readyApp();
  const { page } = app;
  await createGuest(app, 'Alpha');
  await page.getByRole('row', { name: /Alpha/ }).click();
  const pause = page.getByRole('toolbar', { name: 'Selected guests' }).getByRole('button', { name: 'Pause' });
  expect(await pause.getAttribute('aria-disabled')).toBe('true');
  expect(await pause.evaluate((element) => document.getElementById(element.getAttribute('aria-describedby') ?? '')?.textContent)).toBe(
    'The guest is off.',
  );
  await page.getByRole('row', { name: /Alpha/ }).click({ button: 'right' });
  const item = page.getByRole('menuitem', { name: /^Pause/ });
  expect(await item.getAttribute('aria-disabled')).toBe('true');
  expect(await item.textContent()).toContain('The guest is off.');
});

test('the menu key opens the menu of the guest that has the focus, in cards and in the table', async () => {
  const app = await readyApp();
  const { page, call } = app;
  await createGuest(app, 'Alpha', { tags: ['shop'] });
  for (const view of ['cards', 'table'] as const) {
    await call('settings.set', { libraryView: view });
    await page
      .locator(view === 'cards' ? '.card' : '.table-row')
      .first()
      .focus();
    await page.keyboard.press('ContextMenu');
    await page
      .getByRole('menu', { name: 'Alpha' })
      .getByRole('menuitem', { name: /^Rename/ })
      .waitFor();
    await page.keyboard.press('Escape');
  }
});
