/**
 * Which of the kernel's modules go into the guest, and the two tables that `modprobe` reads. Debian makes those tables when a kernel is
 * installed; here it is only unpacked, so that they are made from what each module says of itself (its `.modinfo` section).
 */
import { readdir, readFile } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { runCommand } from './commands.ts';

/** What the first file system holds, so that it stays small: displays, and whatever the rest of the system may lie on. */
export const earlyModules: readonly string[] = [
  ...['virtio_pci', 'virtio_blk', 'virtio_scsi', 'ahci', 'ata_piix', 'nvme', 'sd_mod', 'sr_mod', 'usb_storage', 'uas'],
  ...['xhci_pci', 'ehci_pci', 'uhci_hcd', 'crc32c_intel', 'crc32c_generic', 'ext4', 'isofs'],
  ...['bochs', 'virtio_gpu', 'qxl', 'cirrus_qemu', 'cirrus'],
];

/** What the guest has besides. */
export const lateModules: readonly string[] = [
  // Keyboards, mice, tablets, the power button.
  ...['button', 'evdev', 'usbhid', 'hid_generic', 'psmouse', 'virtio_input', 'uinput'],
  // Networks.
  ...['virtio_net', 'e1000', 'e1000e', '8139cp', '8139too', 'vmxnet3', 'ne2k_pci', 'pcnet32', 'igb', 'af_packet'],
  // Channels to the host, its small devices and its folders.
  ...['virtio_console', 'virtio_balloon', 'virtio_rng', 'vmw_vsock_virtio_transport', 'pvpanic_pci', 'i6300esb', 'qemu_fw_cfg', 'i2c_i801'],
  ...['virtiofs', '9pnet_virtio', '9p', 'vfat', 'nls_cp437', 'nls_ascii'],
  // Sound, as plain /dev/dsp for the lack of any sound program.
  ...['snd_hda_intel', 'snd_hda_codec_generic', 'snd_intel8x0', 'snd_pcm_oss'],
];

/** Without these there is no guest worth the name. */
const essentialModules = [
  'virtio_pci',
  'virtio_blk',
  'virtio_net',
  'virtio_console',
  'ahci',
  'ext4',
  'button',
  'bochs',
  'virtio_gpu',
  'qxl',
];

export interface KernelModule {
  name: string;
  /** Relative to /lib/modules/<release>. */
  path: string;
  content: Buffer;
  needs: string[];
  aliases: string[];
}

/** Module names use either sign for the same name. */
export function moduleName(text: string): string {
  return text.replaceAll('-', '_');
}

/** The `key=value` strings of a module's `.modinfo` section: `depends` (names), `alias` (patterns), `softdep`. */
export function parseModuleInfo(content: Buffer): { needs: string[]; aliases: string[] } {
  const text = content.toString('latin1');
  const values = (key: string) => [...text.matchAll(new RegExp(`\\0${key}=([^\\0]*)`, 'g'))].map((match) => match[1] ?? '');
  const hard = values('depends').flatMap((value) => value.split(','));
  const before = values('softdep').flatMap((value) => value.match(/pre:\s*([^:]*?)(?:\s+post:|$)/)?.[1]?.split(/\s+/) ?? []);
  const needs = [...hard, ...before].filter((name) => name !== '').map(moduleName);
  return { needs: [...new Set(needs)], aliases: [...new Set(values('alias'))] };
}

async function readModule(file: string): Promise<Buffer> {
  const unpack = file.endsWith('.xz') ? 'xz' : file.endsWith('.zst') ? 'zstd' : file.endsWith('.gz') ? 'gzip' : null;
  if (unpack === null) return readFile(file);
  // busybox cannot load packed modules.
  const plain = file.replace(/\.(xz|zst|gz)$/, '');
  await runCommand(unpack, ['-d', '-k', '-f', '-q', file]);
  return readFile(plain);
}

/**
 * The wanted modules of the kernel under `modulesDirectory` (…/lib/modules/<release>) with all they need, each after what it needs.
 * Those that are built in, or that this kernel does not have, are passed over. Throws when an essential one is missing.
 */
export async function collectModules(modulesDirectory: string, wanted: readonly string[]): Promise<KernelModule[]> {
  const files = new Map<string, string>();
  for (const path of await readdir(join(modulesDirectory, 'kernel'), { recursive: true })) {
    if (/\.ko(\.(xz|zst|gz))?$/.test(path))
      files.set(moduleName(basename(path).replace(/\.ko.*$/, '')), join(modulesDirectory, 'kernel', path));
  }
  const builtIn = new Set(
    (await readFile(join(modulesDirectory, 'modules.builtin'), 'utf8')).split('\n').map((line) => moduleName(basename(line, '.ko'))),
  );
  const absent = essentialModules.filter((name) => !files.has(name) && !builtIn.has(name));
  if (absent.length > 0) throw new Error(`The kernel in ${modulesDirectory} has no module ${absent.join(', ')}.`);

  const collected = new Map<string, KernelModule>();
  const visiting = new Set<string>();
  const collect = async (name: string): Promise<void> => {
    const file = files.get(name);
    if (file === undefined || collected.has(name) || visiting.has(name)) return;
    visiting.add(name);
    const content = await readModule(file);
    const { needs, aliases } = parseModuleInfo(content);
    for (const needed of needs) await collect(needed);
    const path = relative(modulesDirectory, file).replace(/\.(xz|zst|gz)$/, '');
    collected.set(name, { name, path, content, needs: needs.filter((needed) => files.has(needed)), aliases });
  };
  for (const name of wanted) await collect(moduleName(name));
  return [...collected.values()];
}

const signatureMark = Buffer.from('~Module signature appended~\n');

/**
 * A module without the signature at its end (include/linux/module_signature.h). Checking the signatures of the early modules takes a quarter
 * of the kernel's whole start under emulation, and nobody asks for them but a kernel that was started under Secure Boot.
 */
export function withoutSignature(content: Buffer): Buffer {
  if (!content.subarray(-signatureMark.length).equals(signatureMark)) return content;
  const end = content.length - signatureMark.length;
  const headerBytes = 12;
  return content.subarray(0, end - headerBytes - content.readUInt32BE(end - 4));
}

/** modules.dep: every module's path and the paths of all it needs, nearest first, as depmod writes it. */
export function buildModulesDep(modules: readonly KernelModule[]): string {
  const byName = new Map(modules.map((module) => [module.name, module]));
  // `modules` has each one after what it needs: the reverse of that order is the one in which modprobe reads a line.
  const order = new Map(modules.map((module, index) => [module.name, index]));
  const allNeeds = (module: KernelModule, found = new Set<string>()): Set<string> => {
    for (const name of module.needs) {
      const needed = byName.get(name);
      if (needed === undefined || found.has(name)) continue;
      found.add(name);
      allNeeds(needed, found);
    }
    return found;
  };
  const lines = modules.map((module) => {
    const needs = [...allNeeds(module)].sort((a, b) => (order.get(b) ?? 0) - (order.get(a) ?? 0));
    return `${module.path}:${needs.map((name) => ` ${byName.get(name)?.path}`).join('')}`;
  });
  return `${lines.join('\n')}\n`;
}

/** modules.alias: which module drives a device with this `modalias`. */
export function buildModulesAlias(modules: readonly KernelModule[]): string {
  return modules.flatMap((module) => module.aliases.map((alias) => `alias ${alias} ${module.name}\n`)).join('');
}
