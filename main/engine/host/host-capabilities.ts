/** Implements `capabilities.ts` over discovery, probe and firmware. */
import { availableParallelism, hostname } from 'node:os';
import { join } from 'node:path';
import { Failure } from '../../../contract/errors.ts';
import type { AcceleratorName, GuestSpec } from '../../../contract/guest-spec.ts';
import type { HostReport } from '../../../contract/host.ts';
import type { Settings } from '../../../contract/settings.ts';
import type { Layout } from '../files/layout.ts';
import { osinfoDatabase } from '../os/osinfo-folders.ts';
import { createAcceleratorProbe, type ProbeReport } from './accelerator-probe.ts';
import type { FirmwareFiles, HostCapabilities, QemuBinary } from './capabilities.ts';
import type { HostFacts } from './finding-parts.ts';
import { buildFindings } from './findings.ts';
import { descriptorFolders, findFirmware } from './firmware.ts';
import { findGuestfsTools } from './guestfs.ts';
import {
  checkStoreAccess,
  findProgram,
  findVirtiofsd,
  isVirtualMachine,
  memory,
  storeSpace,
  systemToolFolders,
  username,
} from './host-facts.ts';
import { installCommand, readSystem } from './packages.ts';
import { createQemuDiscovery, type DescribedQemu, qemuFolders } from './qemu-discovery.ts';

type Deps = {
  layout: Pick<Layout, 'home' | 'cache'>;
  settings: () => Pick<Settings, 'qemuFolder' | 'keepFreeMiB'>;
  /** Stands in for `process.env` in tests. */
  environment?: NodeJS.ProcessEnv;
};

type Architecture = GuestSpec['architecture'];

/** Best first: "auto" takes the first that passed its probe. */
const preference: readonly AcceleratorName[] = ['kvm', 'hvf', 'whpx', 'tcg'];

export function createHostCapabilities({ layout, settings, environment = process.env }: Deps): HostCapabilities {
  const discovery = createQemuDiscovery({
    cacheFile: join(layout.cache, 'qemu.json'),
    folders: () => qemuFolders(settings().qemuFolder, environment),
  });
  const probes = createAcceleratorProbe(join(layout.cache, 'accelerators.json'));

  const describedFor = async (architecture: Architecture): Promise<DescribedQemu> => {
    const { working } = await discovery.find({ refresh: false });
    const found = working.find((one) => one.architecture === architecture);
    if (found) return found;
    const command = installCommand(`qemu-${architecture}`, await readSystem());
    throw new Failure('host/no-qemu', `No usable QEMU for ${architecture} was found on this computer.`, {
      hint: command ? `Install it: ${command}` : 'Install QEMU, or name its folder in the settings.',
      detail: `Searched: ${qemuFolders(settings().qemuFolder, environment).join(', ')}`,
    });
  };

  /** Probes all that the binary has, the best first. */
  const probeAll = async (qemu: DescribedQemu, options: { refresh: boolean }): Promise<ProbeReport[]> => {
    const reports: ProbeReport[] = [];
    for (const name of acceleratorsOf(qemu)) reports.push(await probes.probe(qemu, name, options));
    return reports;
  };

  const gatherFacts = async (refresh: boolean): Promise<HostFacts> => {
    const found = await discovery.find({ refresh });
    const qemu: HostFacts['qemu'] = [];
    for (const described of found.working) qemu.push({ described, probes: await probeAll(described, { refresh }) });
    const architecture: Architecture = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
    const folders = descriptorFolders(environment, found.working[0]?.path ?? null);
    const [system, qemuImg, uefi, uefiSecure, swtpm, virtiofsd, ssh, osinfo, xorriso, gpgv, guestfs, space, access, isVirtual] =
      await Promise.all([
        readSystem(),
        discovery.program('qemu-img'),
        findFirmware('uefi', architecture, folders),
        findFirmware('uefi-secure', architecture, folders),
        findProgram('swtpm', environment, systemToolFolders),
        findVirtiofsd(environment),
        findProgram('ssh', environment, systemToolFolders),
        osinfoDatabase(environment),
        findProgram('xorriso', environment, systemToolFolders),
        findProgram('gpgv', environment, systemToolFolders),
        findGuestfsTools(environment),
        storeSpace(layout.home),
        checkStoreAccess(layout.home),
        isVirtualMachine(),
      ]);
    return {
      system,
      username: username(),
      architecture,
      qemu,
      brokenQemu: found.broken,
      searchedFolders: qemuFolders(settings().qemuFolder, environment),
      qemuImg,
      firmware: { uefi, uefiSecure },
      swtpm,
      virtiofsd,
      ssh,
      osinfo,
      xorriso,
      gpgv,
      guestfs,
      store: { path: layout.home, ...space, keepFreeMiB: settings().keepFreeMiB, ...access },
      ...memory(),
      isVirtual,
    };
  };

  return {
    async qemuFor(architecture): Promise<QemuBinary> {
      const { path, version, spice, machines, devices } = await describedFor(architecture);
      return { path, version, architecture, spice, machines, devices: new Set(devices) };
    },

    async acceleratorFor({ architecture, accelerator }) {
      const qemu = await describedFor(architecture);
      const offered = acceleratorsOf(qemu);
      if (accelerator === 'auto') {
        for (const name of offered) if ((await probes.probe(qemu, name, { refresh: false })).verdict.usable) return name;
        throw new Failure('host/no-accelerator', `No accelerator of ${qemu.path} can run guests, not even emulation.`, {
          hint: 'The health page says why for each of them.',
        });
      }
      const reason = offered.includes(accelerator)
        ? (await probes.probe(qemu, accelerator, { refresh: false })).verdict
        : { usable: false, reason: `${qemu.path} was built without it.` };
      if (reason.usable) return accelerator;
      throw new Failure('host/no-accelerator', `The accelerator ${accelerator} cannot be used: ${reason.reason}`, {
        hint: 'Set the guest’s accelerator to “auto”: it then starts with the best one that works.',
        path: 'accelerator',
      });
    },

    async firmwareFor(kind, architecture): Promise<FirmwareFiles | null> {
      if (kind === 'bios') return null;
      const { working } = await discovery.find({ refresh: false });
      const qemu = working.find((one) => one.architecture === architecture);
      const found = await findFirmware(kind, architecture, descriptorFolders(environment, qemu?.path ?? null));
      if (found) return found;
      const command = installCommand(`uefi-${architecture}`, await readSystem());
      const what = kind === 'uefi' ? 'UEFI firmware' : 'UEFI firmware with Secure Boot and enrolled keys';
      throw new Failure('host/no-firmware', `No ${what} for ${architecture} is installed.`, {
        hint: command ? `Install it: ${command}` : 'Install the UEFI firmware for QEMU (OVMF, edk2).',
        path: 'firmware',
      });
    },

    async swtpmPath() {
      const path = await findProgram('swtpm', environment, systemToolFolders);
      if (path) return path;
      const command = installCommand('swtpm', await readSystem());
      throw new Failure('host/no-tpm', 'The TPM emulator swtpm is not installed.', {
        hint: command ? `Install it: ${command}` : 'Install swtpm, or switch the TPM off.',
        path: 'tpm',
      });
    },

    virtiofsdPath: () => findVirtiofsd(environment),

    async qemuImgPath() {
      const path = await discovery.program('qemu-img');
      if (path) return path;
      const command = installCommand('qemu-img', await readSystem());
      throw new Failure('host/no-qemu', 'qemu-img was not found, so no disk can be made, copied or checked.', {
        hint: command ? `Install it: ${command}` : 'Install qemu-img.',
      });
    },

    async guestfs() {
      const { working } = await discovery.find({ refresh: false });
      const architecture: Architecture = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
      const qemu = working.find((one) => one.architecture === architecture);
      // libguestfs takes KVM whenever it can be opened.
      const kvm = qemu?.accelerators.includes('kvm') ? (await probes.probe(qemu, 'kvm', { refresh: false })).verdict.usable : false;
      return { ...(await findGuestfsTools(environment)), emulated: !kvm };
    },

    async report({ refresh = false } = {}): Promise<HostReport> {
      const facts = await gatherFacts(refresh);
      return {
        hostname: hostname(),
        cpus: availableParallelism(),
        memoryMiB: facts.memoryMiB,
        memoryFreeMiB: facts.memoryFreeMiB,
        storePath: facts.store.path,
        storeFreeBytes: facts.store.freeBytes,
        storeTotalBytes: facts.store.totalBytes,
        qemu: facts.qemu.map(({ described, probes: reports }) => ({
          path: described.path,
          version: described.version,
          architecture: described.architecture,
          spice: described.spice,
          machines: described.machines,
          cpuModels: described.cpuModels,
          accelerators: reports.map((report) => report.verdict),
        })),
        firmware: {
          bios: facts.qemu.some(({ described }) => described.architecture === 'x86_64'),
          uefi: facts.firmware.uefi !== null,
          uefiSecure: facts.firmware.uefiSecure !== null,
        },
        tpm: facts.swtpm !== null,
        findings: buildFindings(facts),
        checkedAt: new Date().toISOString(),
      };
    },
  };
}

/** The accelerators that the binary has and that Guesthouse knows, best first. */
function acceleratorsOf(qemu: DescribedQemu): AcceleratorName[] {
  const native = qemu.architecture === (process.arch === 'arm64' ? 'aarch64' : 'x86_64');
  return preference.filter((name) => qemu.accelerators.includes(name) && (native || name === 'tcg'));
}
