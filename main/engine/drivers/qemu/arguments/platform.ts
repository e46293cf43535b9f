/** What surrounds the guest's own hardware: how QEMU itself behaves, control channels, and the small devices. */
import { type GuestSpec, sharesOverConsole } from '../../../../../contract/guest-spec.ts';
import { hasScreen, type LaunchFacts, machineFamily } from './launch-facts.ts';
import { device, option } from './option.ts';

export function processArguments(spec: GuestSpec, facts: LaunchFacts): string[] {
  return [
    '-name',
    option(null, { guest: spec.name, process: `guest-${facts.id}`, 'debug-threads': true }),
    '-uuid',
    spec.uuid,
    '-nodefaults',
    '-no-user-config',
    // QEMU asks a helper with rights of its own to be plugged into a bridge, and the sandbox would keep it from that.
    ...(facts.sandbox && !spec.nics.some((nic) => nic.mode === 'bridge')
      ? ['-sandbox', option('on', { obsolete: 'deny', elevateprivileges: 'deny', spawn: 'deny', resourcecontrol: 'deny' })]
      : []),
    '-pidfile',
    facts.files.pid,
    '-msg',
    'timestamp=on',
    '-chardev',
    option('socket', { id: 'qmp', path: facts.files.qmp, server: true, wait: false }),
    '-mon',
    'chardev=qmp,mode=control',
    // A guest that panics stands still with its last words on the screen; a guest that powers off ends QEMU. What an installer restarts
    // is no longer its own kernel, which QEMU would start again and again.
    '-action',
    option(null, { panic: 'pause', reboot: facts.firstStart ? 'shutdown' : 'reset', shutdown: 'poweroff', watchdog: spec.watchdog.action }),
    // Nothing runs before the engine has joined the console and the control socket and says so.
    '-S',
    ...(facts.incoming ? ['-incoming', 'defer'] : []),
  ];
}

/** What spice-webdavd in the guest and SPICE's clients look for. */
const foldersPortName = 'org.spice-space.webdav.0';

/** How long the firmware waits for a key before it boots. */
const bootMenuMs = 5000;

/** `strict` keeps the firmware from trying what has no place in the order, such as the network. */
export function bootArguments(spec: GuestSpec): string[] {
  const ordered = [...spec.disks, ...spec.cdDrives, ...spec.nics].some((one) => one.bootOrder !== null);
  const menu = spec.bootMenu ? { menu: true, 'splash-time': bootMenuMs } : {};
  return ordered || spec.bootMenu ? ['-boot', option(null, { strict: ordered ? true : null, ...menu })] : [];
}

/** The kernel of an installer that takes its answers only this way. */
export function firstStartArguments({ firstStart }: LaunchFacts): string[] {
  if (!firstStart) return [];
  return ['-kernel', firstStart.kernel, '-initrd', firstStart.initrd, '-append', firstStart.commandLine];
}

/** Free PCI Express ports, since q35 takes a new device only where a port was at power-on. */
export function hotplugPorts(count: number): string[] {
  return Array.from({ length: count }, (_, index) =>
    device('pcie-root-port', { id: `port${index}`, chassis: index + 1, slot: index + 1 }),
  ).flat();
}

export function smallDeviceArguments(spec: GuestSpec, facts: LaunchFacts): string[] {
  const { files } = facts;
  const isQ35 = machineFamily(facts.machine ?? spec.machine) === 'q35';
  const serialChannels = spec.agents.qemu || (spec.agents.spice && hasScreen(spec)) || sharesOverConsole(spec);
  return [
    ...device('qemu-xhci', { id: 'usb', p2: 8, p3: 8 }),
    ...(spec.usbTablet ? device('usb-tablet', { id: 'tablet0', bus: 'usb.0' }) : []),
    ...(spec.rng
      ? ['-object', 'rng-random,id=rng0-source,filename=/dev/urandom', ...device('virtio-rng-pci', { id: 'rng0', rng: 'rng0-source' })]
      : []),
    ...(spec.balloon ? device('virtio-balloon-pci', { id: 'balloon0', 'deflate-on-oom': true, 'free-page-reporting': true }) : []),
    ...(spec.watchdog.model === 'none' ? [] : device(spec.watchdog.model, { id: 'watchdog0' })),
    ...(spec.serial
      ? [
          '-chardev',
          // QEMU drops what a guest prints while nobody is connected, but not from the log.
          option('socket', { id: 'serial0', path: files.serial, server: true, wait: false, logfile: files.serialLog, logappend: true }),
          ...device('isa-serial', { id: 'serial0', chardev: 'serial0' }),
        ]
      : []),
    ...(serialChannels ? device('virtio-serial-pci', { id: 'channels' }) : []),
    ...(spec.agents.qemu
      ? [
          '-chardev',
          option('socket', { id: 'agent-qemu', path: files.agent, server: true, wait: false }),
          ...device('virtserialport', { id: 'agent-qemu', bus: 'channels.0', chardev: 'agent-qemu', name: 'org.qemu.guest_agent.0' }),
        ]
      : []),
    ...(spec.agents.spice && hasScreen(spec)
      ? [
          '-chardev',
          option('spicevmc', { id: 'agent-spice', name: 'vdagent' }),
          ...device('virtserialport', { id: 'agent-spice', bus: 'channels.0', chardev: 'agent-spice', name: 'com.redhat.spice.0' }),
        ]
      : []),
    ...(sharesOverConsole(spec)
      ? [
          '-chardev',
          option('spiceport', { id: 'folders', name: foldersPortName }),
          ...device('virtserialport', { id: 'folders', bus: 'channels.0', chardev: 'folders', name: foldersPortName }),
        ]
      : []),
    // Current systems find the PCI one by themselves; a PC without PCI Express has systems that know only the old one.
    ...(spec.panicDevice ? device(isQ35 ? 'pvpanic-pci' : 'pvpanic', { id: 'panic0' }) : []),
    ...(spec.tpm
      ? [
          '-chardev',
          option('socket', { id: 'tpm0-socket', path: files.tpm }),
          '-tpmdev',
          'emulator,id=tpm0,chardev=tpm0-socket',
          ...device('tpm-crb', { tpmdev: 'tpm0' }),
        ]
      : []),
  ];
}
