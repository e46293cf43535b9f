/** VMware machines (`.vmx`): lines of `key = "value"`. */
import {
  boundedNumber,
  cpusMax,
  emptyMachine,
  encryptionFinding,
  type ForeignBus,
  type ForeignMachine,
  macOf,
  memoryMiBMax,
  nicModelOf,
  notUnderstood,
  snapshotsFinding,
} from '../foreign-machine.ts';

/** @throws Failure `machine/not-understood` */
export function parseVmx(text: string): ForeignMachine {
  const values = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const [, key, value] = /^\s*([A-Za-z0-9_.:]+)\s*=\s*"([^"]*)"\s*$/.exec(line) ?? [];
    if (key !== undefined && value !== undefined) values.set(key.toLowerCase(), unescaped(value));
  }
  const get = (key: string): string | null => values.get(key.toLowerCase()) ?? null;
  const isTrue = (key: string) => get(key)?.toUpperCase() === 'TRUE';
  if (get('virtualHW.version') === null && get('config.version') === null) throw notUnderstood('it is no machine of VMware.');

  const machine = emptyMachine();
  machine.name = get('displayName');
  machine.notes = get('annotation') ?? '';
  machine.osHint = get('guestOS');
  if (machine.osHint?.startsWith('arm-')) machine.architecture = 'aarch64';
  machine.cpus = boundedNumber(get('numvcpus') ?? '1', cpusMax);
  machine.memoryMiB = boundedNumber(get('memsize'), memoryMiBMax);
  machine.firmware = get('firmware')?.toLowerCase() !== 'efi' ? 'bios' : isTrue('uefi.secureBoot.enabled') ? 'uefi-secure' : 'uefi';
  if (machine.firmware !== 'bios') machine.variables = { kind: 'VMware' };
  machine.tpm = isTrue('vtpm.present') || isTrue('managedvm.autoAddVTPM');

  const places = [...values.keys()]
    .map((key) => /^((?:scsi|sata|ide|nvme)\d+:\d+)\.filename$/.exec(key)?.[1])
    .filter((place) => place !== undefined);
  const order: readonly string[] = ['nvme', 'scsi', 'sata', 'ide'];
  const kindOf = (place: string) => /^[a-z]+/.exec(place)?.[0] ?? '';
  places.sort((a, b) => order.indexOf(kindOf(a)) - order.indexOf(kindOf(b)) || a.localeCompare(b, 'en', { numeric: true }));
  for (const place of places) {
    const kind = get(`${place}.deviceType`) ?? 'disk';
    if (get(`${place}.present`)?.toUpperCase() === 'FALSE' || /cdrom|floppy/i.test(kind)) continue;
    const file = get(`${place}.fileName`) ?? '';
    // An empty CD drive is named like this on Windows.
    if (!/\.vmdk$/i.test(file)) continue;
    const controller = place.split(':')[0] ?? '';
    const { bus, name } = busOf(kindOf(place), get(`${controller}.virtualDev`));
    machine.disks.push({ file, bus, controller: name, raw: false });
  }
  const nics = [...values.keys()].map((key) => /^(ethernet\d+)\.present$/.exec(key)?.[1]).filter((nic) => nic !== undefined);
  for (const nic of nics.sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))) {
    if (!isTrue(`${nic}.present`)) continue;
    const modelName = get(`${nic}.virtualDev`) ?? 'vlance';
    machine.nics.push({ model: nicModelOf(modelName), modelName, mac: macOf(get(`${nic}.address`) ?? get(`${nic}.generatedAddress`)) });
  }
  if (get('encryption.keySafe') !== null || get('encryption.data') !== null) machine.findings.push(encryptionFinding('VMware'));
  const snapshots = machine.disks.filter(({ file }) => /-\d{6}\.vmdk$/i.test(file)).length;
  if (snapshots > 0) machine.findings.push(snapshotsFinding(snapshots));
  return machine;
}

/** "|22" is a quote. */
function unescaped(value: string): string {
  return value.replaceAll(/\|([0-9A-Fa-f]{2})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
}

function busOf(kind: string, device: string | null): { bus: ForeignBus | null; name: string } {
  if (kind === 'sata') return { bus: 'sata', name: 'SATA' };
  if (kind === 'nvme') return { bus: 'nvme', name: 'NVMe' };
  if (kind === 'ide') return { bus: 'ide', name: 'IDE' };
  return { bus: null, name: device ?? 'LSI Logic' };
}
