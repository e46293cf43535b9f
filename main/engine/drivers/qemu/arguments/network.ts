/** Network cards, and what they are plugged into. */

import { Failure } from '../../../../../contract/errors.ts';
import type { GuestSpec, Nic, PortForward } from '../../../../../contract/guest-spec.ts';
import type { LaunchFacts } from './launch-facts.ts';
import { device, option } from './option.ts';
import type { DeviceOptions } from './storage.ts';

const models: Record<Nic['model'], string> = {
  virtio: 'virtio-net-pci',
  e1000e: 'e1000e',
  e1000: 'e1000',
  rtl8139: 'rtl8139',
  vmxnet3: 'vmxnet3',
};

type NetworkFacts = Pick<LaunchFacts, 'bridgeHelper' | 'plugged' | 'files'>;

export function networkArguments(spec: GuestSpec, facts: NetworkFacts): string[] {
  return spec.nics.flatMap((nic, index) => {
    const { driver, properties } = nicDevice(nic);
    const port = facts.plugged[nic.id];
    return ['-netdev', backend(nic, index, facts), ...device(driver, port === undefined ? properties : { bus: port, ...properties })];
  });
}

/** A card as a device. Loading a boot ROM takes time at every start, so a card that is not booted from has none. */
export function nicDevice(nic: Nic): DeviceOptions {
  const common = { id: nic.id, netdev: netdevOf(nic.id), mac: nic.mac };
  const boot = nic.bootOrder === null ? { romfile: '' } : { bootindex: nic.bootOrder };
  return { driver: models[nic.model], properties: { ...common, ...boot } };
}

export const netdevOf = (nicId: string): string => `${nicId}-net`;

/**
 * The addresses of a card's network; null is QEMU's own choice, 10.0.2.0/24. Each card is on a network of its own, and two of the same
 * number would confuse the guest's routing: the number of its id tells them apart, whichever cards come and go.
 */
export function userNetwork(nic: Nic, index: number): string | null {
  const number = /^nic(\d{1,2})$/.exec(nic.id)?.[1];
  const place = number === undefined ? 100 + index : Number(number);
  return place === 0 ? null : `10.0.${2 + place}.0/24`;
}

/** @throws Failure `guest/spec-invalid` for a card that is to be on a bridge and has none. */
export function bridgeOf(nic: Nic, index: number): string {
  if (nic.bridge !== null) return nic.bridge;
  throw new Failure('guest/spec-invalid', `The network card ${nic.id} has no bridge.`, {
    hint: 'Name the bridge that it is to be plugged into.',
    path: `nics.${index}.bridge`,
  });
}

function backend(nic: Nic, index: number, { bridgeHelper, files }: NetworkFacts): string {
  const id = netdevOf(nic.id);
  if (nic.mode === 'bridge') return option('bridge', { id, br: bridgeOf(nic, index), helper: bridgeHelper });
  if (nic.mode === 'isolated') {
    return option('stream', { id, server: false, 'addr.type': 'unix', 'addr.path': files.networkSocket(nic.id) });
  }
  return [
    option('user', { id, net: userNetwork(nic, index), restrict: nic.restricted }),
    ...nic.forwards.map((forward) => `hostfwd=${forwardRule(forward)}`),
  ].join(',');
}

/** A port forward as QEMU writes it: "tcp:127.0.0.1:2222-:22". */
export const forwardRule = ({ protocol, hostAddress, hostPort, guestPort }: PortForward): string =>
  `${protocol}:${hostAddress}:${hostPort}-:${guestPort}`;
