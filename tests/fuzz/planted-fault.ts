/** A fault on purpose, which chance alone would not find in years, and steps towards which coverage shows: so that the fuzzer is seen to work. */
import { SpiceError } from '../../renderer/console/spice/protocol/spice-error.ts';
import type { FuzzTarget } from './spice-targets.ts';

export const plantedFault: FuzzTarget = {
  name: 'planted-fault',
  seeds: () => [new Uint8Array(12)],
  run: (input) => {
    const nibble = (at: number) => (input[at] ?? 0) >>> 4;
    if (nibble(1) !== 5) throw new SpiceError('no');
    if (nibble(3) !== 9) throw new SpiceError('no');
    if (nibble(5) !== 14) throw new SpiceError('no');
    if (nibble(7) !== 1) throw new SpiceError('no');
    if (nibble(9) !== 6) throw new SpiceError('no');
    if (nibble(11) !== 11) throw new SpiceError('no');
    throw new RangeError('The planted fault was found.');
  },
};
