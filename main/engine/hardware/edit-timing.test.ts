import { expect, test } from 'vitest';
import { editRuleNames, editTiming, planChanges, ruleName } from '../../../contract/edit-timing.ts';
import { deviceLists, hardwareChange, hardwareFields, specDifferences, withDifferences } from '../../../contract/guest-hardware.ts';
import { type GuestSpec, guestSpec } from '../../../contract/guest-spec.ts';
import { cdOf, diskOf, nicOf, specOf } from '../drivers/qemu/arguments/golden-specs.ts';
import { liveKinds } from '../drivers/qemu/live/live-change.ts';

type Schema = { properties?: Record<string, Schema>; items?: Schema };

/** The name that each field of the hardware should have in the table. */
function expectedRules(): string[] {
  const schema = guestSpec.toJSONSchema({ io: 'input', unrepresentable: 'any' }) as Schema;
  return hardwareFields.flatMap((field): string[] => {
    const part = schema.properties?.[field];
    if ((deviceLists as readonly string[]).includes(field)) {
      const inside = Object.keys(part?.items?.properties ?? {}).filter((name) => name !== 'id');
      return [`${field}.+`, `${field}.-`, ...inside.map((name) => `${field}.*.${name}`)];
    }
    if (field === 'os' || !part?.properties) return [field];
    return Object.keys(part.properties).map((name) => `${field}.${name}`);
  });
}

test('every field of the hardware has its line in the table, and no line is left over', () => {
  expect([...editRuleNames].sort()).toEqual(expectedRules().sort());
});

test('what the table may promise for now, the driver can do', () => {
  const running = specOf({ cpu: { ...specOf().cpu, online: 1 }, memoryMaxMiB: 8192, watchdog: { model: 'i6300esb', action: 'reset' } });
  const promised = [
    { wanted: { ...running, disks: [...running.disks, diskOf({ id: 'disk1' })] } },
    { wanted: { ...running, disks: [diskOf({ sizeBytes: 2 ** 40, limits: { bytesPerSecond: 4096, operationsPerSecond: null } })] } },
    {
      wanted: {
        ...running,
        nics: [nicOf({ linkUp: false, forwards: [{ protocol: 'tcp', hostAddress: '127.0.0.1', hostPort: 1, guestPort: 1 }] })],
      },
    },
    { wanted: { ...running, nics: [nicOf(), nicOf({ id: 'nic1' })] } },
    { wanted: { ...running, cpu: { ...running.cpu, online: 2, pins: [0] }, cpuQuotaPercent: 50, memoryMiB: 4096, balloonTargetMiB: 512 } },
    { wanted: { ...running, watchdog: { model: 'i6300esb', action: 'pause' } } },
  ] satisfies { wanted: GuestSpec }[];
  const withUsb = { ...running, usbDevices: [{ id: 'usb0', vendorId: '046d', productId: 'c52b', port: null }] };
  const share = { id: 'share0', tag: 'work', path: '/work', readOnly: false, via: 'webdav' } as const;
  const withShare = { ...running, shares: [share] };
  const withShares = { ...running, shares: [share, { ...share, id: 'share1', tag: 'music' }] };
  const withCd = { ...running, cdDrives: [cdOf()] };
  const plans = [
    ...promised.flatMap(({ wanted }) => planChanges(running, wanted, running)),
    ...planChanges({ ...running, disks: [diskOf(), diskOf({ id: 'disk1' })] }, running, {
      ...running,
      disks: [diskOf(), diskOf({ id: 'disk1' })],
    }),
    ...planChanges({ ...running, nics: [nicOf(), nicOf({ id: 'nic1' })] }, running, { ...running, nics: [nicOf(), nicOf({ id: 'nic1' })] }),
    ...planChanges(running, withUsb, running),
    ...planChanges(withUsb, running, withUsb),
    ...planChanges(withShare, withShares, withShare),
    ...planChanges(withShares, withShare, withShares),
    ...planChanges(withShare, { ...running, shares: [{ ...share, tag: 'w', path: '/w', readOnly: true }] }, withShare),
    ...planChanges(withCd, { ...withCd, cdDrives: [cdOf({ medium: { kind: 'in-place', path: '/a.iso' } })] }, withCd),
  ];
  const now = plans.filter(({ when }) => when === 'now').map(ruleName);
  expect([...new Set(now)].sort()).toEqual([...liveKinds].sort());
});

const timings = (more: Partial<GuestSpec>, running = specOf()) =>
  Object.fromEntries(planChanges(running, { ...running, ...more }, running).map(({ path, when }) => [path, when]));

test('memory is added at once where the guest started with room for it, in pieces that it can take', () => {
  expect(timings({ memoryMiB: 4096 })).toEqual({ memoryMiB: 'next-start' });
  const roomy = specOf({ memoryMaxMiB: 8192 });
  expect(timings({ memoryMiB: 4096 }, roomy)).toEqual({ memoryMiB: 'now' });
  expect(timings({ memoryMiB: 4100 }, roomy)).toEqual({ memoryMiB: 'next-start' });
  expect(timings({ memoryMiB: 1024 }, roomy)).toEqual({ memoryMiB: 'next-start' });
  expect(timings({ memoryMiB: 16_384 }, roomy)).toEqual({ memoryMiB: 'next-start' });
});

test('processors are added at once where the guest started with room for them', () => {
  const roomy = specOf({ cpu: { model: 'auto', sockets: 1, cores: 4, threads: 1, online: 2, pins: [] } });
  const online = (count: number, from = roomy) => timings({ cpu: { ...from.cpu, online: count } }, from);
  expect(online(3)).toEqual({ 'cpu.online': 'now' });
  expect(online(1)).toEqual({ 'cpu.online': 'next-start' });
  expect(online(5)).toEqual({ 'cpu.online': 'next-start' });
  expect(timings({ cpu: { ...specOf().cpu, sockets: 2 } })).toEqual({ 'cpu.sockets': 'next-start' });
});

test('a disk on SATA neither comes nor goes while the guest runs, and one on virtio does', () => {
  const two = (bus: 'sata' | 'virtio') => specOf({ disks: [diskOf({ bus }), diskOf({ id: 'disk1', bus, bootOrder: null })] });
  for (const [bus, added, removed] of [
    ['virtio', 'now', 'now'],
    ['sata', 'next-start', 'power-off'],
  ] as const) {
    const one = specOf({ disks: [diskOf({ bus })] });
    expect(timings({ disks: two(bus).disks }, one)).toEqual({ 'disks.disk1': added });
    expect(timings({ disks: one.disks }, two(bus))).toEqual({ 'disks.disk1': removed });
  }
});

test('a device that waits for the next start can be changed and taken back without waiting for more', () => {
  const running = specOf();
  const before = specOf({ nics: [nicOf(), nicOf({ id: 'nic1', model: 'e1000', mac: '52:54:00:00:00:02' })] });
  const [change] = planChanges(
    before,
    { ...before, nics: [nicOf(), { ...before.nics[1], linkUp: false } as (typeof before.nics)[0]] },
    running,
  );
  expect(change).toMatchObject({ path: 'nics.nic1.linkUp', when: 'next-start' });
  expect(planChanges(before, running, running)).toMatchObject([{ path: 'nics.nic1', kind: 'removed', when: 'now' }]);
});

test('to a guest that is off everything applies at once', () => {
  const before = specOf();
  const after = specOf({ machine: 'pc', memoryMiB: 512, disks: [], tpm: true });
  expect(new Set(planChanges(before, after, null).map(({ when }) => when))).toEqual(new Set(['now']));
});

test('whatever does not apply at once says why in a sentence', () => {
  const running = specOf({ disks: [diskOf({ bus: 'sata' })], nics: [nicOf({ model: 'e1000' })] });
  const wanted = specOf({
    machine: 'pc',
    tpm: true,
    memoryMiB: 100,
    bootMenu: true,
    sound: 'none',
    disks: [],
    nics: [],
    cdDrives: [cdOf()],
    extraArguments: ['-x'],
    cpu: { model: 'max', sockets: 2, cores: 4, threads: 2, online: 1, pins: [] },
    balloon: false,
    hugePages: true,
    memoryMaxMiB: 4096,
  });
  const late = specDifferences(running, wanted)
    .map((one) => editTiming(one, running, wanted))
    .filter(({ when }) => when !== 'now');
  expect(late.length).toBeGreaterThan(10);
  for (const { why } of late) expect(why).toMatch(/^[A-Z].*\.$/);
});

test('the differences of two specs, made to the one, give the other', () => {
  const one = specOf({
    disks: [diskOf(), diskOf({ id: 'disk1', cache: 'none' })],
    nics: [nicOf()],
    watchdog: { model: 'none', action: 'reset' },
  });
  const other = specOf({
    memoryMiB: 512,
    cpu: { model: 'max', sockets: 1, cores: 1, threads: 1, online: null, pins: [1] },
    disks: [diskOf({ id: 'disk1', cache: 'unsafe' }), diskOf({ id: 'disk2' })],
    nics: [nicOf({ linkUp: false }), nicOf({ id: 'nic1' })],
    cdDrives: [cdOf()],
    watchdog: { model: 'i6300esb', action: 'pause' },
    name: one.name,
  });
  expect(withDifferences(one, other, specDifferences(one, other))).toEqual(other);
  expect(specDifferences(one, one)).toEqual([]);
  expect(withDifferences(one, other, [])).toEqual(one);
});

test('a change names only hardware', () => {
  expect(hardwareChange.safeParse({ name: 'x' }).success).toBe(false);
  expect(hardwareChange.safeParse({ uuid: specOf().uuid }).success).toBe(false);
  expect(hardwareChange.safeParse({ memoryMiB: 512, disks: [{ sizeBytes: 1024 }] }).success).toBe(true);
});
