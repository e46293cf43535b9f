import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import type { JobId } from '../../contract/ids.ts';
import { jobEnded } from '../../contract/job.ts';
import { freshHome } from '../support/app.ts';
import { expectNothingSticksOut, readyApp, walkTo } from '../support/library-page.ts';
import { bootableDisk, ova } from '../support/ova-file.ts';
import { until } from '../support/until.ts';

const run = (program: string, ...args: string[]) => execFileSync(program, args, { stdio: ['ignore', 'pipe', 'pipe'] }).toString();

/** A machine of VMware whose disk is a partitioned one, and whose second disk is nowhere. */
function vmwareMachine(folder: string, second: boolean): string {
  mkdirSync(folder, { recursive: true });
  const raw = join(folder, 'raw.img');
  run('qemu-img', 'create', '-q', '-f', 'raw', raw, '64M');
  run('qemu-io', '-f', 'raw', '-c', 'write -P 65 1M 1M', raw);
  const table = Buffer.alloc(66);
  Buffer.from([0x80, 0, 0, 0, 0x83, 0, 0, 0, 0, 8, 0, 0, 0, 0x10, 0, 0]).copy(table);
  table.writeUInt16LE(0xaa55, 64);
  execFileSync('dd', [`of=${raw}`, 'bs=1', 'seek=446', 'conv=notrunc', 'status=none'], { input: table });
  run('qemu-img', 'convert', '-f', 'raw', '-O', 'vmdk', raw, join(folder, 'web.vmdk'));
  const lines = [
    'config.version = "8"',
    'virtualHW.version = "19"',
    'displayName = "Web server of the old rack, kept since 2014 because nobody dares to switch it off"',
    'guestOS = "debian12-64"',
    'memsize = "512"',
    'scsi0.virtualDev = "pvscsi"',
    'scsi0:0.fileName = "web.vmdk"',
    ...(second ? ['scsi0:1.fileName = "/elsewhere/data.vmdk"'] : []),
    'ethernet0.present = "TRUE"',
    'ethernet0.virtualDev = "vlance"',
    'vtpm.present = "TRUE"',
  ];
  const path = join(folder, 'web.vmx');
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
}

test('a machine is looked at, imported as it is told, and exported again from its menu', async () => {
  const { page, call, electron } = await readyApp();
  const outside = freshHome();
  const path = vmwareMachine(join(outside, 'in'), false);
  await page
    .getByRole('link', { name: /^New/ })
    .or(page.getByRole('button', { name: /^New/ }))
    .first()
    .waitFor();
  await walkTo(page, '/new');
  await page.getByRole('link', { name: /^Import a machine/ }).click();
  await page.getByRole('textbox', { name: 'Machine' }).fill(path);
  await page.getByText('The disk “web.vmdk” changes its controller').waitFor();
  await page.getByText('The machine has a TPM').waitFor();
  await expectNothingSticksOut(page, 'the import of a machine');
  expect(await call('guest.list', {})).toHaveLength(0);
  await page.getByRole('textbox', { name: 'Name' }).fill('Imported');
  await page.getByText('Try once whether the copy boots').click();
  await page.getByRole('button', { name: /^Import/ }).click();
  await page.getByText('Imported is in the library').waitFor({ timeout: 60_000 });
  await page.getByText('Whether it boots was not tried.').waitFor();
  await page.getByRole('button', { name: 'Open', exact: true }).click();
  await page.getByRole('heading', { level: 1, name: 'Imported' }).waitFor();

  const target = join(outside, 'Imported.ova');
  await electron.evaluate(({ dialog }, filePath) => {
    dialog.showSaveDialog = async () => ({ canceled: false, filePath });
  }, target);
  await page.getByRole('button', { name: 'More' }).last().click();
  await page.getByRole('menuitem', { name: 'Export…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Export Imported' });
  const submit = dialog.getByRole('button', { name: /^Export/ });
  expect(await submit.getAttribute('aria-disabled')).toBe('true');
  await dialog.getByRole('button', { name: /Format/ }).click();
  await page.getByRole('option', { name: /^OVA/ }).click();
  await dialog.getByRole('button', { name: 'Browse' }).click();
  await submit.click();
  await until('the export to be there', async () => existsSync(target), 60_000);
  expect(run('tar', '-tf', target)).toContain('Imported.ovf');

  // A second time it asks before it replaces.
  await page.getByRole('button', { name: 'More' }).last().click();
  await page.getByRole('menuitem', { name: 'Export…' }).click();
  await dialog.getByRole('textbox', { name: 'Write to' }).fill(target);
  await submit.click();
  await dialog.getByText('Replace what is there').waitFor();
});

test('what is in the way of a machine is shown, and import waits until it is allowed', async () => {
  const { page } = await readyApp();
  const path = vmwareMachine(join(freshHome(), 'in'), true);
  await walkTo(page, `/import?path=${encodeURIComponent(path)}`);
  await page.getByText('A disk cannot be imported').waitFor();
  const submit = page.getByRole('button', { name: /^Import/ });
  expect(await submit.getAttribute('aria-disabled')).toBe('true');
  await page.getByRole('textbox', { name: 'Machine' }).fill('/etc/hostname');
  await page
    .getByText(/is a text file, not a disk image/)
    .first()
    .waitFor();
});

/** Drops a file on the window. A test driver cannot drop one from outside; the file input of a page gives the same kind of File. */
async function drop(page: Page, path: string): Promise<void> {
  await page.evaluate(() => {
    const input = Object.assign(document.createElement('input'), { type: 'file', id: 'dropped' });
    document.body.append(input);
  });
  await page.locator('#dropped').setInputFiles(path);
  await page.evaluate(() => {
    const input = document.querySelector<HTMLInputElement>('#dropped');
    const transfer = new DataTransfer();
    for (const file of input?.files ?? []) transfer.items.add(file);
    for (const type of ['dragenter', 'dragover', 'drop'])
      window.dispatchEvent(new DragEvent(type, { dataTransfer: transfer, bubbles: true, cancelable: true }));
    input?.remove();
  });
}

test('an OVA that is dropped is asked about: as a machine first, or its disks as images', async () => {
  const { page, call } = await readyApp();
  const { path } = await ova(join(freshHome(), 'in'), { second: true });
  await drop(page, path);
  const choice = page.getByRole('dialog', { name: 'Import web.ova' });
  await choice.getByRole('button', { name: 'As a machine' }).click();
  await page.getByRole('heading', { level: 1, name: 'Import a machine' }).waitFor();
  await page.getByText('The disk “web-disk2.vmdk” changes its controller').waitFor();

  await drop(page, path);
  await choice.getByRole('button', { name: 'As images' }).click();
  const dialog = page.getByRole('dialog', { name: 'Import an image' });
  await dialog.getByText('Web server, disk 2').waitFor();
  await expectNothingSticksOut(page, 'the import of a machine’s disks');
  await dialog.getByRole('textbox', { name: 'Name' }).fill('Rack');
  await dialog.getByRole('button', { name: 'Import', exact: true }).click();
  await until(
    'both images to be there',
    async () => (await call('image.list', {})).filter(({ name }) => name.startsWith('Rack')).length === 2,
    60_000,
  );
  await page.getByText('Rack, disk 2').first().waitFor();
});

test('a capsule takes snapshots along unless the dialog is told not to, which says how much smaller that is', async () => {
  const { page, call } = await readyApp();
  const outside = freshHome();
  const raw = await bootableDisk(join(outside, 'disk.img'), 64, 2);
  const ended = (id: JobId) => until('the job to end', async () => jobEnded.has((await call('job.show', { job: id })).state), 60_000);
  const { guest, job } = await call('machine.import', { path: raw, name: 'Travelling', bootTest: false });
  await ended(job.id);
  for (const name of ['one', 'two']) {
    const { location } = (await call('guest.show', { guest: guest.id })).spec.disks[0] ?? {};
    const file = location?.kind === 'store' ? location.file : '';
    const { path } = (await call('image.list', {}))[0] ?? { path: '' };
    const disk = join(dirname(dirname(path)), 'guests', guest.id, file);
    run('qemu-io', '-f', 'qcow2', '-c', `write -P 9 ${name === 'one' ? '8M 20M' : '8M 21M'}`, disk);
    await ended((await call('snapshot.create', { guest: guest.id, name })).job.id);
  }
  await walkTo(page, `/guests/${guest.id}/snapshots`);
  await page.getByRole('heading', { level: 1, name: 'Travelling' }).waitFor();
  await page.getByRole('button', { name: 'More' }).last().click();
  await page.getByRole('menuitem', { name: 'Export…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Export Travelling' });
  await dialog.getByText('With its 2 snapshots').waitFor();
  await dialog.getByText(/^About \d+(\.\d+)?\sMiB\. Only what it is now would be \d+(\.\d+)?\sMiB: \d+(\.\d+)?\sMiB less\.$/).waitFor();
  await expectNothingSticksOut(page, 'the export of a guest with snapshots');
  const sizes: number[] = [];
  for (const target of [join(outside, 'all.capsule'), join(outside, 'present.capsule')]) {
    await dialog.getByRole('textbox', { name: 'Write to' }).fill(target);
    if (target.includes('present')) await dialog.getByText('With its 2 snapshots').click();
    await dialog.getByRole('button', { name: /^Export/ }).click();
    await until('the capsule to be there', () => existsSync(target), 60_000);
    sizes.push(statSync(target).size);
    if (target.includes('present')) break;
    await page.getByRole('button', { name: 'More' }).last().click();
    await page.getByRole('menuitem', { name: 'Export…' }).click();
    // Another format has no place for them.
    await dialog.getByRole('button', { name: /Format/ }).click();
    await page.getByRole('option', { name: /^OVA/ }).click();
    expect(await dialog.getByText('With its 2 snapshots').count()).toBe(0);
    await dialog.getByRole('button', { name: /Format/ }).click();
    await page.getByRole('option', { name: /^Capsule/ }).click();
  }
  expect((sizes[0] ?? 0) - (sizes[1] ?? 0)).toBeGreaterThan(15 * 2 ** 20);
  await walkTo(page, `/import?path=${encodeURIComponent(join(outside, 'all.capsule'))}`);
  await page.getByText('Its 2 snapshots come along').waitFor();
});
