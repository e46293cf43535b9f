/**
 * From what a guest is wanted to be to QEMU's command line: pure, so that every case is a golden file. Written for QEMU 7.2 and
 * newer.
 *
 * INVARIANT: no argument opens a TCP or UDP listener but the port forwards that the spec names, and no secret is among the
 * arguments (`build-arguments.test.ts`).
 */
import { Failure } from '../../../../../contract/errors.ts';
import type { GuestSpec } from '../../../../../contract/guest-spec.ts';
import { type LaunchFacts, machineFamily } from './launch-facts.ts';
import { machineArguments } from './machine.ts';
import { networkArguments } from './network.ts';
import { bootArguments, firstStartArguments, hotplugPorts, processArguments, smallDeviceArguments } from './platform.ts';
import { screenArguments } from './screen.ts';
import { shareArguments, usbArguments } from './sharing.ts';
import { seedDiskArguments, storageArguments } from './storage.ts';

const freePorts = 4;

/**
 * QEMU's arguments, without the path of the binary.
 * @throws Failure `guest/spec-invalid` for hardware that cannot be put together.
 */
export function buildArguments(spec: GuestSpec, facts: LaunchFacts): string[] {
  const machine = facts.machine ?? spec.machine;
  const family = machineFamily(machine);
  if (spec.architecture !== 'x86_64' || family === null) {
    throw new Failure('guest/spec-invalid', `Guesthouse cannot build a machine of type ${machine} for ${spec.architecture}.`, {
      hint: 'Choose q35 or pc, on x86_64.',
      path: 'machine',
    });
  }
  if (spec.firmware === 'uefi-secure' && family !== 'q35') {
    throw new Failure('guest/spec-invalid', 'Secure Boot needs the machine type q35.', { path: 'firmware' });
  }
  return [
    ...processArguments(spec, facts),
    ...machineArguments(spec, facts),
    ...bootArguments(spec),
    ...(family === 'q35' ? hotplugPorts(freePorts) : []),
    ...smallDeviceArguments(spec, facts),
    ...storageArguments(spec, facts),
    ...networkArguments(spec, facts),
    ...shareArguments(spec, facts),
    ...usbArguments(spec),
    ...screenArguments(spec, facts),
    // Last, so that taking it away again moves no other device to another slot.
    ...seedDiskArguments(spec, facts),
    ...firstStartArguments(facts),
    ...spec.extraArguments,
  ];
}
