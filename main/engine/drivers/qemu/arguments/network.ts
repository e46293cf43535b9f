/** User-mode network cards. */
import type { GuestSpec, Nic } from '../../../../../contract/guest-spec.ts';
import { device, option } from './option.ts';

const models: Record<Nic['model'], string> = {
  virtio: 'virtio-net-pci',
  e1000e: 'e1000e',
  e1000: 'e1000',
  rtl8139: 'rtl8139',
  vmxnet3: 'vmxnet3',
};

export function networkArguments(spec: GuestSpec): string[] {
  return spec.nics.flatMap((nic, index) => [
    '-netdev',
    [
      option('user', {
        id: `${nic.id}-net`,
        // Each card is a network of its own; two of the same number would confuse the guest's routing.
        net: index === 0 ? null : `10.0.${2 + index}.0/24`,
        restrict: nic.restricted,
      }),
      ...nic.forwards.map(
        ({ protocol, hostAddress, hostPort, guestPort }) => `hostfwd=${protocol}:${hostAddress}:${hostPort}-:${guestPort}`,
      ),
    ].join(','),
    // Nothing boots from the network here, and loading the boot ROM of a card takes time at every start.
    ...device(models[nic.model], { id: nic.id, netdev: `${nic.id}-net`, mac: nic.mac, romfile: '' }),
  ]);
}
