/** The two media that start the guest system: a disk with a partition for /home, and an ISO. */
import { copyFile, mkdir, open, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from './commands.ts';
import { firstExisting, type UnpackedTools } from './unpacked-tools.ts';

const sectorBytes = 512;
const mebibyte = 1024 * 1024;

/** Byte ranges of the disk. The first MiB holds the partition table and GRUB; /home is last, so that a larger disk can have a larger /home. */
export const diskLayout = {
  bootStart: mebibyte,
  bootSize: 31 * mebibyte,
  usrStart: 32 * mebibyte,
  usrSize: 48 * mebibyte,
  homeStart: 80 * mebibyte,
  homeSize: 944 * mebibyte,
  size: 1024 * mebibyte,
} as const;

export const isoVolumeId = 'GUESTHOUSE_STARTER';

/** The screen's sixteen colours. */
const palette = [
  ...['161b26', 'e06c75', '98c379', 'e5c07b', '61afef', 'c678dd', '56b6c2', 'd7dae0'],
  ...['6b7489', 'ef8e96', 'b5dc97', 'f0d399', '8cc6f5', 'd99bea', '80d0da', 'ffffff'],
];
const paletteArguments = ['red', 'grn', 'blu'].map(
  (name, at) => `vt.default_${name}=${palette.map((colour) => Number.parseInt(colour.slice(at * 2, at * 2 + 2), 16)).join(',')}`,
);

/**
 * The self-tests of the kernel's ciphers take a third of its start under emulation, and wiping every page that it hands out is slow there. On a
 * busy host an emulated timer may be too late for the kernel's check of it, which would then panic (“IO-APIC + timer doesn't work”).
 */
const kernelArguments = [
  'console=tty0',
  'console=ttyS0',
  'quiet',
  'cryptomgr.notests',
  'init_on_alloc=0',
  'no_timer_check',
  ...paletteArguments,
].join(' ');

/** Paths of what both media hold. */
export interface MediaParts {
  kernel: string;
  initramfs: string;
  /** For Secure Boot. */
  signedInitramfs: string;
  usrDirectory: string;
}

/**
 * A master boot record, which BIOSes and UEFI firmware both read, and which does not mind when the disk is made larger later: an EFI system
 * partition, marked active, and two Linux ones. `bootCode` is GRUB's boot.img.
 */
export function buildMasterBootRecord(bootCode: Buffer): Buffer {
  const record = Buffer.alloc(sectorBytes);
  bootCode.copy(record, 0, 0, 440);
  // As grub-install does: a jump that trusts the BIOS to name a floppy drive becomes two no-operations (grub-core/boot/i386/pc/boot.S).
  record.writeUInt16LE(0x9090, 0x66);
  record.writeUInt32LE(0x67757374, 440);
  const partitions = [
    { active: 0x80, type: 0xef, start: diskLayout.bootStart, size: diskLayout.bootSize },
    { active: 0x00, type: 0x83, start: diskLayout.usrStart, size: diskLayout.usrSize },
    { active: 0x00, type: 0x83, start: diskLayout.homeStart, size: diskLayout.homeSize },
  ];
  partitions.forEach(({ active, type, start, size }, index) => {
    const at = 446 + index * 16;
    record.writeUInt8(active, at);
    // Cylinders, heads and sectors are past their limits: readers then use the sector numbers.
    record.writeUIntBE(0xfeffff, at + 1, 3);
    record.writeUInt8(type, at + 4);
    record.writeUIntBE(0xfeffff, at + 5, 3);
    record.writeUInt32LE(start / sectorBytes, at + 8);
    record.writeUInt32LE(size / sectorBytes, at + 12);
  });
  record.writeUInt16LE(0xaa55, 510);
  return record;
}

/** GRUB's core image for BIOS with its configuration built in, so that it starts the kernel without a menu or a file of settings. */
async function makeBiosCore(tools: UnpackedTools, scratch: string, kind: 'disk' | 'iso'): Promise<string> {
  const configuration = join(scratch, `grub-${kind}.cfg`);
  const live = kind === 'iso' ? ' starter.live' : '';
  // `linux16`, because `linux` moves all the memory that the kernel will ever need for unpacking itself, byte by byte: two seconds under
  // emulation.
  await writeFile(configuration, `linux16 /vmlinuz ${kernelArguments} edd=off${live}\ninitrd16 /initrd\nboot\n`);
  const core = join(scratch, `core-${kind}.img`);
  const how =
    kind === 'disk'
      ? ['-O', 'i386-pc', '-p', '(,msdos1)/', 'biosdisk', 'part_msdos', 'fat', 'linux16']
      : ['-O', 'i386-pc-eltorito', '-p', '/', 'biosdisk', 'iso9660', 'linux16'];
  await tools.run('usr/bin/grub-mkimage', ['-d', join(tools.root, 'usr/lib/grub/i386-pc'), '-c', configuration, '-o', core, ...how]);
  return core;
}

/** Makes a FAT image and puts files and folders into it. `content` maps a path in the image to a file. */
async function makeFat(tools: UnpackedTools, image: string, sizeBytes: number, content: Readonly<Record<string, string>>): Promise<void> {
  await writeFile(image, '');
  await truncate(image, sizeBytes);
  const mtools = (command: string, args: readonly string[]) =>
    tools.run('usr/bin/mtools', ['-c', command, ...args], { environment: { MTOOLS_SKIP_CHECK: '1', SOURCE_DATE_EPOCH: '0' } });
  await mtools('mformat', [
    '-i',
    image,
    '-v',
    'STARTER',
    '-N',
    '67757374',
    '-T',
    String(sizeBytes / sectorBytes),
    '-h',
    '255',
    '-s',
    '63',
    '::',
  ]);
  const folders = new Set(
    Object.keys(content).flatMap((path) =>
      path
        .split('/')
        .slice(0, -1)
        .map((_, index, parts) => parts.slice(0, index + 1).join('/')),
    ),
  );
  for (const folder of folders) await mtools('mmd', ['-i', image, `::/${folder}`]);
  for (const [path, file] of Object.entries(content)) await mtools('mcopy', ['-i', image, file, `::/${path}`]);
}

/** GRUB's configuration for UEFI, which its own file of modules does not hold. */
async function writeUefiConfiguration(path: string, kind: 'disk' | 'iso'): Promise<void> {
  const lines = [
    'set timeout=0',
    ...(kind === 'iso' ? [`search --no-floppy --set=root --label ${isoVolumeId}`] : []),
    `linux /vmlinuz ${kernelArguments}${kind === 'iso' ? ' starter.live' : ''}`,
    // GRUB is locked down when the firmware enforces Secure Boot.
    'if [ "$lockdown" = y ]; then initrd /initrd.signed; else initrd /initrd; fi',
    'boot',
  ];
  await writeFile(path, `${lines.join('\n')}\n`);
}

/** What UEFI firmware finds: the shim that Microsoft signed and the GRUB that the shim trusts, of which there is one for disks and one for discs. */
async function uefiPrograms(tools: UnpackedTools, kind: 'disk' | 'iso'): Promise<Record<string, string>> {
  const grub = kind === 'disk' ? 'grubx64' : 'gcdx64';
  return {
    'EFI/BOOT/BOOTX64.EFI': await firstExisting(tools.root, [
      'usr/lib/shim/shimx64.efi.signed',
      'usr/lib/shim/shimx64.efi.signed.latest',
      'usr/lib/shim/shimx64.efi.dualsigned',
    ]),
    'EFI/BOOT/grubx64.efi': await firstExisting(tools.root, [
      `usr/lib/grub/x86_64-efi-signed/${grub}.efi.signed`,
      `usr/lib/grub/x86_64-efi-signed/${grub}.efi.signed.latest`,
    ]),
  };
}

/** Makes an ext4 file system with what a folder holds. */
async function makeExt4(tools: UnpackedTools, image: string, sizeBytes: number, label: string, content: string): Promise<void> {
  await writeFile(image, '');
  await truncate(image, sizeBytes);
  const mke2fs = await firstExisting(tools.root, ['usr/sbin/mke2fs', 'sbin/mke2fs']);
  await tools.run(mke2fs, [
    ...[
      '-q',
      '-F',
      '-t',
      'ext4',
      '-L',
      label,
      '-b',
      '4096',
      '-I',
      '256',
      '-m',
      '0',
      '-E',
      'lazy_itable_init=0,lazy_journal_init=0,root_owner=0:0',
    ],
    // Few inodes and a small journal keep the image small.
    ...['-O', '^64bit', '-N', String(Math.round(sizeBytes / 65536)), '-J', 'size=4', '-d', content, image],
  ]);
}

/** Makes the qcow2 disk. */
export async function makeDisk(
  tools: UnpackedTools,
  scratch: string,
  parts: MediaParts,
  homeDirectory: string,
  diskPath: string,
): Promise<void> {
  const fat = join(scratch, 'boot.fat');
  const configuration = join(scratch, 'uefi-disk.cfg');
  await writeUefiConfiguration(configuration, 'disk');
  await makeFat(tools, fat, diskLayout.bootSize, {
    vmlinuz: parts.kernel,
    initrd: parts.initramfs,
    'initrd.signed': parts.signedInitramfs,
    ...(await uefiPrograms(tools, 'disk')),
    // Where the distribution that signed GRUB has it look.
    'EFI/debian/grub.cfg': configuration,
    'EFI/ubuntu/grub.cfg': configuration,
  });
  const usr = join(scratch, 'usr.ext4');
  await makeExt4(tools, usr, diskLayout.usrSize, 'starter-usr', parts.usrDirectory);
  const home = join(scratch, 'home.ext4');
  await makeExt4(tools, home, diskLayout.homeSize, 'starter-home', homeDirectory);

  const raw = join(scratch, 'disk.raw');
  const disk = await open(raw, 'w');
  try {
    const core = await readFile(await makeBiosCore(tools, scratch, 'disk'));
    if (core.length + sectorBytes > diskLayout.bootStart) throw new Error('GRUB is too large for the gap before the first partition.');
    const record = buildMasterBootRecord(await readFile(join(tools.root, 'usr/lib/grub/i386-pc/boot.img')));
    await disk.truncate(diskLayout.size);
    await disk.write(record, 0, record.length, 0);
    // boot.img looks for the rest in the sector after itself, and the core image counts its own sectors from there.
    await disk.write(core, 0, core.length, sectorBytes);
    await copyInto(disk, fat, diskLayout.bootStart);
    await copyInto(disk, usr, diskLayout.usrStart);
    await copyInto(disk, home, diskLayout.homeStart);
  } finally {
    await disk.close();
  }
  await runCommand('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', '-c', raw, diskPath]);
}

/** Copies a file to an offset, leaving out what is all zeros. */
async function copyInto(disk: Awaited<ReturnType<typeof open>>, file: string, offset: number): Promise<void> {
  const source = await open(file);
  try {
    const block = Buffer.alloc(mebibyte);
    const zeros = Buffer.alloc(mebibyte);
    for (let at = 0; ; at += mebibyte) {
      const { bytesRead } = await source.read(block, 0, mebibyte, at);
      if (bytesRead === 0) return;
      if (block.compare(zeros, 0, bytesRead, 0, bytesRead) !== 0) await disk.write(block, 0, bytesRead, offset + at);
    }
  } finally {
    await source.close();
  }
}

/** Makes the ISO: the same system with /home in memory. Starts from BIOS and UEFI. */
export async function makeIso(tools: UnpackedTools, scratch: string, parts: MediaParts, isoPath: string): Promise<void> {
  const content = join(scratch, 'iso');
  await mkdir(join(content, 'boot'), { recursive: true });
  await copyFile(parts.kernel, join(content, 'vmlinuz'));
  await copyFile(parts.initramfs, join(content, 'initrd'));
  await copyFile(parts.signedInitramfs, join(content, 'initrd.signed'));
  await copyFile(await makeBiosCore(tools, scratch, 'iso'), join(content, 'boot', 'bios.img'));
  await makeFat(tools, join(content, 'boot', 'uefi.img'), 8 * mebibyte, await uefiPrograms(tools, 'iso'));
  // GRUB for discs takes the one that has this file for its own.
  await mkdir(join(content, '.disk'));
  await writeFile(join(content, '.disk', 'info'), `${isoVolumeId}\n`);
  await mkdir(join(content, 'boot', 'grub'));
  await writeUefiConfiguration(join(content, 'boot', 'grub', 'grub.cfg'), 'iso');
  await tools.run('usr/bin/xorriso', [
    ...['-as', 'mkisofs', '-quiet', '-V', isoVolumeId, '-r', '-J', '-graft-points', '-o', isoPath],
    ...['-b', 'boot/bios.img', '-no-emul-boot', '-boot-load-size', '4', '-boot-info-table', '--grub2-boot-info'],
    ...['-eltorito-alt-boot', '-e', 'boot/uefi.img', '-no-emul-boot', `/=${content}`, `/system=${parts.usrDirectory}`],
  ]);
}
