/** Which command installs what is missing, on the systems whose package names are known. */
import { readFile } from 'node:fs/promises';

export type Component =
  | 'qemu-x86_64'
  | 'qemu-aarch64'
  | 'qemu-img'
  | 'spice'
  | 'uefi-x86_64'
  | 'uefi-aarch64'
  | 'swtpm'
  | 'virtiofsd'
  | 'ssh'
  | 'osinfo'
  | 'xorriso'
  | 'openssl'
  | 'gpgv'
  | 'virt-v2v'
  | 'libguestfs';

export type PackageTool = 'apt' | 'dnf' | 'pacman' | 'zypper' | 'brew' | null;

const packages: Record<Component, Partial<Record<NonNullable<PackageTool>, string>>> = {
  'qemu-x86_64': {
    apt: 'qemu-system-x86 qemu-utils',
    dnf: 'qemu-system-x86-core qemu-img',
    pacman: 'qemu-system-x86 qemu-img',
    zypper: 'qemu-x86 qemu-tools',
    brew: 'qemu',
  },
  'qemu-aarch64': {
    apt: 'qemu-system-arm',
    dnf: 'qemu-system-aarch64-core',
    pacman: 'qemu-system-aarch64',
    zypper: 'qemu-arm',
    brew: 'qemu',
  },
  'qemu-img': { apt: 'qemu-utils', dnf: 'qemu-img', pacman: 'qemu-img', zypper: 'qemu-tools', brew: 'qemu' },
  spice: {
    apt: 'qemu-system-modules-spice',
    dnf: 'qemu-ui-spice-core qemu-char-spice qemu-audio-spice qemu-device-display-qxl',
    pacman: 'qemu-ui-spice-core qemu-chardev-spice qemu-audio-spice qemu-hw-display-qxl',
    zypper: 'qemu-spice',
  },
  'uefi-x86_64': { apt: 'ovmf', dnf: 'edk2-ovmf', pacman: 'edk2-ovmf', zypper: 'qemu-ovmf-x86_64', brew: 'qemu' },
  'uefi-aarch64': { apt: 'qemu-efi-aarch64', dnf: 'edk2-aarch64', pacman: 'edk2-aarch64', zypper: 'qemu-uefi-aarch64', brew: 'qemu' },
  swtpm: { apt: 'swtpm swtpm-tools', dnf: 'swtpm swtpm-tools', pacman: 'swtpm', zypper: 'swtpm', brew: 'swtpm' },
  virtiofsd: { apt: 'virtiofsd', dnf: 'virtiofsd', pacman: 'virtiofsd', zypper: 'virtiofsd' },
  ssh: { apt: 'openssh-client', dnf: 'openssh-clients', pacman: 'openssh', zypper: 'openssh-clients' },
  osinfo: { apt: 'osinfo-db', dnf: 'osinfo-db', pacman: 'osinfo-db', zypper: 'osinfo-db', brew: 'osinfo-db' },
  xorriso: { apt: 'xorriso', dnf: 'xorriso', pacman: 'libisoburn', zypper: 'xorriso', brew: 'xorriso' },
  gpgv: { apt: 'gpgv', dnf: 'gnupg2', pacman: 'gnupg', zypper: 'gpg2', brew: 'gnupg' },
  'virt-v2v': { apt: 'virt-v2v nbdkit', dnf: 'virt-v2v', pacman: 'virt-v2v', zypper: 'virt-v2v' },
  libguestfs: { apt: 'libguestfs-tools', dnf: 'guestfs-tools guestfish', pacman: 'guestfs-tools', zypper: 'guestfs-tools guestfish' },
  openssl: { apt: 'openssl', dnf: 'openssl', pacman: 'openssl', zypper: 'openssl', brew: 'openssl' },
};

const installCommands: Record<NonNullable<PackageTool>, string> = {
  apt: 'apt-get install -y',
  dnf: 'dnf install -y',
  pacman: 'pacman -S --needed',
  zypper: 'zypper install -y',
  brew: 'brew install',
};

export type System = { tool: PackageTool; id: string; versionId: string; isRoot: boolean };

export async function readSystem(osReleasePath = '/etc/os-release'): Promise<System> {
  const isRoot = process.getuid?.() === 0;
  if (process.platform === 'darwin') return { tool: 'brew', id: 'macos', versionId: '', isRoot };
  const text = await readFile(osReleasePath, 'utf8').catch(() => '');
  return { ...parseOsRelease(text), isRoot };
}

/** The package tool of a system by its os-release file. */
export function parseOsRelease(text: string): Pick<System, 'tool' | 'id' | 'versionId'> {
  const field = (name: string) => new RegExp(`^${name}=(?:"([^"]*)"|(.*))$`, 'm').exec(text)?.slice(1).find(Boolean)?.trim() ?? '';
  const id = field('ID');
  const family = [id, ...field('ID_LIKE').split(/\s+/)];
  const is = (...names: string[]) => names.some((name) => family.includes(name));
  const tool = is('debian', 'ubuntu')
    ? 'apt'
    : is('fedora', 'rhel', 'centos')
      ? 'dnf'
      : is('arch')
        ? 'pacman'
        : is('suse', 'opensuse', 'sles')
          ? 'zypper'
          : null;
  return { tool, id, versionId: field('VERSION_ID') };
}

/** A command to copy, or null where the names are not known. */
export function installCommand(component: Component, system: System): string | null {
  if (!system.tool) return null;
  const names = debianNames(component, system) ?? packages[component][system.tool];
  if (!names) return null;
  const command = `${installCommands[system.tool]} ${names}`;
  return system.tool === 'brew' || system.isRoot ? command : `sudo ${command}`;
}

/** Up to Debian 12 and Ubuntu 22.04, QEMU's modules and virtiofsd are parts of other packages. */
function debianNames(component: Component, system: System): string | null {
  if (system.tool !== 'apt') return null;
  const old = (system.id === 'debian' && Number(system.versionId) <= 12) || (system.id === 'ubuntu' && Number(system.versionId) < 23.1);
  if (!old) return null;
  if (component === 'spice') return 'qemu-system-common qemu-system-gui';
  if (component === 'virtiofsd') return 'qemu-system-common';
  return null;
}
