/** The doctor's words: turns what was found out about this computer into findings with remedies. Pure. */
import type { Finding } from '../../../contract/host.ts';
import { acceleratorFindings } from './accelerator-findings.ts';
import { finding, type HostFacts, missing } from './finding-parts.ts';
import { type Component, installCommand } from './packages.ts';

/** Everything the doctor has to say, the most important areas first. */
export function buildFindings(facts: HostFacts): Finding[] {
  return [
    ...qemuFindings(facts),
    ...acceleratorFindings(facts),
    ...firmwareFindings(facts),
    ...consoleFindings(facts),
    ...deviceFindings(facts),
    ...toolFindings(facts),
    ...storageFindings(facts),
    ...computerFindings(facts),
  ];
}

function qemuFindings(facts: HostFacts): Finding[] {
  const all: Finding[] = [];
  for (const architecture of ['x86_64', 'aarch64'] as const) {
    const found = facts.qemu.filter((one) => one.described.architecture === architecture);
    const [first] = found;
    const native = architecture === facts.architecture;
    if (first) {
      const others = found.slice(1).map((one) => `${one.described.path} (${one.described.version})`);
      all.push(
        finding({
          id: `qemu/${architecture}`,
          area: 'qemu',
          title: `QEMU for ${architecture}`,
          text: `QEMU ${first.described.version} at ${first.described.path}, with ${first.described.machines.length} machine types and ${first.described.cpuModels.length} processor models.${others.length > 0 ? ` Also found, but not used: ${others.join(', ')}.` : ''}`,
        }),
      );
    } else {
      all.push(
        missing(
          facts,
          `qemu-${architecture}`,
          {
            id: `qemu/${architecture}`,
            area: 'qemu',
            severity: native ? 'problem' : 'info',
            title: `QEMU for ${architecture}`,
            text: native
              ? `No usable QEMU for ${architecture} was found, so no guest can start. Searched: ${facts.searchedFolders.join(', ')}.`
              : `No QEMU for ${architecture} is installed. It is only needed for guests of that architecture.`,
          },
          `Install QEMU${native ? ', or name its folder in the settings' : ` if you want ${architecture} guests`}.`,
        ),
      );
    }
  }
  for (const [index, broken] of facts.brokenQemu.entries()) {
    all.push(
      finding({
        id: `qemu/broken-${index + 1}`,
        area: 'qemu',
        severity: 'warning',
        title: 'A QEMU that does not work',
        text: `${broken.path} is left out. ${broken.reason}`,
        remedy: 'Reinstall that QEMU or remove it.',
        detail: broken.detail,
      }),
    );
  }
  all.push(
    facts.qemuImg
      ? finding({ id: 'qemu/qemu-img', area: 'qemu', title: 'Disk image tool', text: `qemu-img at ${facts.qemuImg}.` })
      : missing(
          facts,
          'qemu-img',
          {
            id: 'qemu/qemu-img',
            area: 'qemu',
            severity: 'problem',
            title: 'Disk image tool',
            text: 'qemu-img was not found, so no disk can be made, copied or checked.',
          },
          'Install qemu-img; it belongs to the same version as QEMU.',
        ),
  );
  return all;
}

function firmwareFindings(facts: HostFacts): Finding[] {
  const x86 = facts.qemu.some((one) => one.described.architecture === 'x86_64');
  const component: Component = facts.architecture === 'x86_64' ? 'uefi-x86_64' : 'uefi-aarch64';
  const { uefi, uefiSecure } = facts.firmware;
  const all: Finding[] = [];
  if (x86) all.push(finding({ id: 'firmware/bios', area: 'firmware', title: 'BIOS', text: 'SeaBIOS comes with QEMU.' }));
  all.push(
    uefi
      ? finding({ id: 'firmware/uefi', area: 'firmware', title: 'UEFI', text: `${uefi.codePath}` })
      : missing(
          facts,
          component,
          { id: 'firmware/uefi', area: 'firmware', title: 'UEFI', text: 'No UEFI firmware is installed. Guests can only boot with BIOS.' },
          'Install the UEFI firmware for QEMU.',
        ),
    uefiSecure
      ? finding({
          id: 'firmware/uefi-secure',
          area: 'firmware',
          title: 'UEFI with Secure Boot',
          text: `${uefiSecure.codePath}, with Microsoft’s keys enrolled in ${uefiSecure.varsTemplatePath}`,
        })
      : missing(
          facts,
          component,
          {
            id: 'firmware/uefi-secure',
            area: 'firmware',
            title: 'UEFI with Secure Boot',
            text: 'No UEFI firmware with Secure Boot and enrolled keys is installed. Windows 11 asks for it.',
          },
          'Install the UEFI firmware for QEMU.',
        ),
    facts.swtpm
      ? finding({ id: 'tpm/swtpm', area: 'tpm', title: 'TPM 2.0', text: `swtpm at ${facts.swtpm}.` })
      : missing(
          facts,
          'swtpm',
          { id: 'tpm/swtpm', area: 'tpm', title: 'TPM 2.0', text: 'The TPM emulator swtpm is not installed. Windows 11 asks for a TPM.' },
          'Install swtpm.',
        ),
  );
  return all;
}

function consoleFindings(facts: HostFacts): Finding[] {
  const all: Finding[] = [];
  const [main] = facts.qemu;
  if (main) {
    all.push(
      main.described.spice
        ? finding({
            id: 'console/spice',
            area: 'console',
            title: 'SPICE console',
            text: `QEMU ${main.described.version} was built with SPICE.`,
          })
        : missing(
            facts,
            'spice',
            {
              id: 'console/spice',
              area: 'console',
              severity: 'problem',
              title: 'SPICE console',
              text: `${main.described.path} has no SPICE: guests cannot show their screen here.`,
            },
            'Install QEMU’s SPICE module, or a QEMU that was built with SPICE and name its folder in the settings.',
          ),
    );
  }
  all.push(
    facts.ssh
      ? finding({ id: 'console/ssh', area: 'console', title: 'SSH', text: `ssh at ${facts.ssh}.` })
      : missing(
          facts,
          'ssh',
          {
            id: 'console/ssh',
            area: 'console',
            severity: 'info',
            title: 'SSH',
            text: 'No ssh program was found: a guest’s SSH terminal is not available.',
          },
          'Install an SSH client.',
        ),
  );
  return all;
}

/** Devices that guests get by default, and what is lost without them. */
const wantedDevices: { id: string; title: string; names: string[]; loss: string }[] = [
  {
    id: 'devices/virtio',
    title: 'virtio devices',
    names: [
      'virtio-blk-pci',
      'virtio-net-pci',
      'virtio-scsi-pci',
      'virtio-serial-pci',
      'virtserialport',
      'virtio-rng-pci',
      'virtio-balloon-pci',
    ],
    loss: 'Linux guests get slower devices and no guest agents.',
  },
  { id: 'devices/video', title: 'Video devices', names: ['virtio-vga', 'qxl-vga', 'VGA'], loss: 'Guests get a plainer screen.' },
  { id: 'devices/usb', title: 'USB', names: ['qemu-xhci', 'usb-tablet'], loss: 'The pointer of a guest has to be grabbed.' },
  { id: 'devices/sound', title: 'Sound', names: ['ich9-intel-hda', 'hda-duplex'], loss: 'Guests have no sound.' },
];

function deviceFindings(facts: HostFacts): Finding[] {
  const main = facts.qemu.find((one) => one.described.architecture === 'x86_64');
  if (!main) return [];
  const has = new Set(main.described.devices);
  const all = wantedDevices.map(({ id, title, names, loss }) => {
    const absent = names.filter((name) => !has.has(name));
    if (absent.length === 0) return finding({ id, area: 'devices', title, text: `QEMU has all that guests use: ${names.join(', ')}.` });
    return finding({
      id,
      area: 'devices',
      severity: 'warning',
      title,
      text: `This QEMU has no ${absent.join(', ')}. ${loss}`,
      remedy: 'Install QEMU’s device modules, or a fuller build of QEMU.',
      command: installCommand('spice', facts.system),
    });
  });
  all.push(
    main.described.userNetworking
      ? finding({ id: 'network/user', area: 'network', title: 'Network without rights', text: 'QEMU has user-mode networking (slirp).' })
      : finding({
          id: 'network/user',
          area: 'network',
          severity: 'problem',
          title: 'Network without rights',
          text: 'This QEMU was built without user-mode networking (slirp): guests have no network.',
          remedy: 'Install a QEMU that was built with slirp.',
        }),
  );
  return all;
}

function toolFindings(facts: HostFacts): Finding[] {
  return [
    facts.virtiofsd
      ? finding({ id: 'sharing/virtiofsd', area: 'sharing', title: 'Shared folders', text: `virtiofsd at ${facts.virtiofsd}.` })
      : missing(
          facts,
          'virtiofsd',
          {
            id: 'sharing/virtiofsd',
            area: 'sharing',
            severity: 'info',
            title: 'Shared folders',
            text: 'virtiofsd is not installed. It shares folders with guests.',
          },
          'Install virtiofsd.',
        ),
    facts.osinfo
      ? finding({
          id: 'app/osinfo-db',
          area: 'app',
          title: 'Recognising operating systems',
          text: `libosinfo’s database of ${facts.osinfo.version} at ${facts.osinfo.folder}.`,
        })
      : missing(
          facts,
          'osinfo',
          {
            id: 'app/osinfo-db',
            area: 'app',
            severity: 'info',
            title: 'Recognising operating systems',
            text: 'libosinfo’s database is not installed. Only the most common operating systems are recognised.',
          },
          'Install osinfo-db.',
        ),
    facts.xorriso
      ? finding({ id: 'app/xorriso', area: 'app', title: 'Setting systems up by themselves', text: `xorriso at ${facts.xorriso}.` })
      : missing(
          facts,
          'xorriso',
          {
            id: 'app/xorriso',
            area: 'app',
            severity: 'info',
            title: 'Setting systems up by themselves',
            text: 'xorriso is not installed. It makes the discs with the answers that installers read.',
          },
          'Install xorriso.',
        ),
    facts.gpgv
      ? finding({ id: 'app/gpgv', area: 'app', title: 'OpenPGP signatures of downloads', text: `gpgv at ${facts.gpgv}.` })
      : missing(
          facts,
          'gpgv',
          {
            id: 'app/gpgv',
            area: 'app',
            severity: 'info',
            title: 'OpenPGP signatures of downloads',
            text: 'gpgv is not installed. With it the signatures of most Linux distributions are checked, not only their checksums.',
          },
          'Install gpgv if you want them checked.',
        ),
    ...guestfsFindings(facts),
  ];
}

/** Tools that nothing needs, and what they add. */
function guestfsFindings(facts: HostFacts): Finding[] {
  const { virtV2v, virtV2vInPlace, nbdkit, virtInspector, guestfish } = facts.guestfs;
  const reading = { id: 'app/virt-inspector', area: 'app', title: 'Reading more file systems' } as const;
  const v2v = virtV2vInPlace ?? virtV2v;
  const conversion = { id: 'app/virt-v2v', area: 'app', title: 'Drivers for imported machines' } as const;
  return [
    v2v && nbdkit
      ? finding({ ...conversion, text: `virt-v2v at ${v2v}, with nbdkit at ${nbdkit}.` })
      : missing(
          facts,
          'virt-v2v',
          {
            ...conversion,
            severity: 'info',
            text: v2v
              ? `virt-v2v is at ${v2v}, but nbdkit, without which it opens no disk, is not installed.`
              : 'virt-v2v is not installed. With it a system from VMware, VirtualBox or Xen gets drivers for fast disks and network when it is imported.',
          },
          'Install virt-v2v if you import such machines.',
        ),
    virtInspector && guestfish
      ? finding({ ...reading, text: `virt-inspector at ${virtInspector}, with guestfish at ${guestfish}.` })
      : missing(
          facts,
          'libguestfs',
          {
            ...reading,
            severity: 'info',
            text: virtInspector
              ? 'guestfish is not installed. With it the patch level and the kernels of images on XFS, Btrfs or LVM are known as well.'
              : 'virt-inspector is not installed. With it the system and the packages of images on XFS, Btrfs, NTFS or LVM are known.',
          },
          'Install libguestfs’ tools if you have such images.',
        ),
  ];
}

function storageFindings(facts: HostFacts): Finding[] {
  const { store } = facts;
  const freeMiB = Math.floor(store.freeBytes / 1024 ** 2);
  const space = `${gib(store.freeBytes)} of ${gib(store.totalBytes)} are free at ${store.path}.`;
  const low = freeMiB < store.keepFreeMiB + 10 * 1024;
  return [
    finding({
      id: 'storage/space',
      area: 'storage',
      title: 'Disk space',
      ...(freeMiB <= store.keepFreeMiB
        ? {
            severity: 'problem' as const,
            text: `${space} That is less than the ${store.keepFreeMiB} MiB that are kept free: nothing can be imported or created.`,
            remedy: 'Delete images and guests that you no longer need, or make room on the disk.',
          }
        : low
          ? {
              severity: 'warning' as const,
              text: `${space} That is little for guests.`,
              remedy: 'Make room on the disk before you create guests.',
            }
          : { text: space }),
    }),
    store.writeProblem
      ? finding({
          id: 'permissions/store',
          area: 'permissions',
          severity: 'problem',
          title: 'Data folder',
          text: `${store.path} cannot be written: ${store.writeProblem}`,
          remedy: 'Mount it for writing and make it yours.',
          command: `sudo chown -R ${facts.username} ${shellQuoted(store.path)}`,
        })
      : store.modeProblem
        ? finding({
            id: 'permissions/store',
            area: 'permissions',
            severity: 'warning',
            title: 'Data folder',
            text: `${store.path} is open to other users: ${store.modeProblem}`,
            remedy: 'Close it: guests’ disks and sockets are in it.',
            command: `chmod 700 ${shellQuoted(store.path)}`,
          })
        : finding({
            id: 'permissions/store',
            area: 'permissions',
            title: 'Data folder',
            text: `${store.path} can be written, and only by you.`,
          }),
  ];
}

function computerFindings(facts: HostFacts): Finding[] {
  const all: Finding[] = [
    finding({
      id: 'app/memory',
      area: 'app',
      title: 'Memory',
      text: `${gib(facts.memoryFreeMiB * 1024 ** 2)} of ${gib(facts.memoryMiB * 1024 ** 2)} are free.`,
      ...(facts.memoryFreeMiB < 1024 ? { severity: 'warning' as const, remedy: 'Close other programs before you start guests.' } : {}),
    }),
  ];
  if (facts.isVirtual) {
    all.push(
      finding({
        id: 'app/nested',
        area: 'app',
        severity: 'info',
        title: 'A computer inside a computer',
        text: 'This computer is itself a virtual machine: guests here are nested.',
      }),
    );
  }
  return all;
}

function gib(bytes: number): string {
  return `${(bytes / 1024 ** 3).toFixed(1)} GiB`;
}

function shellQuoted(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
