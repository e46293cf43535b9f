import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Failure } from '../../../../../contract/errors.ts';
import { guestSpec } from '../../../../../contract/guest-spec.ts';
import { buildArguments } from './build-arguments.ts';
import { cdOf, diskOf, goldenFacts, goldenGuests, nicOf, specOf } from './golden-specs.ts';
import { option } from './option.ts';

const built = Object.entries(goldenGuests).map(([name, guest]) => ({ name, guest, argv: buildArguments(guest.spec, goldenFacts(guest)) }));

test.for(built)('the arguments of $name are as recorded', async ({ name, argv }) => {
  // One option with its value a line; the first change anyone makes shows as a diff of a text file.
  const text = argv.map((argument, index) => (index === 0 ? '' : argument.startsWith('-') ? '\n' : ' ') + argument).join('');
  await expect(`${text}\n`).toMatchFileSnapshot(`../golden/${name}.txt`);
});

/** Every leaf of a value, as "disks.*.bus" → the values seen. */
function collectLeaves(value: unknown, path: string, into: Map<string, Set<unknown>>): void {
  if (Array.isArray(value)) {
    for (const item of value) collectLeaves(item, `${path}.*`, into);
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) collectLeaves(item, path ? `${path}.${key}` : key, into);
  } else {
    into.set(path, (into.get(path) ?? new Set()).add(value));
  }
}

type JsonSchema = {
  type?: string;
  const?: unknown;
  enum?: unknown[];
  properties?: Record<string, JsonSchema>;
  items?: JsonSchema;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
};

/** Every leaf that the schema of a spec has, with the values of an enumeration. */
function schemaLeaves(schema: JsonSchema, path: string, into: Map<string, Set<unknown>>): void {
  for (const one of [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])]) schemaLeaves(one, path, into);
  if (schema.items) schemaLeaves(schema.items, `${path}.*`, into);
  for (const [key, one] of Object.entries(schema.properties ?? {})) schemaLeaves(one, path ? `${path}.${key}` : key, into);
  if (schema.properties || schema.items || schema.anyOf || schema.oneOf) return;
  const known = into.get(path) ?? new Set();
  for (const value of schema.enum ?? (schema.const === undefined ? [] : [schema.const])) known.add(value);
  into.set(path, known);
}

/** These never reach the arguments, or have one value for now, or cannot be built yet. */
const exempt = new Set([
  'version',
  'os.id',
  'os.name',
  'os.version',
  'os.distro',
  'os.family',
  'accelerator',
  'architecture',
  'nics.*.mode',
  // QEMU hears nothing of it.
  'keyboard.layout',
  'keyboard.localKeys.*',
]);

test('no field of a spec is without a golden guest that sets it', () => {
  const wanted = new Map<string, Set<unknown>>();
  schemaLeaves(guestSpec.toJSONSchema({ io: 'input', unrepresentable: 'any' }) as JsonSchema, '', wanted);
  const seen = new Map<string, Set<unknown>>();
  for (const { guest } of built) collectLeaves(guest.spec, '', seen);
  expect(wanted.size).toBeGreaterThan(50);
  const missing = [...wanted].flatMap(([path, values]) => {
    if (exempt.has(path)) return [];
    const got = seen.get(path) ?? new Set();
    const absent = [...values].filter((value) => !got.has(value)).map((value) => `${path}=${value}`);
    if (got.size === 0) absent.push(path);
    return absent;
  });
  expect(missing).toEqual([]);
});

test('nothing listens on TCP or UDP but the forwards of the spec, and only where the spec says', () => {
  for (const { argv } of built) {
    expect(argv.some((argument) => /websocket|^-vnc$|(?<!usb-host,.*,host)port=|host=|tls/.test(argument))).toBe(false);
    const sockets = argv.filter((argument) => argument.startsWith('socket,'));
    for (const socket of sockets) expect(socket).toMatch(/,path=\/home\/ann\/gh\/run\//);
    for (const spice of argv.filter((_, index) => argv[index - 1] === '-spice')) expect(spice).toMatch(/^unix=on,addr=\//);
  }
  const forwards = built.flatMap(({ argv }) => argv.filter((argument) => argument.includes('hostfwd=')));
  expect(forwards).toHaveLength(1);
});

test('a format is never probed, and what lies under a disk is named outright or nothing', () => {
  for (const { argv, guest } of built) {
    expect(argv).not.toContain('-drive');
    const nodes = argv.filter((_, index) => argv[index - 1] === '-blockdev').map((json) => JSON.parse(json) as Record<string, unknown>);
    for (const node of nodes) {
      expect(['file', 'host_device', 'raw', 'qcow2']).toContain(node.driver);
      expect(String(node['node-name']).length).toBeLessThan(32);
      if (node.driver !== 'qcow2') continue;
      const below = nodes.find((other) => other['node-name'] === node.backing);
      expect(node).toHaveProperty('backing', below ? below['node-name'] : null);
      if (below) expect(below).toMatchObject({ 'read-only': true, 'auto-read-only': false });
    }
    expect(nodes.length).toBeGreaterThanOrEqual(guest.spec.disks.length * 2);
  }
});

test('only a guest on a bridge runs without the system call filter', () => {
  for (const { argv, guest } of built) {
    const wanted = guest.facts?.sandbox !== false && guest.spec.nics.every((nic) => nic.mode !== 'bridge');
    expect(argv.includes('-sandbox')).toBe(wanted);
  }
});

test('a value can never become another option, whatever it holds', () => {
  fc.assert(
    fc.property(fc.string(), (value) => {
      const text = option('head', { key: value, last: true });
      const parts = text.split(/(?<!,)(?:,,)*,(?!,)/);
      expect(text.startsWith('head,key=')).toBe(true);
      expect(text.endsWith(',last=on')).toBe(true);
      // Undoing QEMU's rule gives the value back.
      const inner = text.slice('head,key='.length, -',last=on'.length);
      expect(inner.replaceAll(',,', ',')).toBe(value);
      expect(/(^|[^,])(,,)*,([^,]|$)/.test(inner)).toBe(false);
      expect(parts.length).toBeGreaterThanOrEqual(1);
    }),
  );
});

test('two devices never have one id', () => {
  for (const { argv } of built) {
    const ids = argv.flatMap((argument, index) => (argv[index - 1] === '-device' ? (/,id=([^,]+)/.exec(argument)?.[1] ?? []) : []));
    expect(new Set(ids).size).toBe(ids.length);
  }
});

test('hardware that cannot be put together is refused with its field', () => {
  const attempt = (more: Parameters<typeof specOf>[0]) => () => {
    const spec = specOf(more);
    return buildArguments(spec, goldenFacts({ spec }));
  };
  expect(attempt({ machine: 'microvm' })).toThrow(Failure);
  expect(attempt({ architecture: 'aarch64' })).toThrow(/for aarch64/);
  expect(attempt({ machine: 'pc', firmware: 'uefi-secure' })).toThrow(/q35/);
  const drives = Array.from({ length: 4 }, (_, index) => cdOf({ id: `cd${index}`, bus: 'ide' }));
  expect(attempt({ machine: 'pc', disks: [diskOf({ bus: 'ide' })], cdDrives: drives, nics: [nicOf()] })).toThrow(/four IDE/);
});
