/** Answers of the guest agent, each parsed as what an untrusted guest claims: wrong types are refused, lists and texts are bounded. */
import { z } from 'zod';

const shortText = z.string().max(1024);
const count = z.number().nonnegative().catch(0);

export const agentInfo = z.object({
  /** "7.2.22", with what a distribution adds. */
  version: z.string().regex(/^[\w.+~:-]{1,60}$/),
  supported_commands: z.array(z.object({ name: shortText, enabled: z.boolean() })).max(1000),
});

export const execStarted = z.object({ pid: z.number().int() });

export const execStatus = z.object({
  exited: z.boolean(),
  exitcode: z.number().int().optional(),
  signal: z.number().int().optional(),
  'out-data': z.string().optional(),
  'err-data': z.string().optional(),
  'out-truncated': z.boolean().optional(),
  'err-truncated': z.boolean().optional(),
});

export const networkInterfaces = z
  .array(
    z.object({
      name: shortText,
      'hardware-address': shortText.optional(),
      'ip-addresses': z
        .array(z.object({ 'ip-address': shortText, 'ip-address-type': z.enum(['ipv4', 'ipv6']), prefix: z.number().int() }))
        .max(256)
        .optional(),
      statistics: z.object({ 'rx-bytes': count, 'tx-bytes': count }).optional(),
    }),
  )
  .max(256);

export const hostName = z.object({ 'host-name': shortText });

export const osInfo = z.object({
  id: shortText.optional(),
  name: shortText.optional(),
  'pretty-name': shortText.optional(),
  version: shortText.optional(),
  'version-id': shortText.optional(),
  'kernel-release': shortText.optional(),
  machine: shortText.optional(),
});

/** What the guest says of its network, loopback and link-local addresses left out. */
export type NetworkView = { addresses: string[]; receivedBytes: number | null; sentBytes: number | null };

const maxAddresses = 32;

export function viewNetwork(interfaces: z.infer<typeof networkInterfaces>): NetworkView {
  const real = interfaces.filter((one) => one.name !== 'lo' && !one.name.startsWith('Loopback'));
  const addresses = real
    .flatMap((one) => one['ip-addresses'] ?? [])
    .filter((one) => isAddressOf(one['ip-address-type'], one['ip-address']))
    .sort((a, b) => a['ip-address-type'].localeCompare(b['ip-address-type']))
    .map((one) => one['ip-address']);
  const counted = real.flatMap((one) => one.statistics ?? []);
  const sum = (values: number[]) => (counted.length === 0 ? null : values.reduce((a, b) => a + b, 0));
  return {
    addresses: [...new Set(addresses)].slice(0, maxAddresses),
    receivedBytes: sum(counted.map((one) => one['rx-bytes'])),
    sentBytes: sum(counted.map((one) => one['tx-bytes'])),
  };
}

function isAddressOf(type: 'ipv4' | 'ipv6', address: string): boolean {
  if (type === 'ipv4') return z.ipv4().safeParse(address).success && !address.startsWith('127.') && !address.startsWith('169.254.');
  return z.ipv6().safeParse(address).success && address !== '::1' && !address.toLowerCase().startsWith('fe80:');
}
