/**
 * Reads the XML of libosinfo's database (https://gitlab.com/libosinfo/osinfo-db) into the few things that Guesthouse wants to know of an
 * operating system. Pure.
 */
import { XMLParser } from 'fast-xml-parser';
import { z } from 'zod';

const identifierMatch = z.object({
  architecture: z.string(),
  live: z.boolean(),
  volumeId: z.string().nullable(),
  systemId: z.string().nullable(),
  publisherId: z.string().nullable(),
  applicationId: z.string().nullable(),
  volumeSizeBytes: z.number().nullable(),
});
export type OsinfoMedium = z.infer<typeof identifierMatch>;

const resources = z.object({
  minimumMemoryMiB: z.number().nullable(),
  memoryMiB: z.number().nullable(),
  cpus: z.number().nullable(),
  minimumDiskGiB: z.number().nullable(),
  diskGiB: z.number().nullable(),
});
export type OsinfoResources = z.infer<typeof resources>;

/** One operating system as one file describes it; `parents` are the full ids from which it takes what it does not say itself. */
export const osinfoEntry = z.object({
  fullId: z.string(),
  id: z.string(),
  name: z.string(),
  version: z.string().nullable(),
  family: z.string(),
  distro: z.string(),
  releaseDate: z.string().nullable(),
  endOfLife: z.string().nullable(),
  parents: z.array(z.string()),
  /** What the database says about booting x86_64: null where it says nothing. */
  firmware: z.object({ bios: z.boolean().nullable(), uefi: z.boolean().nullable() }),
  resources,
  /** Full device ids, "http://pcisig.com/pci/1af4/1001". */
  devices: z.array(z.string()),
  devicesRemoved: z.array(z.string()),
  media: z.array(identifierMatch),
});
export type OsinfoEntry = z.infer<typeof osinfoEntry>;

const listElements = new Set([
  'os',
  'short-id',
  'name',
  'media',
  'device',
  'devices',
  'resources',
  'firmware',
  'derives-from',
  'clone-of',
  'iso',
]);

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  textNodeName: '#text',
  parseTagValue: false,
  parseAttributeValue: false,
  processEntities: true,
  isArray: (name) => listElements.has(name),
});

type Node = Record<string, unknown>;

/** The operating systems in one file. Elements that are not understood are passed over. @throws when the text is no XML. */
export function parseOsinfoFile(xml: string): OsinfoEntry[] {
  // Translations are nine tenths of the text and nothing that is used here.
  const root = asNode(parser.parse(xml.replaceAll(/^.*\bxml:lang=.*$/gm, '')))?.libosinfo;
  return nodes(asNode(root)?.os)
    .map(parseOs)
    .filter((entry) => entry !== null);
}

function parseOs(os: Node): OsinfoEntry | null {
  const fullId = text(os['@id']);
  const id = texts(os['short-id'])[0];
  if (!fullId || !id) return null;
  const devices = nodes(os.devices).flatMap((group) => nodes(group.device));
  const supported = (device: Node) => device['@supported'] !== 'false';
  return {
    fullId,
    id,
    name: texts(os.name)[0] ?? id,
    version: text(os.version),
    family: text(os.family) ?? '',
    distro: text(os.distro) ?? '',
    releaseDate: text(os['release-date']),
    endOfLife: text(os['eol-date']),
    parents: [...nodes(os['clone-of']), ...nodes(os['derives-from'])]
      .map((parent) => text(parent['@id']))
      .filter((parent) => parent !== null),
    firmware: parseFirmware(nodes(os.firmware)),
    resources: parseResources(nodes(os.resources)),
    devices: devices.filter(supported).map((device) => text(device['@id']) ?? ''),
    devicesRemoved: devices.filter((device) => !supported(device)).map((device) => text(device['@id']) ?? ''),
    media: nodes(os.media).flatMap(parseMedia),
  };
}

function parseFirmware(all: Node[]): OsinfoEntry['firmware'] {
  const say = (type: string): boolean | null => {
    const found = all.find((one) => text(one['@type']) === type && ['x86_64', 'all'].includes(text(one['@arch']) ?? 'all'));
    return found ? found['@supported'] !== 'false' : null;
  };
  return { bios: say('bios'), uefi: say('efi') };
}

/** Architectures in the order in which their numbers count for an x86-64 guest. */
const architectureOrder = ['x86_64', 'all', 'i686', 'i386'];

function parseResources(all: Node[]): OsinfoResources {
  const none: OsinfoResources = { minimumMemoryMiB: null, memoryMiB: null, cpus: null, minimumDiskGiB: null, diskGiB: null };
  const chosen = architectureOrder
    .map((architecture) => all.find((one) => text(one['@arch']) === architecture))
    .find((one) => one !== undefined);
  if (!chosen) return none;
  const minimum = asNode(chosen.minimum) ?? {};
  const recommended = asNode(chosen.recommended) ?? {};
  const number = (node: Node, name: string, unit: number): number | null => {
    const value = Number(text(node[name]) ?? Number.NaN);
    return Number.isFinite(value) && value > 0 ? Math.ceil(value / unit) : null;
  };
  return {
    minimumMemoryMiB: number(minimum, 'ram', 1024 ** 2),
    memoryMiB: number(recommended, 'ram', 1024 ** 2),
    cpus: number(recommended, 'n-cpus', 1) ?? number(minimum, 'n-cpus', 1),
    minimumDiskGiB: number(minimum, 'storage', 1024 ** 3),
    diskGiB: number(recommended, 'storage', 1024 ** 3),
  };
}

function parseMedia(medium: Node): OsinfoMedium[] {
  return nodes(medium.iso).map((iso) => ({
    architecture: text(medium['@arch']) ?? 'all',
    live: medium['@live'] === 'true',
    volumeId: text(iso['volume-id']),
    systemId: text(iso['system-id']),
    publisherId: text(iso['publisher-id']),
    applicationId: text(iso['application-id']),
    volumeSizeBytes: Number(text(iso['volume-size']) ?? 0) || null,
  }));
}

function asNode(value: unknown): Node | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Node) : null;
}

function nodes(value: unknown): Node[] {
  return (Array.isArray(value) ? value : value === undefined ? [] : [value]).map(asNode).filter((node) => node !== null);
}

function text(value: unknown): string | null {
  if (typeof value === 'string') return value.trim() || null;
  const inner = asNode(value)?.['#text'];
  return typeof inner === 'string' ? inner.trim() || null : null;
}

function texts(value: unknown): string[] {
  return (Array.isArray(value) ? value : [value]).map(text).filter((one) => one !== null);
}
