import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { hostReport } from '../../contract/host.ts';
import { createHostCapabilities } from '../../main/engine/host/host-capabilities.ts';

let home = '';
beforeEach(async () => {
  home = await mkdtemp('/tmp/gh-');
});
afterEach(() => rm(home, { recursive: true, force: true }));

function capabilities(environment: NodeJS.ProcessEnv = process.env) {
  return createHostCapabilities({
    layout: { home: join(home, 'data'), cache: join(home, 'cache') },
    settings: () => ({ qemuFolder: null, keepFreeMiB: 512 }),
    environment,
  });
}

/** A folder that holds only what is put there. */
async function qemuFolder(files: Record<string, string>): Promise<NodeJS.ProcessEnv> {
  const folder = join(home, 'qemu');
  await mkdir(folder, { recursive: true });
  for (const [name, script] of Object.entries(files)) {
    await writeFile(join(folder, name), script);
    await chmod(join(folder, name), 0o755);
  }
  return { ...process.env, GUESTHOUSE_QEMU_FOLDER: folder };
}

test('the report names QEMU, and emulation really ran the test program to its end', async () => {
  const report = hostReport.parse(await capabilities().report());
  const qemu = report.qemu.find((one) => one.architecture === 'x86_64');
  expect(qemu?.version).toMatch(/^\d+\.\d+/);
  expect(qemu?.machines).toContain('q35');
  expect(qemu?.accelerators.find((one) => one.name === 'tcg')).toMatchObject({ present: true, usable: true });
  expect(report.findings.find((one) => one.id === 'qemu/x86_64')).toMatchObject({ severity: 'ok' });
  expect(new Set(report.findings.map((one) => one.id)).size).toBe(report.findings.length);
});

test('every accelerator is either usable or has a reason and a remedy, and none that failed is ever chosen', async () => {
  const host = capabilities();
  const report = await host.report();
  for (const verdict of report.qemu[0]?.accelerators ?? []) {
    if (verdict.usable) {
      await expect(host.acceleratorFor({ architecture: 'x86_64', accelerator: verdict.name })).resolves.toBe(verdict.name);
      continue;
    }
    expect(verdict.reason.length).toBeGreaterThan(20);
    const finding = report.findings.find((one) => one.id === `accelerator/${verdict.name}`);
    expect(finding?.remedy).not.toBeNull();
    await expect(host.acceleratorFor({ architecture: 'x86_64', accelerator: verdict.name })).rejects.toMatchObject({
      error: { code: 'host/no-accelerator', path: 'accelerator' },
    });
  }
  const chosen = await host.acceleratorFor({ architecture: 'x86_64', accelerator: 'auto' });
  expect(report.qemu[0]?.accelerators.find((one) => one.name === chosen)?.usable).toBe(true);
});

test('an accelerator that the binary does not have is refused by name', async () => {
  await expect(capabilities().acceleratorFor({ architecture: 'x86_64', accelerator: 'whpx' })).rejects.toMatchObject({
    error: { code: 'host/no-accelerator' },
  });
});

test('a second report is answered from the cache, also by another engine', async () => {
  const first = await capabilities().report();
  const times: number[] = [];
  for (let round = 0; round < 5; round++) {
    const began = performance.now();
    const again = await capabilities().report();
    times.push(performance.now() - began);
    expect(again.qemu[0]?.accelerators).toEqual(first.qemu[0]?.accelerators);
  }
  // The quickest, since the computer may have much else to do; to try them all anew takes seconds.
  expect(Math.min(...times)).toBeLessThan(500);
  await expect(readFile(join(home, 'cache', 'accelerators.json'), 'utf8')).resolves.toContain('tcg');
});

test('a damaged cache is only a slow start', async () => {
  await mkdir(join(home, 'cache'), { recursive: true });
  await writeFile(join(home, 'cache', 'accelerators.json'), '{"half":');
  await writeFile(join(home, 'cache', 'qemu.json'), '[["key",{"version":7}]]');
  const report = await capabilities().report();
  expect(report.qemu).not.toEqual([]);
});

test('without QEMU the report says so, with a remedy, and everything that needs it fails by name', async () => {
  const host = capabilities(await qemuFolder({}));
  const report = await host.report();
  expect(report.qemu).toEqual([]);
  expect(report.findings.find((one) => one.id === 'qemu/x86_64')).toMatchObject({ severity: 'problem', remedy: expect.any(String) });
  expect(report.findings.find((one) => one.id === 'qemu/qemu-img')).toMatchObject({ severity: 'problem' });
  await expect(host.qemuFor('x86_64')).rejects.toMatchObject({ error: { code: 'host/no-qemu' } });
  await expect(host.qemuImgPath()).rejects.toMatchObject({ error: { code: 'host/no-qemu' } });
});

test('a QEMU without SPICE is reported as a problem of the console', async () => {
  const stub = `#!/bin/sh
case "$1 $2" in
  "--version ") exec /usr/bin/qemu-system-x86_64 --version ;;
  "-spice help") echo "$0: -spice: invalid option" >&2; exit 1 ;;
  *) exec /usr/bin/qemu-system-x86_64 "$@" ;;
esac
`;
  const host = capabilities(await qemuFolder({ 'qemu-system-x86_64': stub }));
  const report = await host.report();
  expect(report.qemu[0]).toMatchObject({ spice: false });
  expect(report.findings.find((one) => one.id === 'console/spice')).toMatchObject({ severity: 'problem', remedy: expect.any(String) });
  await expect(host.qemuFor('x86_64')).resolves.toMatchObject({ spice: false });
});

test('one broken binary is reported and leaves the others alone', async () => {
  const environment = await qemuFolder({ 'qemu-kvm': '#!/bin/sh\necho "error while loading shared libraries: libspice" >&2\nexit 127\n' });
  await symlink('/usr/bin/qemu-system-x86_64', join(home, 'qemu', 'qemu-system-x86_64'));
  const report = await capabilities(environment).report();
  expect(report.qemu.map((one) => one.architecture)).toEqual(['x86_64']);
  const broken = report.findings.find((one) => one.id === 'qemu/broken-1');
  expect(broken?.text).toContain('qemu-kvm');
  expect(broken?.detail).toContain('libspice');
});

test('a data folder that other users can enter is a warning with the command that closes it', async () => {
  await mkdir(join(home, 'data'), { mode: 0o755 });
  await chmod(join(home, 'data'), 0o755);
  const report = await capabilities().report();
  expect(report.findings.find((one) => one.id === 'permissions/store')).toMatchObject({
    severity: 'warning',
    command: `chmod 700 ${join(home, 'data')}`,
  });
});
