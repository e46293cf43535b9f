/** Machine, processor, memory, firmware, clock. */
import type { AcceleratorName, GuestSpec } from '../../../../../contract/guest-spec.ts';
import { cpuCount, cpusOnline } from '../../../../../contract/guest-spec.ts';
import { type LaunchFacts, machineFamily } from './launch-facts.ts';
import { option } from './option.ts';

/** What Windows looks for to know that it is a guest; https://www.qemu.org/docs/master/system/i386/hyperv.html */
const hypervFeatures = [
  'hv-relaxed=on',
  'hv-vapic=on',
  'hv-spinlocks=0x1fff',
  'hv-vpindex=on',
  'hv-runtime=on',
  'hv-synic=on',
  'hv-stimer=on',
  'hv-reset=on',
  'hv-frequencies=on',
  'hv-time=on',
];

export function machineArguments(spec: GuestSpec, facts: LaunchFacts): string[] {
  const family = machineFamily(facts.machine ?? spec.machine);
  const uefi = facts.firmware !== null;
  const machine = option(facts.machine ?? spec.machine, {
    usb: false,
    'dump-guest-core': false,
    // Secure Boot keeps its variables in memory that only system management mode can write.
    smm: spec.firmware === 'uefi-secure' ? true : null,
    pflash0: uefi ? 'firmware-code' : null,
    pflash1: uefi ? 'firmware-vars' : null,
    // Windows reads the Hyper-V clock instead, and an HPET only costs it exits.
    hpet: usesHyperv(spec, facts.accelerator) ? false : null,
    'memory-backend': spec.numaNodes === 1 && !isPlainMemory(spec, facts) ? 'memory' : null,
  });
  const powerManagement = family === 'q35' ? 'ICH9-LPC' : 'PIIX4_PM';
  return [
    '-machine',
    machine,
    '-accel',
    facts.accelerator,
    '-cpu',
    cpuModel(spec, facts.accelerator),
    '-smp',
    option(String(cpusOnline(spec.cpu)), {
      sockets: spec.cpu.sockets,
      cores: spec.cpu.cores,
      threads: spec.cpu.threads,
      maxcpus: spec.cpu.online === null ? null : cpuCount(spec.cpu),
    }),
    '-m',
    option(null, {
      size: `${spec.memoryMiB}M`,
      ...(growsInMemory(spec) ? { maxmem: `${spec.memoryMaxMiB}M`, slots: memorySlots } : {}),
    }),
    ...memoryArguments(spec, facts),
    ...firmwareArguments(spec, facts),
    '-rtc',
    option(null, { base: spec.clock, driftfix: 'slew' }),
    // Sleep states inside the guest leave it asleep with nothing to wake it: suspending is the host's to do.
    '-global',
    `${powerManagement}.disable_s3=1`,
    '-global',
    `${powerManagement}.disable_s4=1`,
    ...(facts.accelerator === 'kvm' ? ['-global', 'kvm-pit.lost_tick_policy=delay'] : []),
  ];
}

/** Only KVM offers the enlightenments; under emulation QEMU ignores or refuses them. */
function usesHyperv(spec: GuestSpec, accelerator: AcceleratorName): boolean {
  return spec.hypervEnlightenments && accelerator === 'kvm';
}

function cpuModel(spec: GuestSpec, accelerator: AcceleratorName): string {
  const automatic = accelerator === 'kvm' || accelerator === 'hvf' ? 'host' : 'max';
  const model = spec.cpu.model === 'auto' ? automatic : spec.cpu.model;
  return [model, ...(usesHyperv(spec, accelerator) ? hypervFeatures : [])].join(',');
}

/** How many pieces of memory can be added to a guest that runs. */
const memorySlots = 16;

/** Whether memory can be added while it runs. */
export const growsInMemory = (spec: Pick<GuestSpec, 'memoryMiB' | 'memoryMaxMiB'>): boolean =>
  spec.memoryMaxMiB !== null && spec.memoryMaxMiB > spec.memoryMiB;

/** Memory that is no more than QEMU gives without being asked. */
function isPlainMemory(spec: GuestSpec, facts: Pick<LaunchFacts, 'shares'>): boolean {
  return !spec.hugePages && !isSharedMemory(facts);
}

/** A virtiofs daemon reads and writes the guest's memory itself. */
const isSharedMemory = ({ shares }: Pick<LaunchFacts, 'shares'>): boolean => [...shares.values()].includes('virtiofs');

/** The kind of QEMU object that a piece of the guest's memory is, with its properties but for its size. */
export function memoryBackend(
  spec: Pick<GuestSpec, 'hugePages'>,
  facts: Pick<LaunchFacts, 'shares'>,
): { type: string; properties: Record<string, boolean> } {
  const shared = isSharedMemory(facts) ? { share: true } : {};
  // Huge pages are set aside at the start: a pool that is too small then ends QEMU with a word, and not the guest later on.
  if (spec.hugePages) return { type: 'memory-backend-memfd', properties: { hugetlb: true, prealloc: true, ...shared } };
  return { type: isSharedMemory(facts) ? 'memory-backend-memfd' : 'memory-backend-ram', properties: shared };
}

/** Memory that is more than one plain piece: huge pages, and NUMA nodes with their equal shares of memory and processors. */
function memoryArguments(spec: GuestSpec, facts: Pick<LaunchFacts, 'shares'>): string[] {
  const { type, properties } = memoryBackend(spec, facts);
  if (spec.numaNodes === 1) {
    return isPlainMemory(spec, facts) ? [] : ['-object', option(type, { id: 'memory', size: `${spec.memoryMiB}M`, ...properties })];
  }
  const cpus = cpuCount(spec.cpu) / spec.numaNodes;
  const share = Math.floor(spec.memoryMiB / spec.numaNodes);
  return Array.from({ length: spec.numaNodes }, (_, node) => {
    const sizeMiB = node === 0 ? spec.memoryMiB - share * (spec.numaNodes - 1) : share;
    const first = Math.ceil(node * cpus);
    const last = Math.ceil((node + 1) * cpus) - 1;
    return [
      '-object',
      option(type, { id: `memory${node}`, size: `${sizeMiB}M`, ...properties }),
      '-numa',
      option('node', { nodeid: node, cpus: first === last ? first : `${first}-${last}`, memdev: `memory${node}` }),
    ];
  }).flat();
}

function firmwareArguments(spec: GuestSpec, { firmware, files }: LaunchFacts): string[] {
  if (!firmware) return [];
  const flash = (name: string, filename: string, readOnly: boolean) => [
    '-blockdev',
    JSON.stringify({
      driver: firmware.format,
      'node-name': name,
      'read-only': readOnly,
      'auto-read-only': false,
      ...(firmware.format === 'qcow2' ? { backing: null } : {}),
      file: { driver: 'file', filename, 'read-only': readOnly, 'auto-read-only': false },
    }),
  ];
  return [
    ...flash('firmware-code', firmware.codePath, true),
    ...flash('firmware-vars', files.nvram, false),
    ...(spec.firmware === 'uefi-secure' ? ['-global', 'driver=cfi.pflash01,property=secure,value=on'] : []),
  ];
}
