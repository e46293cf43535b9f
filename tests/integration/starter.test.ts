import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { cacheDirectory, projectRoot } from '../../build/places.ts';
import { ensureStarter, type StarterMetadata, type StarterPaths } from '../../build/starter/make.ts';
import { decodePng } from '../support/png.ts';
import { type MachineChoices, type StarterMachine, startMachine } from '../support/starter-machine.ts';
import { until } from '../support/until.ts';

const run = promisify(execFile);
/** A busy computer emulates slowly: these say when to give up, not what is expected. */
const bootDeadlineMs = 180_000;
const testDeadlineMs = 400_000;

let starter: StarterPaths;
let metadata: StarterMetadata;
let folder: string;
let machine: StarterMachine | null = null;

beforeAll(async () => {
  starter = await ensureStarter(cacheDirectory(), () => undefined);
  metadata = JSON.parse(await readFile(starter.metadataPath, 'utf8')) as StarterMetadata;
}, testDeadlineMs);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gh-st-'));
});

afterEach(async () => {
  machine?.kill();
  await machine?.exited;
  machine = null;
  await rm(folder, { recursive: true, force: true });
});

afterAll(() => machine?.kill());

async function copyOfDisk(): Promise<string> {
  const disk = join(folder, 'disk.qcow2');
  await copyFile(starter.diskPath, disk);
  return disk;
}

/** Starts it and waits for the banner, on a line of its own, and for the agent. */
async function boot(choices: Omit<MachineChoices, 'folder'>): Promise<StarterMachine> {
  const started = await startMachine({ folder, ...choices });
  machine = started;
  await started.serial.until(`\n${metadata.banner}\n`, bootDeadlineMs);
  await started.agent('guest-ping');
  return started;
}

/** The exit status of QEMU, which must end by itself. */
async function ended(started: StarterMachine): Promise<number | null> {
  const status = await Promise.race([started.exited, until('QEMU to end', () => null, 60_000)]);
  machine = null;
  return status;
}

/** How many pixels of the screen are not of the colour that most are of. */
async function textPixels(started: StarterMachine): Promise<number> {
  const file = join(folder, 'screen.png');
  await started.qmp('screendump', { filename: file, format: 'png' });
  const { rgb } = decodePng(await readFile(file));
  const counts = new Map<number, number>();
  for (let at = 0; at < rgb.length; at += 3) {
    const colour = ((rgb[at] ?? 0) << 16) | ((rgb[at + 1] ?? 0) << 8) | (rgb[at + 2] ?? 0);
    counts.set(colour, (counts.get(colour) ?? 0) + 1);
  }
  return rgb.length / 3 - Math.max(...counts.values());
}

async function runInGuest(started: StarterMachine, command: string): Promise<string> {
  const { pid } = (await started.agent('guest-exec', { path: '/bin/sh', arg: ['-c', command], 'capture-output': true })) as { pid: number };
  const result = await until('the command in the guest to end', async () => {
    const status = (await started.agent('guest-exec-status', { pid })) as { exited: boolean; 'out-data'?: string };
    return status.exited ? status : null;
  });
  return Buffer.from(result['out-data'] ?? '', 'base64').toString('utf8');
}

test(
  'the starter boots from a virtio disk under BIOS, keeps files under /home, and goes off by power button and by agent',
  async () => {
    const disk = await copyOfDisk();
    const first = await boot({ medium: { disk, bus: 'virtio' }, firmware: 'bios' });
    expect(await first.agent('guest-get-osinfo')).toMatchObject({ id: metadata.os.id, 'kernel-release': metadata.kernelRelease });
    await until('an address from DHCP', async () =>
      JSON.stringify(await first.agent('guest-network-get-interfaces')).includes('10.0.2.15'),
    );
    await until('text on the screen', async () => (await textPixels(first)) > 5000);
    first.sendSerial('echo kept by the disk > kept.txt; cat kept.txt');
    await first.serial.until('\nkept by the disk\n', 30_000);
    await first.qmp('system_powerdown');
    expect(await ended(first)).toBe(0);
    await run('qemu-img', ['check', '-q', disk]);

    const second = await boot({ medium: { disk, bus: 'virtio' }, firmware: 'bios' });
    expect(await runInGuest(second, 'cat /home/root/kept.txt')).toBe('kept by the disk\n');
    void second.agent('guest-shutdown');
    expect(await ended(second)).toBe(0);
    await run('qemu-img', ['check', '-q', disk]);
  },
  testDeadlineMs,
);

test(
  'the starter boots under UEFI',
  async () => {
    const disk = await copyOfDisk();
    const started = await boot({ medium: { disk, bus: 'virtio' }, firmware: 'uefi' });
    expect(await runInGuest(started, 'ls -d /sys/firmware/efi')).toBe('/sys/firmware/efi\n');
    await until('text on the screen', async () => (await textPixels(started)) > 5000);
    await started.qmp('system_powerdown');
    expect(await ended(started)).toBe(0);
    await run('qemu-img', ['check', '-q', disk]);
  },
  testDeadlineMs,
);

test(
  'the starter boots from a SATA disk, and gives /home what was added to the disk',
  async () => {
    const disk = await copyOfDisk();
    await run('qemu-img', ['resize', '-q', disk, '3G']);
    const started = await boot({ medium: { disk, bus: 'sata' }, firmware: 'bios' });
    const sizeKiB = async () => Number((await runInGuest(started, 'df -k /home | tail -1')).split(/\s+/)[1]);
    await until('/home has grown', async () => (await sizeKiB()) > 2.7 * 1024 * 1024, 60_000);
    void started.agent('guest-shutdown');
    expect(await ended(started)).toBe(0);
    await run('qemu-img', ['check', '-q', disk]);
  },
  testDeadlineMs,
);

test.each(['bios', 'uefi'] as const)(
  'the ISO of the starter boots from %s, with /home in memory',
  async (firmware) => {
    const started = await boot({ medium: { iso: starter.isoPath }, firmware });
    expect(await runInGuest(started, 'grep " /home " /proc/mounts')).toContain('tmpfs');
    await started.qmp('system_powerdown');
    expect(await ended(started)).toBe(0);
  },
  testDeadlineMs,
);

test(
  'without a network the build names every package that it lacks',
  async () => {
    // Nothing listens on port 9.
    const proxy = 'http://127.0.0.1:9';
    const environment = { ...process.env, GUESTHOUSE_CACHE: folder, http_proxy: proxy, https_proxy: proxy };
    const script = join(projectRoot, 'build/starter/make.ts');
    const failure = await run(process.execPath, [script], { env: environment }).catch((error: { code: number; stderr: string }) => error);
    expect(failure).toMatchObject({ code: 1 });
    expect(failure.stderr).toMatch(/The starter guest cannot be made\..*busybox-static=\S+.*qemu-guest-agent=/);
  },
  testDeadlineMs,
);
