/** The life of one real guest, in the order in which people do things to it; what it comes to is looked at with other tools than ours. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { GuestId } from '../../contract/ids.ts';
import { diskOf, nicOf } from '../../main/engine/drivers/qemu/arguments/golden-specs.ts';
import { pngSize } from '../../main/engine/drivers/qemu/png.ts';
import { commandLine } from '../../main/engine/drivers/qemu/process-table.ts';
import { QmpClient } from '../../main/engine/qmp/qmp-client.ts';
import { freePort } from '../support/free-port.ts';
import { addStarter, type Bench, openBench, readSerial, untilBooted, untilStatus } from '../support/guest-bench.ts';
import { until } from '../support/until.ts';

/** Booting takes seconds, and a minute on a computer that is busy with other things. */
const patient = { timeout: 480_000 };

let bench: Bench;
let id: GuestId;
let port: number;
/** A second control socket, so that what QEMU says can be asked beside the engine. */
let witness: string;

const show = () => bench.guests.show(id);
const shell = async (command: string) => {
  const { exitStatus, stdoutBase64, stderrBase64 } = await bench.guests.exec(id, ['/bin/sh', '-c', command], 20);
  return { exitStatus, out: Buffer.from(stdoutBase64, 'base64').toString().trim(), err: Buffer.from(stderrBase64, 'base64').toString() };
};
async function askQemu<T>(work: (qmp: QmpClient) => Promise<T>): Promise<T> {
  const qmp = await QmpClient.connect(witness);
  try {
    return await work(qmp);
  } finally {
    qmp.close();
  }
}
const qemuStatus = () => askQemu(async (qmp) => (await qmp.execute('query-status', {})).status);

beforeAll(async () => {
  bench = await openBench();
  witness = `${bench.home}/witness.sock`;
  port = await freePort();
  id = await addStarter(bench, {
    name: 'Füchsin, "the" guest 🦊',
    disks: [diskOf({ sizeBytes: 2 ** 30 })],
    nics: [nicOf({ forwards: [{ protocol: 'tcp', hostAddress: '127.0.0.1', hostPort: port, guestPort: 22 }] })],
    watchdog: { model: 'i6300esb', action: 'pause' },
    extraArguments: ['-qmp', `unix:${witness},server=on,wait=off`],
  });
}, 300_000);
afterAll(() => bench.dispose());

test('two starts and a delete at once start it once and delete nothing', async () => {
  const [first, second, deletion] = await Promise.allSettled([bench.guests.start(id), bench.guests.start(id), bench.guests.delete(id)]);
  expect(first.status).toBe('fulfilled');
  expect(second.status).toBe('fulfilled');
  expect(deletion).toMatchObject({ status: 'rejected', reason: { error: { code: 'guest/denied' } } });
  expect(show().state).toMatchObject({ status: 'running', run: { accelerator: 'tcg', emulated: true } });
  const pid = show().state.run?.pid as number;
  expect(commandLine(pid)).toEqual(await bench.guests.arguments(id));
  expect(await qemuStatus()).toBe('running');
});

test('the guest boots, and who joins its serial console late sees how', patient, async () => {
  const serial = await untilBooted(bench, id);
  const late = readSerial(bench, id);
  expect(late.says('root@starter')).toBe(true);
  serial.send('echo $((40+2))-serial');
  await serial.until('42-serial');
  await late.until('42-serial');
  serial.detach();
  late.detach();
});

test('the agent is noticed by itself, and tells the address and the name of the guest', patient, async () => {
  const run = await until(
    'the agent told of an address',
    () => {
      const { run: now } = show().state;
      return now?.qemuAgent && now.addresses.length > 0 ? now : null;
    },
    60_000,
  );
  expect(run.addresses).toContain('10.0.2.15');
  expect(run.hostname).toBe('starter');
});

test('a command runs in the guest with its output and status', async () => {
  expect(await shell('uname -s; echo oops >&2; exit 3')).toEqual({ exitStatus: 3, out: 'Linux', err: 'oops\n' });
  await expect(bench.guests.exec(id, ['/no/such/program'], 5)).rejects.toMatchObject({ error: { code: 'guest/agent-failed' } });
  await expect(bench.guests.exec(id, ['/bin/sleep', '30'], 1)).rejects.toMatchObject({ error: { code: 'guest/not-responding' } });
});

test('the forwarded port reaches the guest', async () => {
  const greeting = await until(
    'ssh greets',
    () =>
      new Promise<string | null>((done) => {
        const socket = createConnection({ host: '127.0.0.1', port });
        socket.setTimeout(2000, () => socket.destroy());
        socket.once('data', (bytes) => {
          done(bytes.toString());
          socket.destroy();
        });
        socket.once('error', () => done(null));
        socket.once('close', () => done(null));
      }),
  );
  expect(greeting).toMatch(/^SSH-2\.0/);
});

test('text is typed on the keyboard of the guest as it is', async () => {
  const text = "echo 'aZ09 !@#$%^&*()_+-=[]{}|;:\",.<>/?`~' > /tmp/typed\n";
  await bench.guests.type(id, text);
  await until('what was typed has arrived', async () => (await shell('cat /tmp/typed')).out === 'aZ09 !@#$%^&*()_+-=[]{}|;:",.<>/?`~');
  await bench.guests.sendKeys(id, ['ctrl', 'l']);
});

test('a screenshot is a picture of the size that the guest is said to have', async () => {
  const shot = await bench.guests.screenshot(id);
  expect(pngSize(shot.png)).toEqual({ widthPx: shot.widthPx, heightPx: shot.heightPx });
  expect(show().state.run?.resolution).toEqual({ widthPx: shot.widthPx, heightPx: shot.heightPx });
  const thumbnail = await bench.guests.thumbnail(id, 60_000);
  expect(thumbnail?.equals(shot.png)).toBe(true);
});

test('measurements follow what the guest does', async () => {
  await bench.guests.measure(id);
  await shell('dd if=/dev/zero of=/home/root/load bs=1M count=24 conv=fsync 2>/dev/null; rm /home/root/load');
  const sample = await bench.guests.measure(id);
  expect(sample?.cpuCores).toBeGreaterThan(0.01);
  expect(sample?.memoryBytes).toBeGreaterThan(50 * 2 ** 20);
  expect(sample?.diskWriteBytesPerSecond).toBeGreaterThan(2 ** 20);
  expect(sample?.netReceiveBytesPerSecond).toEqual(expect.any(Number));
});

test('a pause is a pause for QEMU too, and only what is possible then is done', async () => {
  await Promise.all([bench.guests.pause(id), bench.guests.pause(id)]);
  expect(show().state).toMatchObject({ status: 'paused', pause: { kind: 'user' } });
  expect(await qemuStatus()).toBe('paused');
  await expect(bench.guests.type(id, 'x')).rejects.toMatchObject({ error: { code: 'guest/denied' } });
  await expect(bench.guests.shutdown(id, 5)).rejects.toMatchObject({ error: { message: 'The guest is paused. Resume it first.' } });
  await bench.guests.resume(id);
  await bench.guests.resume(id);
  expect(await qemuStatus()).toBe('running');
});

test('a pause from outside is seen', async () => {
  await askQemu((qmp) => qmp.execute('stop', {}));
  await untilStatus(bench, id, 'paused');
  await askQemu((qmp) => qmp.execute('cont', {}));
  await untilStatus(bench, id, 'running');
});

test('a rename of the running guest is a matter of the library', async () => {
  await bench.guests.rename(id, 'Renamed');
  expect(show().spec.name).toBe('Renamed');
});

test('a new engine takes the running guest over, serial console and all', async () => {
  const { pid, startedAt } = show().state.run ?? {};
  await bench.reopen();
  expect(show().state).toMatchObject({ status: 'running', run: { pid, startedAt, qemuAgent: true } });
  expect(show().spec.name).toBe('Renamed');
  const serial = readSerial(bench, id);
  expect(serial.says('42-serial')).toBe(true);
  serial.send('echo $((40+3))-again');
  await serial.until('43-again');
  serial.detach();
});

test('suspended to disk it takes no memory, and goes on where it was', patient, async () => {
  await shell('(i=0; while true; do i=$((i+1)); echo $i > /tmp/count; usleep 100000; done) >/dev/null 2>&1 </dev/null &');
  const pid = show().state.run?.pid as number;
  const job = await bench.jobs.ended((await bench.guests.suspend(id, 'test')).id);
  expect(job).toMatchObject({ state: 'succeeded', kind: 'guest.suspend' });
  expect(show().state.status).toBe('suspended');
  expect(commandLine(pid)).toEqual([]);
  const files = bench.layout.guest(id);
  expect(existsSync(files.suspended)).toBe(true);
  expect(existsSync(files.run)).toBe(false);
  expect(pngSize((await bench.guests.thumbnail(id, 0)) as Buffer)).not.toBe(null);
  execFileSync('qemu-img', ['check', '-q', files.disk('disk0.qcow2')]);

  await bench.reopen();
  expect(show().state.status).toBe('suspended');
  await bench.guests.start(id);
  expect(await qemuStatus()).toBe('running');
  expect(existsSync(files.suspended)).toBe(false);
  expect(existsSync(`${files.suspended}.used`)).toBe(false);
  await until('the agent is back', () => show().state.run?.qemuAgent);
  const count = async () => Number((await shell('cat /tmp/count')).out);
  const first = await until('the counter is there', count);
  await until('the counter goes on', async () => (await count()) > first);
});

test('a cancelled suspend leaves the guest running', async () => {
  const job = await bench.guests.suspend(id, 'test');
  bench.jobs.cancel(job.id, 'by the test');
  const ended = await bench.jobs.ended(job.id);
  expect(ended.state).toBe('cancelled');
  await untilStatus(bench, id, 'running');
  expect(await qemuStatus()).toBe('running');
  expect(existsSync(bench.layout.guest(id).suspended)).toBe(false);
});

test('a watchdog that nobody feeds stops the guest and says so', async () => {
  await shell('rmmod i6300esb; modprobe i6300esb heartbeat=2; exec 3>/dev/watchdog; echo >&3; exec 3>&-; true');
  const state = await untilStatus(bench, id, 'paused');
  expect(state.pause).toMatchObject({ kind: 'watchdog' });
  expect(await qemuStatus()).toBe('watchdog');
  expect(bench.events.some(({ kind }) => kind === 'guest.watchdog')).toBe(true);
  await bench.guests.resume(id);
  expect(await qemuStatus()).toBe('running');
  await shell('rmmod i6300esb');
});

test('a kernel panic is named, and only a reset or power off helps', async () => {
  const serial = readSerial(bench, id);
  serial.send('echo c > /proc/sysrq-trigger');
  const state = await untilStatus(bench, id, 'paused');
  expect(state.pause?.kind).toBe('guest-panicked');
  expect(await qemuStatus()).toBe('guest-panicked');
  expect(bench.events.some(({ kind }) => kind === 'guest.panicked')).toBe(true);
  await expect(bench.guests.resume(id)).rejects.toMatchObject({ error: { code: 'guest/denied' } });
  await bench.reopen();
  expect(show().state.pause?.kind).toBe('guest-panicked');
  await bench.guests.reset(id);
  expect(await qemuStatus()).toBe('running');
});

test('a shutdown that the guest cannot hear is told as unanswered, and forcing off ends it', async () => {
  // The firmware and the boot loader know no power button.
  await bench.guests.reset(id);
  await bench.guests.shutdown(id, 1);
  expect(show().state).toMatchObject({ status: 'stopping', shutdown: { unanswered: false } });
  await until('it is unanswered', () => show().state.shutdown?.unanswered);
  const pid = show().state.run?.pid as number;
  await bench.guests.forceOff(id);
  expect(show().state).toMatchObject({ status: 'off' });
  expect(commandLine(pid)).toEqual([]);
});

test('a shutdown asked of the system ends in a guest that is off, with a whole disk and its last picture', patient, async () => {
  await bench.guests.start(id);
  (await untilBooted(bench, id)).detach();
  // So early nobody may listen to the power button yet: then the agent is asked as soon as it is there.
  await bench.guests.shutdown(id, 120);
  await untilStatus(bench, id, 'off', 110_000);
  const { state } = show();
  expect(state.crash).toBe(undefined);
  execFileSync('qemu-img', ['check', '-q', bench.layout.guest(id).disk('disk0.qcow2')]);
  expect(readFileSync(bench.layout.guest(id).lastFrame).length).toBeGreaterThan(100);
  await until('nothing of the run is left', () => !existsSync(bench.layout.guest(id).run));
});

test('a deleted guest lies in the trash with its disk, comes back, and is gone when purged', async () => {
  const files = bench.layout.guest(id);
  await bench.guests.delete(id);
  await bench.guests.delete(id);
  expect(existsSync(`${files.trashFolder}/disk0.qcow2`)).toBe(true);
  expect(existsSync(files.folder)).toBe(false);
  await expect(bench.guests.start(id)).rejects.toMatchObject({ error: { code: 'guest/denied' } });
  await bench.reopen();
  expect(bench.guests.list()).toEqual([]);
  expect(bench.guests.listTrash().map((guest) => guest.id)).toEqual([id]);
  await bench.guests.restore(id);
  await bench.guests.restore(id);
  expect(existsSync(files.disk('disk0.qcow2'))).toBe(true);
  await expect(bench.guests.purge(id, 'test')).rejects.toMatchObject({ error: { code: 'guest/not-in-trash' } });
  await bench.guests.delete(id);
  expect((await bench.jobs.ended((await bench.guests.purge(id, 'test')).id)).state).toBe('succeeded');
  expect(() => show()).toThrow('There is no guest');
  expect(existsSync(files.trashFolder)).toBe(false);
});
