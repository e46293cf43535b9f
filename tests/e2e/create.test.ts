import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { TestApp } from '../support/app.ts';
import { readyApp, walkTo } from '../support/library-page.ts';
import { until } from '../support/until.ts';

/** A folder outside the data folder, as a person's own files are. */
function someFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'media-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The bootable ISO that set-up builds beside the starter's disk. */
async function starterIso({ call }: TestApp): Promise<string> {
  const starter = (await call('image.list', {})).find((image) => image.builtIn);
  const path = join(dirname(starter?.source ?? ''), 'starter.iso');
  if (!existsSync(path)) throw new Error(`There is no ISO at ${path}.`);
  return path;
}

test('a guest is made from an ISO as the form says, and what does not fit is said at its field and on the button', async () => {
  const app = await readyApp();
  const { page, call } = app;
  await page.getByRole('button', { name: 'New' }).click();
  await page.getByRole('menuitem', { name: 'Guest from an ISO' }).click();
  await page.getByRole('textbox', { name: 'ISO file' }).fill(await starterIso(app));
  const name = page.getByRole('textbox', { name: 'Name' });
  await name.waitFor();
  const create = page.getByRole('button', { name: /^Create/ });

  await name.fill('shop/front');
  await page.getByText('A name cannot contain a slash.').first().waitFor();
  expect(await create.getAttribute('aria-disabled')).toBe('true');
  expect(await create.evaluate((element) => document.getElementById(element.getAttribute('aria-describedby') ?? '')?.textContent)).toBe(
    'A name cannot contain a slash.',
  );

  await name.fill('Shop front');
  const memory = page.getByRole('spinbutton', { name: /^Memory/ });
  await memory.fill('99999999');
  await until('too much memory is refused', async () => (await create.getAttribute('aria-disabled')) === 'true');
  await memory.fill('384');
  await page.getByRole('spinbutton', { name: 'CPUs' }).fill('1');
  await page.getByRole('switch', { name: /Without a disk/ }).click({ force: true });
  await page.getByRole('button', { name: 'More hardware' }).click();
  await page.getByRole('button', { name: 'Add a port forward' }).click();
  await page.getByRole('spinbutton', { name: 'Port here' }).fill('52222');
  await page.getByRole('switch', { name: 'Start it when it is created' }).click({ force: true });
  await until('the form is whole', async () => (await create.getAttribute('aria-disabled')) === null);
  await create.click();

  await page.getByRole('heading', { level: 1, name: 'Shop front' }).waitFor();
  const [guest] = await call('guest.list', {});
  expect(guest?.state.status).toBe('off');
  expect(guest?.spec).toMatchObject({ name: 'Shop front', memoryMiB: 384, cpu: { sockets: 1, cores: 1, threads: 1 }, disks: [] });
  expect(guest?.spec.nics[0]?.forwards).toEqual([{ protocol: 'tcp', hostAddress: '127.0.0.1', hostPort: 52222, guestPort: 22 }]);
  expect(guest?.spec.cdDrives).toHaveLength(1);
});

test('a disk image is copied or used in place, whichever was answered', async () => {
  const app = await readyApp();
  const { page, call } = app;
  const disk = join(someFolder(), 'mine.qcow2');
  execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', disk, '64M']);
  await walkTo(page, `/new/disk?path=${encodeURIComponent(disk)}`);
  await page.getByRole('radio', { name: /Use it in place/ }).click({ force: true });
  await page.getByRole('textbox', { name: 'Name' }).fill('In place');
  await page.getByRole('switch', { name: 'Start it when it is created' }).click({ force: true });
  await page.getByRole('button', { name: 'Create', exact: true }).click();
  await page.getByRole('heading', { level: 1, name: 'In place' }).waitFor();
  expect((await call('guest.list', {}))[0]?.spec.disks[0]?.location).toEqual({ kind: 'in-place', path: disk });
});

test('a file that is no medium is refused where it was chosen, and the form stays', async () => {
  const app = await readyApp();
  const { page, call } = app;
  const text = join(someFolder(), 'letter.iso');
  writeFileSync(text, 'Dear reader,\n'.repeat(200));
  await walkTo(page, `/new/iso?path=${encodeURIComponent(text)}`);
  await page
    .getByText(/it is a text file/)
    .first()
    .waitFor();
  expect(await page.getByRole('textbox', { name: 'ISO file' }).inputValue()).toBe(text);
  expect(await page.getByRole('button', { name: /^Create/ }).getAttribute('aria-disabled')).toBe('true');
  expect(await call('guest.list', {})).toEqual([]);
});

test('a file that is dropped on the window opens the page that makes a guest of it', async () => {
  const app = await readyApp();
  const { page } = app;
  const iso = await starterIso(app);
  // A drop from outside the window cannot be made by a test driver; the file input of a page gives the same kind of File.
  const handle = await page.evaluateHandle(() => {
    const input = document.createElement('input');
    input.type = 'file';
    document.body.append(input);
    return input;
  });
  await handle.setInputFiles(iso);
  await page.evaluate((input) => {
    const transfer = new DataTransfer();
    const file = input.files?.[0];
    if (file) transfer.items.add(file);
    for (const type of ['dragenter', 'dragover', 'drop'])
      document.body.dispatchEvent(new DragEvent(type, { dataTransfer: transfer, bubbles: true, cancelable: true }));
    input.remove();
  }, handle);
  await page.getByRole('heading', { level: 1, name: 'New guest from an ISO' }).waitFor();
  expect(await page.getByRole('textbox', { name: 'ISO file' }).inputValue()).toBe(iso);
});

test('an image is imported with its progress, and deleted only after a question', async () => {
  const app = await readyApp();
  const { page, call } = app;
  const folder = someFolder();
  const disk = join(folder, 'import me.qcow2');
  execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', disk, '64M']);
  await walkTo(page, `/images?import=${encodeURIComponent(disk)}`);
  await page.getByRole('textbox', { name: 'Name' }).fill('Imported');
  const start = page.getByRole('button', { name: 'Import', exact: true });
  await until('the file was read', async () => (await start.getAttribute('aria-disabled')) === null);
  await start.click();
  await page.getByRole('row', { name: /^Imported/ }).click();
  const panel = page.getByRole('complementary', { name: 'What is known of the image' });
  await panel.getByRole('heading', { name: 'Imported' }).waitFor();
  await panel.getByRole('button', { name: 'Delete' }).click();
  const question = page.getByRole('alertdialog', { name: 'Delete the image Imported?' });
  await question.getByRole('button', { name: 'Cancel' }).click();
  expect((await call('image.list', {})).map((image) => image.name)).toContain('Imported');
  await panel.getByRole('button', { name: 'Delete' }).click();
  await question.getByRole('button', { name: 'Delete' }).click();
  await until('it is gone', async () => !(await call('image.list', {})).some((image) => image.name === 'Imported'));
  expect(readdirSync(folder)).toEqual(['import me.qcow2']);
});

test('a guest that is set up by itself has the answers of its form, says so, and gives them back', async () => {
  const app = await readyApp();
  const { page, call } = app;
  const disk = join(someFolder(), 'debian-12-genericcloud-amd64.qcow2');
  execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', disk, '1G']);
  await walkTo(page, `/new/disk?path=${encodeURIComponent(disk)}`);
  await page.getByRole('heading', { name: 'Set it up by itself' }).waitFor();
  await page.getByRole('switch', { name: /Answer for me/ }).click({ force: true });
  const create = page.getByRole('button', { name: /^Create/ });
  await until('a user is asked for', async () => (await create.getAttribute('aria-disabled')) === 'true');

  await page.getByRole('textbox', { name: 'User name' }).fill('Ann B');
  await page
    .getByText(/A user name begins with a small letter/)
    .first()
    .waitFor();
  await page.getByRole('textbox', { name: 'User name' }).fill('ann');
  await page.getByText('Nobody could sign in.').first().waitFor();
  const password = page.getByLabel('Password', { exact: true });
  await password.fill('correct-horse');
  expect(await password.getAttribute('type')).toBe('password');
  await page.getByRole('button', { name: 'Show the password' }).click();
  expect(await password.getAttribute('type')).toBe('text');
  await page.getByRole('textbox', { name: 'Host name' }).fill('web-1');
  await page.getByRole('textbox', { name: 'SSH keys' }).fill('not a key');
  await page
    .getByText(/This is no public key of SSH/)
    .first()
    .waitFor();
  await page.getByRole('textbox', { name: 'SSH keys' }).fill(`ssh-ed25519 ${'A'.repeat(68)} ann@desk`);
  await page.getByRole('switch', { name: 'Start it when it is created' }).click({ force: true });
  await until('the form is whole', async () => (await create.getAttribute('aria-disabled')) === null);
  await create.click();

  await page.getByRole('heading', { name: 'Answers for its set-up' }).waitFor();
  const [guest] = await call('guest.list', {});
  const seed = join(app.home, 'guests', guest?.id ?? '', 'seed.iso');
  const text = readFileSync(seed, 'latin1');
  expect(text).toContain('"local-hostname": "web-1"');
  expect(text).toContain('ann@desk');
  expect(text).not.toContain('correct-horse');
  await page.getByRole('button', { name: 'Remove the answers' }).click();
  await page.getByRole('heading', { name: 'Answers for its set-up' }).waitFor({ state: 'detached' });
  expect(existsSync(seed)).toBe(false);
});
