/**
 * The guest's system in two parts: a small one that the boot loader brings into memory, because boot loaders are slow, and the rest, which
 * Linux then reads from the disk or the ISO as /usr.
 */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { runCommand } from './commands.ts';
import type { CpioEntry } from './cpio.ts';
import {
  buildModulesAlias,
  buildModulesDep,
  collectModules,
  earlyModules,
  type KernelModule,
  lateModules,
  withoutSignature,
} from './kernel-modules.ts';
import { firstExisting, type UnpackedTools } from './unpacked-tools.ts';

/** What a started starter writes on its screen and its serial port, on a line of its own. */
export const starterBanner = 'Welcome to the Guesthouse starter';

const guestFiles = join(import.meta.dirname, 'guest');

/** Where each of our own files goes. */
const ownFiles: readonly { from: string; to: string; mode: number }[] = [
  { from: 'init', to: 'init', mode: 0o755 },
  ...['wake-devices', 'mount-disks', 'services', 'device-event', 'address-event', 'shutdown'].map((name) => ({
    from: name,
    to: `lib/starter/${name}`,
    mode: 0o755,
  })),
  { from: 'inittab', to: 'lib/starter/inittab', mode: 0o644 },
  { from: 'shutdown-command', to: 'sbin/shutdown', mode: 0o755 },
  { from: 'profile', to: 'etc/profile', mode: 0o644 },
  { from: 'os-release', to: 'etc/os-release', mode: 0o644 },
];

const smallFiles: Readonly<Record<string, string>> = {
  'etc/hostname': 'starter\n',
  'etc/hosts': '127.0.0.1 localhost starter\n::1 localhost starter\n',
  'etc/passwd': 'root:x:0:0:root:/home/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n',
  'etc/group': 'root:x:0:\ntty:x:5:\nnogroup:x:65534:\n',
  // No password fits: the shells ask for none, and ssh takes keys only.
  'etc/shadow': 'root:*:19000:0:99999:7:::\nnobody:*:19000:0:99999:7:::\n',
  'etc/shells': '/bin/sh\n',
  'etc/nsswitch.conf': 'passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n',
  'etc/acpi/PWRF/00000080': '#!/bin/sh\nexec /sbin/poweroff\n',
};

/** The screen's first page. */
function buildIssue(logo: string, kernelRelease: string): string {
  return [
    `\u001b[H\u001b[J\u001b[36m${logo.trimEnd()}\u001b[0m`,
    '',
    starterBanner,
    '',
    `\u001b[2mLinux ${kernelRelease} and busybox. You are root, and no password is asked.\u001b[0m`,
    '',
    '  Look around   \u001b[33muname -a\u001b[0m   \u001b[33mip addr\u001b[0m   \u001b[33mfree -m\u001b[0m   \u001b[33mlsmod\u001b[0m   \u001b[33mtop\u001b[0m',
    '  Keep a file   \u001b[33mvi notes.txt\u001b[0m   (all of /home outlives a restart)',
    '  Leave         \u001b[33mpoweroff\u001b[0m',
    '',
    '',
  ].join('\n');
}

/** Folders first, then everything else; every parent folder is made. */
function withFolders(entries: readonly CpioEntry[]): CpioEntry[] {
  const folders = new Set<string>();
  for (const { path, kind } of entries) {
    const parts = path.split('/');
    for (let length = 1; length < parts.length; length += 1) folders.add(parts.slice(0, length).join('/'));
    if (kind === 'directory') folders.add(path);
  }
  const directories = [...folders].sort().map((path): CpioEntry => ({ kind: 'directory', path, mode: 0o755 }));
  return [...directories, ...entries.filter((entry) => entry.kind !== 'directory')];
}

export interface GuestSystem {
  kernelRelease: string;
  /** The kernel itself, as its distribution signed it. */
  kernelPath: string;
  /** What Linux unpacks into memory: just enough to find the rest. */
  early: CpioEntry[];
  /** The same with signed modules, for Secure Boot. */
  earlySigned: CpioEntry[];
}

/** A folder as /lib/modules/<release> is: path → content. */
function moduleFiles(folder: string, modules: readonly KernelModule[]): Record<string, Buffer> {
  const files: Record<string, Buffer> = {
    [`${folder}/modules.dep`]: Buffer.from(buildModulesDep(modules)),
    [`${folder}/modules.alias`]: Buffer.from(buildModulesAlias(modules)),
  };
  for (const module of modules) files[`${folder}/${module.path}`] = module.content;
  return files;
}

/** Makes the guest's system from the unpacked packages. The part that is mounted on /usr is written to `usrDirectory`. */
export async function assembleSystem(tools: UnpackedTools, usrDirectory: string): Promise<GuestSystem> {
  const { root } = tools;
  const modulesRoot = await firstExisting(root, ['usr/lib/modules', 'lib/modules']);
  const kernelRelease = (await readdir(modulesRoot)).find((name) => /^[0-9]/.test(name));
  if (kernelRelease === undefined) throw new Error(`The unpacked kernel has no modules in ${modulesRoot}.`);
  const modulesDirectory = join(modulesRoot, kernelRelease);

  const early: CpioEntry[] = [];
  const addFile = (path: string, mode: number, content: Buffer | string) =>
    early.push({ kind: 'file', path, mode, content: Buffer.from(content) });
  const addLink = (path: string, target: string) => early.push({ kind: 'symlink', path, target });

  for (const path of ['dev', 'proc', 'sys', 'run', 'tmp', 'home', 'mnt', 'usr', 'var/log'])
    early.push({ kind: 'directory', path, mode: 0o755 });
  // The kernel opens the console before there is any file system but this one.
  early.push({ kind: 'character-device', path: 'dev/console', mode: 0o600, major: 5, minor: 1 });

  for (const { from, to, mode } of ownFiles) addFile(to, mode, await readFile(join(guestFiles, from)));
  for (const [path, text] of Object.entries(smallFiles)) addFile(path, path.startsWith('etc/acpi/') ? 0o755 : 0o644, text);
  addFile('etc/issue', 0o644, buildIssue(await readFile(join(guestFiles, 'logo'), 'utf8'), kernelRelease));
  addLink('etc/resolv.conf', '/run/resolv.conf');
  addLink('etc/mtab', '/proc/mounts');
  // Host keys live where files are kept, so that an ssh client sees the same host after a restart.
  addLink('etc/dropbear', '/home/.ssh-host-keys');

  const busybox = await firstExisting(root, ['usr/bin/busybox', 'bin/busybox']);
  addFile('bin/busybox', 0o755, await readFile(busybox));
  for (const path of (await runCommand(busybox, ['--list-full'])).split('\n')) {
    const name = basename(path);
    if (name === '' || name === 'busybox') continue;
    addLink(/(^|\/)sbin\//.test(path) ? `sbin/${name}` : `bin/${name}`, '/bin/busybox');
  }
  const modulesPath = `lib/modules/${kernelRelease}`;
  const signed = await collectModules(modulesDirectory, earlyModules);
  const unsigned = signed.map((module) => ({ ...module, content: withoutSignature(module.content) }));
  const withModules = (modules: readonly KernelModule[]): CpioEntry[] => {
    const files = Object.entries(moduleFiles(modulesPath, modules));
    return withFolders([...early, ...files.map(([path, content]): CpioEntry => ({ kind: 'file', path, mode: 0o644, content }))]);
  };
  addLink('lib64/ld-linux-x86-64.so.2', '/usr/lib/ld-linux-x86-64.so.2');

  const usr = moduleFiles(modulesPath, await collectModules(modulesDirectory, [...earlyModules, ...lateModules]));
  const programs = [
    { file: await firstExisting(root, ['usr/sbin/qemu-ga', 'usr/bin/qemu-ga']), path: 'sbin/qemu-ga' },
    { file: await firstExisting(root, ['usr/sbin/dropbear']), path: 'sbin/dropbear' },
    { file: await firstExisting(root, ['usr/bin/setfont', 'bin/setfont']), path: 'bin/setfont' },
    { file: await firstExisting(root, ['usr/sbin/resize2fs', 'sbin/resize2fs']), path: 'sbin/resize2fs' },
  ];
  for (const { file, path } of programs) {
    usr[path] = await readFile(file);
    for (const [name, library] of await tools.librariesOf(file)) usr[`lib/${name}`] = await readFile(library);
  }
  const font = await firstExisting(root, ['usr/share/consolefonts/Uni2-TerminusBold24x12.psf.gz']);
  usr['share/console.psf'] = gunzipSync(await readFile(font));
  usr['lib/ld-linux-x86-64.so.2'] = await readFile(tools.loader);
  for (const [path, content] of Object.entries(usr)) {
    await mkdir(join(usrDirectory, dirname(path)), { recursive: true, mode: 0o755 });
    await writeFile(join(usrDirectory, path), content, { mode: 0o755 });
  }

  const kernelPath = await firstExisting(root, [`boot/vmlinuz-${kernelRelease}`]);
  return { kernelRelease, kernelPath, early: withModules(unsigned), earlySigned: withModules(signed) };
}
