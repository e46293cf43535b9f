/**
 * Finds UEFI firmware: first through QEMU's own firmware descriptors (docs/interop/firmware.json in QEMU's tree), which distributions ship and
 * in which a user can override one file by a file of the same name, then under well-known paths.
 */
import { access, readdir, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import type { FirmwareKind, GuestSpec } from '../../../contract/guest-spec.ts';
import type { FirmwareFiles } from './capabilities.ts';

const fileAndFormat = z.object({ filename: z.string(), format: z.enum(['raw', 'qcow2']) });
const descriptor = z.object({
  'interface-types': z.array(z.string()),
  mapping: z.object({
    device: z.literal('flash'),
    executable: fileAndFormat,
    'nvram-template': fileAndFormat,
  }),
  targets: z.array(z.object({ architecture: z.string(), machines: z.array(z.string()) })),
  features: z.array(z.string()),
});
type Descriptor = z.infer<typeof descriptor>;

type Architecture = GuestSpec['architecture'];
type UefiKind = Exclude<FirmwareKind, 'bios'>;

/** Folders of descriptors, the one that wins first. QEMU installed by Homebrew keeps its own beside its binary. */
export function descriptorFolders(environment: NodeJS.ProcessEnv, qemuPath: string | null): string[] {
  const config = environment.XDG_CONFIG_HOME || join(homedir(), '.config');
  const beside = qemuPath ? [join(dirname(dirname(qemuPath)), 'share', 'qemu', 'firmware')] : [];
  return [...new Set([join(config, 'qemu', 'firmware'), '/etc/qemu/firmware', ...beside, '/usr/share/qemu/firmware'])];
}

/** Where distributions put the files when they ship no descriptors: [code, variables]. */
const wellKnown: Record<Architecture, Record<UefiKind, readonly (readonly [string, string])[]>> = {
  x86_64: {
    uefi: [
      ['/usr/share/OVMF/OVMF_CODE_4M.fd', '/usr/share/OVMF/OVMF_VARS_4M.fd'],
      ['/usr/share/OVMF/OVMF_CODE.fd', '/usr/share/OVMF/OVMF_VARS.fd'],
      ['/usr/share/edk2/ovmf/OVMF_CODE.fd', '/usr/share/edk2/ovmf/OVMF_VARS.fd'],
      ['/usr/share/edk2/x64/OVMF_CODE.4m.fd', '/usr/share/edk2/x64/OVMF_VARS.4m.fd'],
      ['/usr/share/edk2-ovmf/x64/OVMF_CODE.fd', '/usr/share/edk2-ovmf/x64/OVMF_VARS.fd'],
      ['/usr/share/qemu/ovmf-x86_64-code.bin', '/usr/share/qemu/ovmf-x86_64-vars.bin'],
      ['/opt/homebrew/share/qemu/edk2-x86_64-code.fd', '/opt/homebrew/share/qemu/edk2-i386-vars.fd'],
      ['/usr/local/share/qemu/edk2-x86_64-code.fd', '/usr/local/share/qemu/edk2-i386-vars.fd'],
    ],
    'uefi-secure': [
      ['/usr/share/OVMF/OVMF_CODE_4M.ms.fd', '/usr/share/OVMF/OVMF_VARS_4M.ms.fd'],
      ['/usr/share/OVMF/OVMF_CODE.ms.fd', '/usr/share/OVMF/OVMF_VARS.ms.fd'],
      ['/usr/share/edk2/ovmf/OVMF_CODE.secboot.fd', '/usr/share/edk2/ovmf/OVMF_VARS.secboot.fd'],
      ['/usr/share/qemu/ovmf-x86_64-smm-ms-code.bin', '/usr/share/qemu/ovmf-x86_64-smm-ms-vars.bin'],
    ],
  },
  aarch64: {
    uefi: [
      ['/usr/share/AAVMF/AAVMF_CODE.fd', '/usr/share/AAVMF/AAVMF_VARS.fd'],
      ['/usr/share/edk2/aarch64/QEMU_EFI-pflash.raw', '/usr/share/edk2/aarch64/vars-template-pflash.raw'],
      ['/opt/homebrew/share/qemu/edk2-aarch64-code.fd', '/opt/homebrew/share/qemu/edk2-arm-vars.fd'],
    ],
    'uefi-secure': [['/usr/share/AAVMF/AAVMF_CODE.ms.fd', '/usr/share/AAVMF/AAVMF_VARS.ms.fd']],
  },
};

/** The files for `kind`, or null when no usable pair is installed. Unreadable or odd descriptors are passed over. */
export async function findFirmware(kind: UefiKind, architecture: Architecture, folders: readonly string[]): Promise<FirmwareFiles | null> {
  for (const found of await readDescriptors(folders)) {
    if (!suits(found, kind, architecture)) continue;
    const { executable, 'nvram-template': template } = found.mapping;
    if (executable.format !== template.format) continue;
    if ((await readable(executable.filename)) && (await readable(template.filename))) {
      return { codePath: executable.filename, varsTemplatePath: template.filename, format: executable.format };
    }
  }
  for (const [codePath, varsTemplatePath] of wellKnown[architecture][kind]) {
    if ((await readable(codePath)) && (await readable(varsTemplatePath))) return { codePath, varsTemplatePath, format: 'raw' };
  }
  return null;
}

/** Secure Boot is worth its name only with keys enrolled; plain UEFI must not bring Secure Boot, nor need SMM. */
function suits(found: Descriptor, kind: UefiKind, architecture: Architecture): boolean {
  const has = (feature: string) => found.features.includes(feature);
  const machine = architecture === 'x86_64' ? /^pc-q35-/ : /^virt-/;
  return (
    found['interface-types'].includes('uefi') &&
    found.targets.some((target) => target.architecture === architecture && target.machines.some((name) => machine.test(name))) &&
    (kind === 'uefi-secure' ? has('secure-boot') && has('enrolled-keys') : !has('secure-boot') && !has('requires-smm'))
  );
}

/** All descriptors in the order of their file names; a name in an earlier folder hides the same name in a later one. */
async function readDescriptors(folders: readonly string[]): Promise<Descriptor[]> {
  const byName = new Map<string, string>();
  for (const folder of folders) {
    for (const name of await readdir(folder).catch(() => [])) {
      if (name.endsWith('.json') && !byName.has(name)) byName.set(name, join(folder, name));
    }
  }
  const parsed: Descriptor[] = [];
  for (const [, path] of [...byName].sort(([one], [other]) => (one < other ? -1 : 1))) {
    try {
      const text = await readFile(path, 'utf8');
      // An empty file is how an administrator hides a descriptor.
      const result = descriptor.safeParse(JSON.parse(text));
      if (result.success) parsed.push(result.data);
    } catch {}
  }
  return parsed;
}

async function readable(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
