/** The builder of each format. */
import type { SetupFormat } from '../../../contract/answers.ts';
import { buildAgama } from './agama.ts';
import { buildAutoinstall } from './autoinstall.ts';
import { buildAutounattend } from './autounattend.ts';
import { buildAutoyast } from './autoyast.ts';
import { buildCloudInit } from './cloud-init.ts';
import { buildKickstart } from './kickstart.ts';
import { buildPreseed } from './preseed.ts';
import type { SeedContent, SeedRequest } from './seed-content.ts';

const builders: Record<SetupFormat, (request: SeedRequest) => SeedContent> = {
  'cloud-init': buildCloudInit,
  preseed: buildPreseed,
  autoinstall: buildAutoinstall,
  kickstart: buildKickstart,
  autoyast: buildAutoyast,
  agama: buildAgama,
  autounattend: buildAutounattend,
};

/** @throws Failure `seed/answers-invalid` for what a format cannot say. */
export function buildSeed(format: SetupFormat, request: SeedRequest): SeedContent {
  return builders[format](request);
}
