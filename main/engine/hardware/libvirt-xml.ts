/**
 * A guest as a libvirt domain: for experts, and for tools that read it (virsh define, virt-manager). Pure.
 * https://libvirt.org/formatdomain.html
 *
 * What libvirt cannot say (port forwards, extra arguments) is said in a comment at the top, so that nothing is lost in silence.
 */
import type { CdDrive, Disk, GuestSpec, Nic, Share, UsbDevice } from '../../../contract/guest-spec.ts';
import { cpuCount, cpusOnline, sharesOverConsole } from '../../../contract/guest-spec.ts';

export type DomainFacts = {
  emulator: string;
  accelerator: 'kvm' | 'tcg' | 'hvf' | 'whpx';
  firmware: { codePath: string; format: 'raw' | 'qcow2' } | null;
  nvram: string;
  /** Of every disk and every medium, by the device's id. */
  paths: ReadonlyMap<string, string>;
};

type Attributes = Readonly<Record<string, string | number | null | undefined>>;
type Node = string | null;

/** The whole document. Everything of the user's is quoted; what XML has no character for is left out. */
export function buildDomainXml(spec: GuestSpec, facts: DomainFacts): string {
  const isQ35 = !/^(pc|pc-i440fx.*)$/.test(spec.machine);
  const nodes = [
    leaf('name', spec.name),
    leaf('uuid', spec.uuid),
    spec.notes === '' ? null : leaf('description', spec.notes),
    element('memory', { unit: 'MiB' }, text(String(spec.memoryMiB))),
    spec.memoryMaxMiB === null ? null : element('maxMemory', { slots: 16, unit: 'MiB' }, text(String(spec.memoryMaxMiB))),
    spec.balloonTargetMiB === null ? null : element('currentMemory', { unit: 'MiB' }, text(String(spec.balloonTargetMiB))),
    memoryBacking(spec),
    element('vcpu', { current: spec.cpu.online }, text(String(cpuCount(spec.cpu)))),
    cpuTune(spec),
    os(spec, facts),
    features(spec),
    cpu(spec, facts),
    element(
      'clock',
      { offset: spec.clock },
      empty('timer', { name: 'rtc', tickpolicy: 'catchup' }),
      spec.hypervEnlightenments ? empty('timer', { name: 'hypervclock', present: 'yes' }) : null,
    ),
    leaf('on_poweroff', 'destroy'),
    leaf('on_reboot', 'restart'),
    leaf('on_crash', 'preserve'),
    element('pm', {}, empty('suspend-to-mem', { enabled: 'no' }), empty('suspend-to-disk', { enabled: 'no' })),
    devices(spec, facts, isQ35),
  ];
  const domain = element('domain', { type: facts.accelerator === 'kvm' ? 'kvm' : 'qemu' }, ...nodes);
  const unsaid = left(spec);
  const comment =
    unsaid.length === 0
      ? ''
      : `<!--\n  libvirt has no words for this part of the guest:\n${unsaid.map((line) => `  ${line}`).join('\n')}\n-->\n`;
  return `${comment}${domain}\n`;
}

function left(spec: GuestSpec): string[] {
  const safe = (line: string) => clean(line).replace(/-{2,}/g, '-').replace(/-$/, '');
  return [
    ...spec.nics.flatMap((nic) =>
      nic.forwards.map((one) => `port forward ${one.protocol} ${one.hostAddress}:${one.hostPort} to port ${one.guestPort} of ${nic.id}`),
    ),
    ...spec.nics.filter((nic) => nic.restricted).map((nic) => `${nic.id} reaches nothing beyond its network`),
    ...spec.usbDevices.filter((one) => one.port !== null).map((one) => `${one.id} is the one that is plugged in at ${one.port}`),
    ...spec.disks.filter((one) => one.bus === 'nvme').map((one) => `${one.id} is an NVMe disk, and a virtio disk below`),
    ...spec.extraArguments.map((one) => safe(`QEMU argument: ${one}`)),
  ];
}

/** What goes over the console is served by Guesthouse alone; the guest's port for it is a channel below. */
const mountedOf = ({ shares }: GuestSpec): Share[] => shares.filter(({ via }) => via === 'mount');

/** virtiofs reads and writes the guest's memory from outside. */
function memoryBacking(spec: GuestSpec): Node {
  const { hugePages } = spec;
  const shares = mountedOf(spec);
  if (!hugePages && shares.length === 0) return null;
  const shared = shares.length === 0 ? [] : [empty('source', { type: 'memfd' }), empty('access', { mode: 'shared' })];
  return element('memoryBacking', {}, hugePages ? empty('hugepages') : null, ...shared);
}

function cpuTune({ cpu: { pins, online, ...topology }, cpuQuotaPercent }: GuestSpec): Node {
  const count = cpusOnline({ ...topology, online, pins });
  const pinned =
    pins.length === 0 ? [] : Array.from({ length: count }, (_, vcpu) => empty('vcpupin', { vcpu, cpuset: pins[vcpu % pins.length] }));
  if (pinned.length === 0 && cpuQuotaPercent === null) return null;
  const period = 100_000;
  const limits =
    cpuQuotaPercent === null ? [] : [leaf('global_period', String(period)), leaf('global_quota', String((cpuQuotaPercent * period) / 100))];
  return element('cputune', {}, ...pinned, ...limits);
}

function os(spec: GuestSpec, { firmware, nvram }: DomainFacts): Node {
  const secure = spec.firmware === 'uefi-secure';
  // Raw is what is meant without a word, also by a libvirt that does not know this one yet.
  const format = firmware?.format === 'qcow2' ? 'qcow2' : null;
  return element(
    'os',
    {},
    element('type', { arch: spec.architecture, machine: spec.machine }, text('hvm')),
    firmware
      ? element('loader', { readonly: 'yes', secure: secure ? 'yes' : 'no', type: 'pflash', format }, text(firmware.codePath))
      : null,
    firmware ? element('nvram', { format }, text(nvram)) : null,
    spec.bootMenu ? empty('bootmenu', { enable: 'yes', timeout: 5000 }) : null,
  );
}

function features(spec: GuestSpec): Node {
  return element(
    'features',
    {},
    empty('acpi'),
    empty('apic'),
    spec.hypervEnlightenments
      ? element(
          'hyperv',
          { mode: 'custom' },
          ...['relaxed', 'vapic', 'vpindex', 'runtime', 'synic', 'reset', 'frequencies'].map((one) => empty(one, { state: 'on' })),
          empty('spinlocks', { state: 'on', retries: 8191 }),
        )
      : null,
    spec.firmware === 'uefi-secure' ? empty('smm', { state: 'on' }) : null,
  );
}

function cpu(spec: GuestSpec, { accelerator }: DomainFacts): Node {
  const { model, sockets, cores, threads } = spec.cpu;
  const topology = empty('topology', { sockets, cores, threads });
  const numa = numaCells(spec);
  if (model === 'auto' || model === 'max' || model === 'host') {
    return element('cpu', { mode: accelerator === 'kvm' ? 'host-passthrough' : 'maximum' }, topology, numa);
  }
  return element('cpu', { mode: 'custom', match: 'exact' }, element('model', {}, text(model)), topology, numa);
}

/** Memory that can grow needs a NUMA node in libvirt, where QEMU does without. */
function numaCells(spec: GuestSpec): Node {
  if (spec.numaNodes === 1 && spec.memoryMaxMiB === null) return null;
  const cpus = cpuCount(spec.cpu);
  const share = Math.floor(spec.memoryMiB / spec.numaNodes);
  return element(
    'numa',
    {},
    ...Array.from({ length: spec.numaNodes }, (_, id) => {
      const first = Math.ceil((id * cpus) / spec.numaNodes);
      const last = Math.ceil(((id + 1) * cpus) / spec.numaNodes) - 1;
      const memory = id === 0 ? spec.memoryMiB - share * (spec.numaNodes - 1) : share;
      return empty('cell', { id, cpus: first === last ? first : `${first}-${last}`, memory, unit: 'MiB' });
    }),
  );
}

function devices(spec: GuestSpec, facts: DomainFacts, isQ35: boolean): Node {
  const names = new TargetNames();
  return element(
    'devices',
    {},
    leaf('emulator', facts.emulator),
    ...spec.disks.map((one) => disk(one, facts, names)),
    ...spec.cdDrives.map((one) => cdDrive(one, facts, names)),
    empty('controller', { type: 'usb', model: 'qemu-xhci' }),
    ...(isQ35 ? Array.from({ length: 4 }, () => empty('controller', { type: 'pci', model: 'pcie-root-port' })) : []),
    spec.disks.some((one) => one.bus === 'scsi') || spec.cdDrives.some((one) => one.bus === 'scsi')
      ? empty('controller', { type: 'scsi', model: 'virtio-scsi' })
      : null,
    ...mountedOf(spec).map(share),
    ...spec.nics.map(nic),
    spec.serial ? element('serial', { type: 'pty' }, empty('target', { type: 'isa-serial', port: 0 })) : null,
    spec.agents.qemu ? element('channel', { type: 'unix' }, empty('target', { type: 'virtio', name: 'org.qemu.guest_agent.0' })) : null,
    spec.agents.spice && spec.display.device !== 'none'
      ? element('channel', { type: 'spicevmc' }, empty('target', { type: 'virtio', name: 'com.redhat.spice.0' }))
      : null,
    sharesOverConsole(spec)
      ? element(
          'channel',
          { type: 'spiceport' },
          empty('source', { channel: 'org.spice-space.webdav.0' }),
          empty('target', { type: 'virtio', name: 'org.spice-space.webdav.0' }),
        )
      : null,
    ...spec.usbDevices.map(usbDevice),
    spec.usbTablet ? empty('input', { type: 'tablet', bus: 'usb' }) : null,
    spec.tpm ? element('tpm', { model: 'tpm-crb' }, empty('backend', { type: 'emulator', version: '2.0' })) : null,
    spec.display.device === 'none' ? null : element('graphics', { type: 'spice' }, empty('listen', { type: 'none' })),
    spec.sound === 'none'
      ? null
      : spec.sound === 'ac97'
        ? empty('sound', { model: 'ac97' })
        : element('sound', { model: 'ich6' }, empty('codec', { type: 'duplex' })),
    ...video(spec),
    spec.watchdog.model === 'none' ? null : empty('watchdog', { model: spec.watchdog.model, action: spec.watchdog.action }),
    spec.balloon
      ? empty('memballoon', { model: 'virtio', autodeflate: 'on', freePageReporting: 'on' })
      : empty('memballoon', { model: 'none' }),
    spec.rng ? element('rng', { model: 'virtio' }, element('backend', { model: 'random' }, text('/dev/urandom'))) : null,
    spec.panicDevice ? empty('panic', { model: 'isa' }) : null,
  );
}

function disk(one: Disk, { paths }: DomainFacts, names: TargetNames): Node {
  const path = paths.get(one.id) ?? '';
  const device = path.startsWith('/dev/');
  const { bytesPerSecond, operationsPerSecond } = one.limits;
  return element(
    'disk',
    { type: device ? 'block' : 'file', device: 'disk' },
    empty('driver', { name: 'qemu', type: one.format, cache: one.cache, discard: one.discard ? 'unmap' : 'ignore', error_policy: 'stop' }),
    empty('source', device ? { dev: path } : { file: path }),
    target(one.bus, names),
    bytesPerSecond === null && operationsPerSecond === null
      ? null
      : element(
          'iotune',
          {},
          bytesPerSecond === null ? null : leaf('total_bytes_sec', String(bytesPerSecond)),
          operationsPerSecond === null ? null : leaf('total_iops_sec', String(operationsPerSecond)),
        ),
    one.readOnly ? empty('readonly') : null,
    leaf('serial', one.id),
    one.bootOrder === null ? null : empty('boot', { order: one.bootOrder }),
  );
}

function cdDrive(one: CdDrive, { paths }: DomainFacts, names: TargetNames): Node {
  const path = paths.get(one.id);
  return element(
    'disk',
    { type: 'file', device: 'cdrom' },
    empty('driver', { name: 'qemu', type: 'raw' }),
    path === undefined ? null : empty('source', { file: path }),
    target(one.bus, names),
    empty('readonly'),
    one.bootOrder === null ? null : empty('boot', { order: one.bootOrder }),
  );
}

/** libvirt has no NVMe controller for a file; the nearest is virtio. */
const libvirtBus = (bus: Disk['bus']): Disk['bus'] => (bus === 'nvme' ? 'virtio' : bus);

const target = (bus: Disk['bus'], names: TargetNames): string =>
  empty('target', { dev: names.next(libvirtBus(bus)), bus: libvirtBus(bus) });

/** "vda", "sda", "hda": what a disk is called within the domain. */
class TargetNames {
  readonly #count = new Map<string, number>();
  next(bus: Disk['bus']): string {
    const prefix = bus === 'virtio' ? 'vd' : bus === 'ide' ? 'hd' : 'sd';
    const place = this.#count.get(prefix) ?? 0;
    this.#count.set(prefix, place + 1);
    return prefix + String.fromCharCode(97 + place);
  }
}

/** A folder that may only be read is one for 9p, as it is here. */
function share({ path, tag, readOnly }: Share): Node {
  return element(
    'filesystem',
    { type: 'mount', accessmode: 'passthrough' },
    readOnly ? null : empty('driver', { type: 'virtiofs' }),
    empty('source', { dir: path }),
    empty('target', { dir: tag }),
    readOnly ? empty('readonly') : null,
  );
}

function usbDevice({ vendorId, productId }: UsbDevice): Node {
  const source = element(
    'source',
    { startupPolicy: 'optional' },
    empty('vendor', { id: `0x${vendorId}` }),
    empty('product', { id: `0x${productId}` }),
  );
  return element('hostdev', { mode: 'subsystem', type: 'usb' }, source);
}

function nic(one: Nic): Node {
  return element(
    'interface',
    { type: one.mode === 'isolated' ? 'network' : one.mode },
    empty('mac', { address: one.mac }),
    one.mode === 'bridge' ? empty('source', { bridge: one.bridge }) : null,
    one.mode === 'isolated' ? empty('source', { network: one.network }) : null,
    empty('model', { type: one.model }),
    one.linkUp ? null : empty('link', { state: 'down' }),
    one.bootOrder === null ? null : empty('boot', { order: one.bootOrder }),
  );
}

function video({ display: { device, heads }, os: { family } }: GuestSpec): Node[] {
  if (device === 'none') return [element('video', {}, empty('model', { type: 'none' }))];
  const type = device === 'std' ? 'vga' : device;
  const several = (device === 'qxl' && family === 'windows') || device === 'std';
  const first = element('video', {}, empty('model', { type, heads: several ? 1 : heads, primary: 'yes' }));
  const more = several
    ? Array.from({ length: heads - 1 }, () => element('video', {}, empty('model', { type: device === 'std' ? 'bochs' : 'qxl' })))
    : [];
  return [first, ...more];
}

const leaf = (name: string, content: string): string => element(name, {}, text(content));
const empty = (name: string, attributes: Attributes = {}): string => element(name, attributes);

function element(name: string, attributes: Attributes, ...children: Node[]): string {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([key, value]) => ` ${key}='${escapeXml(String(value))}'`)
    .join('');
  const inside = children.filter((child): child is string => child !== null);
  if (inside.length === 0) return `<${name}${written}/>`;
  const [only] = inside;
  if (inside.length === 1 && only !== undefined && !only.startsWith('<')) return `<${name}${written}>${only}</${name}>`;
  return `<${name}${written}>\n${inside.join('\n').replace(/^/gm, '  ')}\n</${name}>`;
}

/** Text within an element, on one line: lines within it would be indented with the rest. */
const text = (content: string): string => escapeXml(content).replaceAll('\n', '&#10;');

/** Without the characters that XML 1.0 forbids. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
const clean = (content: string): string => content.toWellFormed().replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '');

function escapeXml(content: string): string {
  return clean(content)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll("'", '&apos;')
    .replaceAll('"', '&quot;');
}
