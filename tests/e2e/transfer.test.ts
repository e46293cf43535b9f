import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { freshHome } from '../support/app.ts';
import { expectNothingSticksOut, readyApp, walkTo } from '../support/library-page.ts';
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

test('a machine is looked at, imported as it is told, and exported again from its menu', { timeout: 180_000 }, async () => {
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

test('what is in the way of a machine is shown, and import waits until it is allowed', { timeout: 120_000 }, async () => {
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
