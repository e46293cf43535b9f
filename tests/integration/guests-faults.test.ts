/** What goes wrong around a guest: full and failing disks, media that vanish, ports and disks that others hold, hardware that is not there. */
import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { cpus, totalmem } from 'node:os';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { GuestSpec } from '../../contract/guest-spec.ts';

import { cdOf, diskOf, nicOf } from '../../main/engine/drivers/qemu/arguments/golden-specs.ts';
import { findQemu } from '../../main/engine/drivers/qemu/find-qemu.ts';
import { commandLine } from '../../main/engine/drivers/qemu/process-table.ts';
import { freePort } from '../support/free-port.ts';
import { addGuest, addStarter, type Bench, blankSpec, openBench, untilBooted, untilStatus } from '../support/guest-bench.ts';
import { smallFileSystem, testWithMount } from '../support/small-file-system.ts';
import { until } from '../support/until.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(() => bench.dispose());

const failureOf = (promise: Promise<unknown>) =>
  promise.then(
    () => {
      throw new Error('It succeeded.');
    },
    (thrown: { error?: { code: string; message: string; hint?: string; detail?: string; path?: string } }) =>
      thrown.error ?? { code: String(thrown), message: '' },
  );
const startFailure = async (spec: Partial<GuestSpec>) => {
  const id = await addGuest(bench, blankSpec(spec));
  const error = await failureOf(bench.guests.start(id));
  return { id, error, state: bench.guests.show(id).state };
};
const qemuImg = (...args: string[]) => execFileSync('qemu-img', args, { stdio: 'pipe' }).toString();

testWithMount('a full disk stops the guest, says which, and lets it go on by itself when there is room', async () => {
  const small = await smallFileSystem(48);
  const path = `${small}/data.raw`;
  qemuImg('create', '-q', '-f', 'raw', path, '256M');
  const filler = `${small}/filler`;
  writeFileSync(filler, Buffer.alloc(30 * 2 ** 20, 'f'));
  const cd = `${bench.home}/media.iso`;
  writeFileSync(cd, Buffer.alloc(2 ** 20, 'M'));
  const id = await addStarter(bench, {
    disks: [
      diskOf({ sizeBytes: 2 ** 30 }),
      diskOf({ id: 'data', location: { kind: 'in-place', path }, format: 'raw', sizeBytes: 256 * 2 ** 20, bootOrder: null }),
    ],
    cdDrives: [cdOf({ medium: { kind: 'in-place', path: cd } })],
  });
  await bench.guests.start(id);
  const serial = await untilBooted(bench, id);

  // A medium that vanishes under a running guest can still be read: QEMU holds the file.
  rmSync(cd);
  serial.send('modprobe sr_mod; dd if=/dev/sr0 bs=64k count=4 2>/dev/null | tr -d M | wc -c | sed s/^/left-/');
  await serial.until('left-0', 30_000);
  expect(bench.guests.show(id).state.status).toBe('running');

  serial.send('dd if=/dev/zero of=/dev/vdb bs=1M count=40 oflag=direct; echo written-$?');
  const state = await untilStatus(bench, id, 'paused');
  expect(state.pause).toMatchObject({ kind: 'disk-full', deviceId: 'data', file: path });
  expect(state.pause?.text).toContain(`There is no room left on the file system of ${path}`);
  expect(bench.events.filter(({ kind }) => kind === 'guest.diskFull')).toHaveLength(1);

  // Another engine comes to the same, from what QEMU says.
  await bench.reopen();
  expect(bench.guests.show(id).state.pause).toMatchObject({ kind: 'disk-full', deviceId: 'data' });
  rmSync(filler);
  await untilStatus(bench, id, 'running');
  expect(bench.events.some(({ kind }) => kind === 'guest.resumed')).toBe(true);
  serial.detach();
  const again = await untilBooted(bench, id);
  await again.until('written-0', 40_000);
  again.detach();
  await bench.guests.forceOff(id);

  // The CD is gone now: the guest starts all the same and says so.
  await bench.guests.start(id);
  expect(bench.guests.show(id).state.problems.join()).toContain('The CD drive cd0 is empty');
  await bench.guests.forceOff(id);

  // Deleting and purging the guest leaves what is not its own alone.
  await bench.guests.delete(id);
  await bench.jobs.ended((await bench.guests.purge(id, 'test')).id);
  expect(statSync(path).size).toBe(256 * 2 ** 20);
});

test('a disk that the host cannot read stops the guest, and it goes on once the disk works', async () => {
  // QEMU's own fault injection between the disk and its file: two reads fail, that by which QEMU guesses the geometry and the guest's first.
  const path = `${bench.home}/faulty.raw`;
  const rules = `${bench.home}/blkdebug.conf`;
  qemuImg('create', '-q', '-f', 'raw', path, '16M');
  writeFileSync(rules, '[inject-error]\nevent = "none"\niotype = "read"\nerrno = "5"\nonce = "on"\n\n'.repeat(2));
  const id = await addGuest(
    bench,
    blankSpec({
      extraArguments: [
        ...[
          '-blockdev',
          JSON.stringify({ driver: 'blkdebug', 'node-name': 'bad-format', config: rules, image: { driver: 'file', filename: path } }),
        ],
        ...['-device', 'virtio-blk-pci,id=bad,drive=bad-format,werror=stop,rerror=stop,bootindex=1'],
      ],
    }),
  );
  await bench.guests.start(id);
  const state = await untilStatus(bench, id, 'paused');
  expect(state.pause).toMatchObject({ kind: 'io-error', deviceId: 'bad' });
  expect(state.pause?.text).toContain('cannot be read: Input/output error');
  await bench.reopen();
  expect(bench.guests.show(id).state.pause).toMatchObject({ kind: 'io-error', deviceId: 'bad' });
  await bench.guests.resume(id);
  await until('it runs', () => bench.guests.show(id).state.status === 'running');
  await bench.guests.forceOff(id);
});

testWithMount('a data folder that is full stops no running guest and loses nothing', async () => {
  const home = await smallFileSystem(64);
  const small = await openBench({ home });
  const filler = `${home}/filler`;
  const fill = () => {
    // To the last byte: SQLite and QEMU are to find nothing at all.
    for (let size = 2 ** 22; size >= 1; size = Math.floor(size / 4)) {
      try {
        for (;;) appendFileSync(filler, Buffer.alloc(size, 'f'));
      } catch {
        // It does not fit any more.
      }
    }
  };
  try {
    const running = await addGuest(small, blankSpec({ memoryMiB: 256 }));
    const other = await addGuest(small, blankSpec());
    await small.guests.start(running);
    fill();
    const refused = await failureOf(small.guests.start(other));
    expect(['store/full', 'guest/start-failed']).toContain(refused.code);
    expect(['off', 'crashed']).toContain(small.guests.show(other).state.status);
    expect(findQemu(small.layout.guest(other))).toBe(null);
    await small.guests.pause(running);
    await small.guests.resume(running);
    const failed = await small.guests
      .suspend(running, 'test')
      .then((job) => small.jobs.ended(job.id))
      .then(
        (job) => job.error?.code,
        (thrown: { error?: { code: string } }) => thrown.error?.code,
      );
    expect(failed).toBe('store/full');
    expect(small.guests.show(running).state.status).toBe('running');

    rmSync(filler);
    await small.guests.start(other);
    await small.guests.forceOff(other);
    await small.reopen();
    expect(small.guests.show(running).state.status).toBe('running');
  } finally {
    rmSync(filler, { force: true });
    await small.dispose();
  }
});

test('an accelerator that cannot run the guest is named as what failed', async ({ skip }) => {
  if (!existsSync('/dev/kvm')) skip('there is no /dev/kvm');
  const stubborn = await openBench({ host: (real) => ({ ...real, acceleratorFor: async () => 'kvm' }) });
  try {
    // Firmware for long mode is what a KVM that only half works fails at; where it works there is nothing to see.
    const half = await addGuest(
      stubborn,
      blankSpec({ firmware: 'uefi', memoryMiB: 128, cpu: { model: 'qemu64', sockets: 1, cores: 1, threads: 1, online: null, pins: [] } }),
    );
    await stubborn.guests.start(half);
    const { state } = await until('the firmware failed, or ran for a while', () => {
      const guest = stubborn.guests.show(half);
      return guest.state.status !== 'running' || Date.now() - Date.parse(guest.state.since) > 8_000 ? guest : null;
    });
    if (state.status === 'running') return skip('KVM works here.');
    expect(state).toMatchObject({ status: 'paused', pause: { kind: 'internal-error' } });
    expect(stubborn.events.some(({ kind }) => kind === 'guest.internalError')).toBe(true);
    expect((await failureOf(stubborn.guests.resume(half))).code).toBe('guest/denied');
    await stubborn.guests.forceOff(half);
    expect(stubborn.guests.show(half).state.status).toBe('off');
  } finally {
    await stubborn.dispose();
  }
});

test('without SPICE a guest with a screen says what is missing, and one without a screen runs', async () => {
  const plain = await openBench({
    host: (real) => ({ ...real, qemuFor: async (architecture) => ({ ...(await real.qemuFor(architecture)), spice: false }) }),
  });
  try {
    const seen = await addGuest(plain, blankSpec());
    expect(await failureOf(plain.guests.start(seen))).toMatchObject({ code: 'host/no-spice' });
    expect(plain.guests.show(seen).state.status).toBe('off');
    const unseen = await addGuest(plain, blankSpec({ display: { device: 'none', heads: 1 } }));
    await plain.guests.start(unseen);
    expect(plain.guests.consoles(unseen)).toEqual({ spiceSocketPath: null, movedSpiceSocketPath: null, serial: true });
    expect((await failureOf(plain.guests.screenshot(unseen))).code).toBe('console/unavailable');
  } finally {
    await plain.dispose();
  }
});

test('a port that somebody holds is named with who holds it', async () => {
  const port = await freePort();
  const forward = { protocol: 'tcp' as const, hostAddress: '127.0.0.1', hostPort: port, guestPort: 22 };
  const holder = createServer();
  await new Promise<void>((done) => holder.listen(port, '127.0.0.1', done));
  const taken = await startFailure({ nics: [nicOf({ forwards: [forward] })] });
  expect(taken.error).toMatchObject({ code: 'guest/port-taken', path: 'nics.0.forwards.0.hostPort' });
  expect(taken.error.message).toContain(`TCP port ${port} on 127.0.0.1`);
  expect(taken.error.message).toContain(`process ${process.pid}`);
  expect(taken.state.status).toBe('off');
  await new Promise((done) => holder.close(done));

  await bench.guests.start(taken.id);
  const second = await startFailure({ nics: [nicOf({ forwards: [forward] })] });
  expect(second.error.message).toContain(`the guest ${bench.guests.show(taken.id).spec.name} holds it`);
  await bench.guests.forceOff(taken.id);
});

test('more memory or processors than the computer has are refused', async () => {
  const memory = await startFailure({ memoryMiB: Math.ceil(totalmem() / 2 ** 20) + 1024 });
  expect(memory.error).toMatchObject({ code: 'host/not-enough-memory', path: 'memoryMiB' });
  const processors = await startFailure({
    cpu: { model: 'auto', sockets: 1, cores: cpus().length + 1, threads: 1, online: null, pins: [] },
  });
  expect(processors.error).toMatchObject({ code: 'host/too-many-cpus' });
});

test('disks that are missing, are folders, or point outside themselves are refused before QEMU sees them', async () => {
  const at = (path: string, format: 'qcow2' | 'raw' = 'qcow2') => ({ disks: [diskOf({ location: { kind: 'in-place', path }, format })] });
  expect((await startFailure(at(`${bench.home}/none.qcow2`))).error.code).toBe('image/file-missing');
  mkdirSync(`${bench.home}/folder`);
  expect((await startFailure(at(`${bench.home}/folder`, 'raw'))).error.code).toBe('image/not-a-file');
  writeFileSync(`${bench.home}/text.qcow2`, 'not a disk at all, but a text file that is long enough to have a header'.repeat(4));
  expect((await startFailure(at(`${bench.home}/text.qcow2`))).error.code).toBe('image/corrupt');
  qemuImg('create', '-q', '-f', 'qcow2', '-o', 'backing_file=/etc/shadow,backing_fmt=raw', `${bench.home}/backed.qcow2`, '1M');
  expect((await startFailure(at(`${bench.home}/backed.qcow2`))).error.code).toBe('image/outside-reference');
  qemuImg('create', '-q', '-f', 'qcow2', '-o', `data_file=${bench.home}/outside.raw`, `${bench.home}/datafile.qcow2`, '1M');
  expect((await startFailure(at(`${bench.home}/datafile.qcow2`))).error.code).toBe('image/outside-reference');
});

test('a disk that another process has open is said to be in use', async () => {
  const path = `${bench.home}/held.qcow2`;
  qemuImg('create', '-q', '-f', 'qcow2', path, '16M');
  const spec = { disks: [diskOf({ location: { kind: 'in-place', path } })] };
  const first = await addGuest(bench, blankSpec(spec));
  await bench.guests.start(first);
  const { error, state } = await startFailure(spec);
  expect(error).toMatchObject({ code: 'guest/start-failed' });
  expect(error.message).toContain('a disk is in use by another process');
  expect(state).toMatchObject({ status: 'crashed', crash: { kind: 'start-failed', exitStatus: 1 } });
  expect(state.crash?.lastWords).toContain('lock');
  await bench.guests.forceOff(first);
});

test('what QEMU refuses is passed on in its own words, and nothing of the attempt stays', async () => {
  const { id, error } = await startFailure({ extraArguments: ['-device', 'no-such-device'] });
  expect(error.message).toContain('has no device no-such-device');
  const other = await startFailure({ extraArguments: ['-no-such-option'] });
  expect(other.error.message).toContain('-no-such-option');
  for (const one of [id, other.id]) {
    const files = bench.layout.guest(one);
    expect(findQemu(files)).toBe(null);
    expect(existsSync(files.run)).toBe(false);
  }
  expect(bench.guests.runningCount()).toBe(0);
});

test('names are checked, and two guests never have the same one', async () => {
  const id = await addGuest(bench, blankSpec({ name: 'Twin' }));
  const refused = async (name: string) => (await failureOf(bench.guests.rename(id, name))).code;
  for (const name of ['a/b', 'a\\b', '..', '.', '', ' ', 'a\nb', 'a\u0000b', ' a', 'x'.repeat(300)])
    expect(await refused(name), JSON.stringify(name)).toBe('guest/name-invalid');
  const other = await addGuest(bench, blankSpec({ name: 'Other' }));
  expect(await refused('oTHER')).toBe('guest/name-taken');
  await bench.guests.rename(id, 'twin');
  await expect(addGuest(bench, blankSpec({ name: 'TWIN' }))).rejects.toMatchObject({ error: { code: 'guest/name-taken' } });
  await bench.guests.rename(id, 'İ — 🦊, ,"\'= and % $HOME `ls` ; rm -rf');
  await bench.guests.start(id);
  const pid = bench.guests.show(id).state.run?.pid as number;
  expect(commandLine(pid).join(' ')).toContain('🦊');
  await bench.guests.forceOff(id);

  // A name that was taken while the guest lay in the trash gets a number.
  await bench.guests.delete(other);
  const taker = await addGuest(bench, blankSpec({ name: 'Other' }));
  expect((await bench.guests.restore(other)).spec.name).toBe('Other (2)');
  expect(bench.guests.nameTaken('other (2)')).toBe(true);
  expect(bench.guests.nameTaken('Other', taker)).toBe(false);
});

test('deleting, starting and restoring at once leave one guest in one place', async () => {
  const id = await addGuest(bench, blankSpec());
  const files = bench.layout.guest(id);
  writeFileSync(`${files.folder}/mark`, '');
  const outcomes = await Promise.allSettled([
    bench.guests.delete(id),
    bench.guests.start(id),
    bench.guests.delete(id),
    bench.guests.restore(id),
  ]);
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled']);
  expect(bench.guests.show(id)).toMatchObject({ trashedAt: null, state: { status: 'off' } });
  expect(existsSync(`${files.folder}/mark`)).toBe(true);
  expect(existsSync(files.trashFolder)).toBe(false);
  await bench.guests.start(id);
  await bench.guests.forceOff(id);
});

test('an NVMe guest cannot be suspended, and is told why before anything happens', async () => {
  const path = `${bench.home}/nvme.qcow2`;
  qemuImg('create', '-q', '-f', 'qcow2', path, '16M');
  const id = await addGuest(bench, blankSpec({ disks: [diskOf({ bus: 'nvme', location: { kind: 'in-place', path } })] }));
  await bench.guests.start(id);
  expect(await failureOf(bench.guests.suspend(id, 'test'))).toMatchObject({
    code: 'guest/denied',
    message: expect.stringContaining('NVMe'),
  });
  await bench.guests.forceOff(id);
});

test('a saved state that is damaged leaves the guest suspended, and can be discarded', async () => {
  const id = await addGuest(bench, blankSpec());
  await bench.guests.start(id);
  await bench.jobs.ended((await bench.guests.suspend(id, 'test')).id);
  const { suspended } = bench.layout.guest(id);
  truncateSync(suspended, Math.floor(statSync(suspended).size / 2));
  expect((await failureOf(bench.guests.start(id))).code).toMatch(/^guest\//);
  expect(bench.guests.show(id).state.status).toBe('suspended');
  expect(existsSync(suspended)).toBe(true);
  await bench.guests.forceOff(id);
  expect(bench.guests.show(id).state.status).toBe('off');
  expect(existsSync(suspended)).toBe(false);
  await bench.guests.start(id);
  await bench.guests.forceOff(id);
});

test('forcing a guest off while it starts or is suspended ends it, whatever it was at', async () => {
  const id = await addGuest(bench, blankSpec());
  const start = bench.guests.start(id).catch(() => undefined);
  await bench.guests.forceOff(id);
  await start;
  expect(bench.guests.show(id).state.status).toBe('off');
  expect(findQemu(bench.layout.guest(id))).toBe(null);
  await bench.guests.start(id);
  const job = await bench.guests.suspend(id, 'test');
  await until('it is being suspended', () => bench.guests.show(id).state.status !== 'running');
  await bench.guests.forceOff(id);
  await bench.jobs.ended(job.id);
  expect(bench.guests.show(id).state.status).toBe('off');
  expect(findQemu(bench.layout.guest(id))).toBe(null);
});

test('a guest with a TPM brings its TPM along, and takes it with it', async () => {
  const id = await addGuest(bench, blankSpec({ firmware: 'uefi-secure', tpm: true }));
  const files = bench.layout.guest(id);
  await bench.guests.start(id);
  const tpm = Number(execFileSync('cat', [files.tpmPid]).toString());
  expect(commandLine(tpm).join(' ')).toContain(files.tpm);
  expect(existsSync(files.nvram)).toBe(true);
  process.kill((findQemu(files) as { pid: number }).pid, 'SIGKILL');
  await untilStatus(bench, id, 'crashed');
  await bench.guests.start(id);
  expect(commandLine(tpm)).toEqual([]);
  await bench.guests.forceOff(id);
  expect(existsSync(files.run)).toBe(false);
});
