import { expect, test } from 'vitest';
import { expectNothingSticksOut, readyApp, walkTo } from '../support/library-page.ts';
import { makeStarterGuest, untilAgent } from '../support/starter-guest.ts';
import { until } from '../support/until.ts';

test('snapshots are taken, named, deleted and brought back on the page of a guest, and a guest goes back with the present kept', async () => {
  const { page, client, call } = await readyApp();
  const { id } = await makeStarterGuest(client, 'Keeper');
  await walkTo(page, `/guests/${id}/snapshots`);
  await page.getByRole('heading', { name: 'No snapshots yet' }).waitFor();

  const take = async (name: string) => {
    await page.getByRole('button', { name: 'Take a snapshot' }).click();
    const dialog = page.getByRole('dialog', { name: 'Take a snapshot of Keeper' });
    if (name) await dialog.getByRole('textbox', { name: 'Name' }).fill(name);
    await dialog.getByRole('button', { name: 'Take the snapshot' }).click();
    await dialog.waitFor({ state: 'detached' });
  };
  const list = page.getByRole('listbox', { name: 'Snapshots, the newest first' });
  await take('Fresh');
  await list.getByRole('option', { name: 'Fresh' }).waitFor();
  await until('it is made', async () => (await call('snapshot.list', { guest: id })).snapshots[0]?.state === 'ready');
  await take('');
  await list.getByRole('option', { name: 'Snapshot 2' }).waitFor();
  await until('it is made', async () => (await call('snapshot.list', { guest: id })).snapshots.every(({ state }) => state === 'ready'));
  expect(await list.getByRole('option').allTextContents()).toEqual([
    expect.stringContaining('Now'),
    expect.stringContaining('Snapshot 2'),
    expect.stringContaining('Fresh'),
  ]);

  const details = page.getByRole('region', { name: 'Snapshot 2' });
  await details.getByRole('textbox', { name: 'Note' }).fill('before the update');
  await details.getByRole('textbox', { name: 'Name' }).fill('Updated');
  await details.getByRole('textbox', { name: 'Name' }).blur();
  await list.getByRole('option', { name: 'Updated' }).waitFor();
  await until('the note is kept', async () => (await call('snapshot.list', { guest: id })).snapshots[1]?.note === 'before the update');

  await page.getByRole('region', { name: 'Updated' }).getByRole('button', { name: 'Delete' }).click();
  await list.getByRole('option', { name: 'Updated' }).waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Undo' }).click();
  await list.getByRole('option', { name: 'Updated' }).waitFor();

  await list.getByRole('option', { name: 'Fresh' }).click();
  await page.getByRole('button', { name: 'Go back to this…' }).click();
  const question = page.getByRole('alertdialog', { name: 'Go back to “Fresh”?' });
  await question.getByRole('button', { name: 'Go back', exact: true }).click();
  await list.getByRole('option', { name: 'Before going back to “Fresh”' }).waitFor();
  await until('the present builds upon it', async () => {
    const { snapshots, currentId } = await call('snapshot.list', { guest: id });
    return snapshots.find((one) => one.id === currentId)?.name === 'Fresh';
  });
  await expectNothingSticksOut(page, 'snapshots');
});

test('how snapshots are made by themselves is said in a dialog, and the button shows that it is on', async () => {
  const { page, client, call } = await readyApp();
  const { id } = await makeStarterGuest(client, 'Keeper');
  await walkTo(page, `/guests/${id}/snapshots`);
  await page.getByRole('button', { name: 'Automatic…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Automatic snapshots' });
  await dialog.getByText('Make snapshots by themselves').click();
  await dialog.getByRole('spinbutton', { name: 'Hours' }).fill('6');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('button', { name: 'Automatic: on' }).waitFor();
  expect((await call('snapshot.list', { guest: id })).schedule).toMatchObject({ enabled: true, keepHourly: 6, keepDaily: 7 });
});

test('a snapshot with memory asks how it is opened, and goes on beside its guest', async () => {
  const { page, client, call } = await readyApp();
  const { id } = await makeStarterGuest(client, 'Keeper');
  await call('guest.start', { guest: id });
  await untilAgent(client, id);
  const { snapshot } = await call('snapshot.create', { guest: id, name: 'Moment', memory: true });
  await until('it is made', async () => (await call('snapshot.show', { snapshot: snapshot.id })).state === 'ready', 60_000);
  await walkTo(page, `/guests/${id}/snapshots`);
  await page.getByRole('button', { name: 'Open as a disposable clone…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Open “Moment”' });
  await dialog.getByText('so its network leads nowhere').waitFor();
  await dialog.getByRole('button', { name: 'Open', exact: true }).click();
  await dialog.waitFor({ state: 'detached' });
  const opened = await until('it runs', async () =>
    (await call('guest.list', {})).find((guest) => guest.disposable && guest.state.status === 'running'),
  );
  await until('its page is shown', () => page.url().includes(`/guests/${opened.id}`));
  expect(opened.spec.nics.map(({ restricted }) => restricted)).toEqual([true]);
  expect((await call('guest.show', { guest: id })).state.status).toBe('running');
  for (const guest of [opened.id, id]) await call('guest.forceOff', { guest });
});
