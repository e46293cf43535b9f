/** Variables of UEFI firmware that come along with a machine of another product, and those that do not. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { copyFile, mkdir, open, readFile, rename, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { MachineFinding } from '../../contract/machine.ts';
import { diskOf, specOf } from '../../main/engine/drivers/qemu/arguments/golden-specs.ts';
import { openRooms, type Rooms } from '../support/engine-rooms.ts';

const run = (program: string, ...args: string[]) => execFileSync(program, args, { stdio: ['ignore', 'pipe', 'pipe'] }).toString();

async function rooms(): Promise<Rooms> {
  const opened = await openRooms({ settings: { keepFreeMiB: 0 } });
  onTestFinished(() => opened.close());
  return opened;
}

/** Variables as a firmware wrote to them: those of the firmware here, with something in their free space. */
async function written(engine: Rooms, path: string): Promise<string> {
  const firmware = await engine.host.firmwareFor('uefi', 'x86_64');
  await copyFile(firmware?.varsTemplatePath ?? '', path);
  const file = await open(path, 'r+');
  await file.write(Buffer.alloc(64, 7), 0, 64, 0x10000);
  await file.close();
  return path;
}

async function folderWithDisk(engine: Rooms, name: string): Promise<string> {
  const folder = join(engine.home, name);
  await mkdir(folder, { recursive: true });
  run('qemu-img', 'create', '-q', '-f', 'qcow2', join(folder, 'disk.qcow2'), '64M');
  return folder;
}

type Nvram = { path: string; format?: 'raw' | 'qcow2'; firmware?: string };

async function libvirtMachine(
  engine: Rooms,
  name: string,
  { path, format, firmware = "<loader type='pflash'>/x/OVMF_CODE.fd</loader>" }: Nvram,
): Promise<string> {
  const folder = await folderWithDisk(engine, name);
  const file = join(folder, 'machine.xml');
  const nvram = `<nvram${format ? ` format='${format}'` : ''}>${path}</nvram>`;
  await writeFile(
    file,
    `<domain type='kvm'><name>${name}</name><memory unit='MiB'>512</memory><vcpu>1</vcpu>
     <os><type arch='x86_64' machine='q35'>hvm</type>${firmware}${nvram}</os>
     <devices><disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='disk.qcow2'/><target dev='vda' bus='virtio'/></disk></devices>
     </domain>`,
  );
  return file;
}

const variablesIn = async (engine: Rooms, path: string): Promise<MachineFinding | undefined> =>
  (await engine.transfer.inspect({ path })).findings.find(({ id }) => id === 'machine/variables');

async function imported(engine: Rooms, path: string, trustPaths = false): Promise<string> {
  const { guest, job } = await engine.transfer.import({ path, bootTest: false, trustPaths }, 'root via test');
  expect(await engine.jobs.ended(job.id)).toMatchObject({ state: 'succeeded', error: null });
  return engine.layout.guest(guest.id).nvram;
}

test('variables of UTM come along byte by byte, and those of libvirt in the format of the firmware here', async () => {
  const engine = await rooms();
  const bundle = join(engine.home, 'Web.utm');
  await mkdir(join(bundle, 'Data'), { recursive: true });
  run('qemu-img', 'create', '-q', '-f', 'qcow2', join(bundle, 'Data', 'disk.qcow2'), '64M');
  await writeFile(
    join(bundle, 'config.plist'),
    `<?xml version="1.0"?><plist version="1.0"><dict><key>Backend</key><string>QEMU</string>
     <key>Information</key><dict><key>Name</key><string>Web</string></dict>
     <key>System</key><dict><key>Architecture</key><string>x86_64</string><key>MemorySize</key><integer>512</integer></dict>
     <key>QEMU</key><dict><key>UEFIBoot</key><true/></dict>
     <key>Drive</key><array><dict><key>ImageType</key><string>Disk</string><key>ImageName</key><string>disk.qcow2</string><key>Interface</key><string>VirtIO</string></dict></array>
     </dict></plist>`,
  );
  const theirs = await written(engine, join(bundle, 'Data', 'efi_vars.fd'));
  expect(await variablesIn(engine, bundle)).toMatchObject({ severity: 'ok' });
  expect(readFileSync(await imported(engine, bundle))).toEqual(readFileSync(theirs));

  const raw = await written(engine, join(engine.home, 'vars.fd'));
  const packed = await libvirtMachine(engine, 'packed', { path: 'vars.qcow2', format: 'qcow2' });
  run('qemu-img', 'convert', '-f', 'raw', '-O', 'qcow2', raw, join(engine.home, 'packed', 'vars.qcow2'));
  expect(await variablesIn(engine, packed)).toMatchObject({ severity: 'ok' });
  const nvram = await imported(engine, packed);
  const { format } = (await engine.host.firmwareFor('uefi', 'x86_64')) ?? {};
  expect(run('qemu-img', 'compare', '-f', 'raw', '-F', format ?? '', raw, nvram)).toContain('identical');
});

test('variables that do not fit stay behind, and the finding says why', async () => {
  const engine = await rooms();
  const cases: [string, (path: string) => Promise<unknown>, RegExp][] = [
    ['small', (path) => writeFile(path, Buffer.alloc(0)), /does not begin as/],
    ['noise', (path) => writeFile(path, Buffer.alloc(540_672, 9)), /does not begin as/],
    [
      'half',
      async (path) => writeFile(path, (await readFile(await written(engine, join(engine.home, 'whole.fd')))).subarray(0, 131_072)),
      /has 128 KiB, and the firmware here keeps its variables in \d+ KiB/,
    ],
    [
      'other',
      async (path) => {
        const bytes = await readFile(await written(engine, join(engine.home, 'whole.fd')));
        // The store in the volume is of another kind.
        bytes.fill(1, bytes.readUInt16LE(48), bytes.readUInt16LE(48) + 16);
        await writeFile(path, bytes);
      },
      /laid out otherwise/,
    ],
    ['none', async () => undefined, /is not there/],
    ['folder', (path) => mkdir(path), /no file of such variables/],
  ];
  for (const [name, make, why] of cases) {
    const machine = await libvirtMachine(engine, name, { path: 'vars.fd' });
    await make(join(engine.home, name, 'vars.fd'));
    const finding = await variablesIn(engine, machine);
    expect([name, finding?.severity, finding?.text]).toEqual([name, 'info', expect.stringMatching(why)]);
    expect([name, existsSync(await imported(engine, machine))]).toEqual([name, false]);
  }
});

test('variables with a backing file are not opened by anybody', async () => {
  const engine = await rooms();
  const machine = await libvirtMachine(engine, 'backed', { path: 'vars.qcow2', format: 'qcow2' });
  run('qemu-img', 'create', '-q', '-f', 'qcow2', '-u', '-b', '/etc/shadow', '-F', 'raw', join(engine.home, 'backed', 'vars.qcow2'), '528k');
  expect((await variablesIn(engine, machine))?.text).toContain('/etc/shadow, which is not followed');
  expect(existsSync(await imported(engine, machine))).toBe(false);
  // What is said to be raw is raw: then it does not begin as variables do.
  const raw = await libvirtMachine(engine, 'said-raw', { path: '../backed/vars.qcow2' });
  expect((await variablesIn(engine, raw))?.text).toContain('outside its own folder');
});

test('variables outside the folder, or behind a link out of it, come along only when that is allowed', async () => {
  const engine = await rooms();
  const outside = await written(engine, join(engine.home, 'outside.fd'));
  const named = await libvirtMachine(engine, 'named', { path: outside });
  const linked = await libvirtMachine(engine, 'linked', { path: 'vars.fd' });
  await symlink(outside, join(engine.home, 'linked', 'vars.fd'));
  for (const machine of [named, linked]) {
    const report = await engine.transfer.inspect({ path: machine });
    expect(report.outsideFiles).toEqual([outside]);
    // They are not needed, so they are no reason not to import.
    expect(report.findings.filter(({ severity }) => severity === 'problem')).toEqual([]);
    expect(existsSync(await imported(engine, machine))).toBe(false);
    expect(readFileSync(await imported(engine, machine, true))).toEqual(readFileSync(outside));
  }
});

test('of VMware and VirtualBox it is said that their variables are of another kind, and of a BIOS nothing', async () => {
  const engine = await rooms();
  const folder = await folderWithDisk(engine, 'vm');
  run('qemu-img', 'convert', '-f', 'qcow2', '-O', 'vmdk', join(folder, 'disk.qcow2'), join(folder, 'disk.vmdk'));
  const vmx = join(folder, 'vm.vmx');
  const lines = ['config.version = "8"', 'firmware = "efi"', 'nvram = "vm.nvram"', 'sata0:0.fileName = "disk.vmdk"', 'memsize = "512"'];
  await writeFile(vmx, lines.join('\n'));
  expect((await variablesIn(engine, vmx))?.text).toContain('VMware keeps them in a format of its own');
  await writeFile(vmx, lines.filter((line) => !line.startsWith('firmware')).join('\n'));
  expect(await variablesIn(engine, vmx)).toBeUndefined();
  const vbox = join(folder, 'vm.vbox');
  await writeFile(
    vbox,
    `<VirtualBox><Machine name="vm"><Hardware><Memory RAMSize="512"/><Firmware type="EFI"/><NVRAM path="vm.nvram"/>
     <StorageControllers><StorageController type="AHCI"><AttachedDevice type="HardDisk"><Image uuid="{a}"/></AttachedDevice></StorageController></StorageControllers>
     </Hardware><MediaRegistry><HardDisks><HardDisk uuid="{a}" location="disk.vmdk" format="VMDK"/></HardDisks></MediaRegistry></Machine></VirtualBox>`,
  );
  expect((await variablesIn(engine, vbox))?.text).toContain('VirtualBox keeps them in a format of its own');
});

test('variables in a capsule that do not fit the firmware here are taken and told', async () => {
  const engine = await rooms();
  const folder = await folderWithDisk(engine, 'capsule');
  const spec = specOf({ firmware: 'uefi', nics: [], disks: [diskOf({ sizeBytes: 64 * 2 ** 20 })] });
  const hash = (file: string) => run('sha256sum', join(folder, file)).slice(0, 64);
  const capsuleWith = async (make: (path: string) => Promise<unknown>): Promise<string> => {
    await make(join(folder, 'nvram.fd'));
    const entry = async (name: string, role: string, diskId: string | null) => ({
      name,
      role,
      diskId,
      sizeBytes: (await stat(join(folder, name))).size,
      sha256: hash(name),
    });
    const files = [await entry('disk.qcow2', 'disk', 'disk0'), await entry('nvram.fd', 'nvram', null)];
    const manifest = { capsule: 1, madeBy: 'a test', exportedAt: '2026-01-01T00:00:00.000Z', spec, files, snapshots: [] };
    await writeFile(join(folder, 'capsule.json'), JSON.stringify(manifest));
    const path = join(engine.home, 'it.capsule');
    run('tar', '-C', folder, '--format=ustar', '-cf', path, 'capsule.json', 'disk.qcow2', 'nvram.fd');
    return path;
  };
  const told = async (path: string) => (await engine.transfer.inspect({ path })).findings.find(({ id }) => id === 'capsule/variables');
  const fits = await capsuleWith((path) => written(engine, path));
  expect(await told(fits)).toBeUndefined();
  expect(readFileSync(await imported(engine, fits))).toEqual(readFileSync(join(folder, 'nvram.fd')));
  const small = await capsuleWith((path) => truncate(path, 131_072));
  expect(await told(small)).toMatchObject({ severity: 'warning', text: expect.stringContaining('128 KiB') });
  const packed = await capsuleWith(async (path) => {
    await rename(path, `${path}.raw`);
    run('qemu-img', 'convert', '-f', 'raw', '-O', 'qcow2', `${path}.raw`, path);
  });
  expect((await told(packed))?.text).toContain('They are qcow2');
});
