/** All that is fuzzed. */
import { channelTargets } from './channel-targets.ts';
import { type FuzzTarget, spiceTargets } from './spice-targets.ts';

export const fuzzTargets: readonly FuzzTarget[] = [...spiceTargets, ...channelTargets];
