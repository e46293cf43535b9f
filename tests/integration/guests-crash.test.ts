/** Nothing is lost: QEMU and engines are killed at points that nobody chose, and what the next engine finds is compared with the processes and files that are there. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import Sqlite from 'better-sqlite3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { GuestId } from '../../contract/ids.ts';
import { findQemu } from '../../main/engine/drivers/qemu/find-qemu.ts';
import { isAlive, type ProcessId } from '../../main/engine/drivers/qemu/process-table.ts';
import { QmpClient } from '../../main/engine/qmp/qmp-client.ts';
import { forkEngine } from '../support/fork-engine.ts';
import { addGuest, blankSpec, type GuestEngine, layoutIn, openGuestEngine, untilStatus } from '../support/guest-bench.ts';
import type { PlainVerb } from '../support/guest-engine-process.ts';
import { until } from '../support/until.ts';

let home: string;
let id: GuestId;
let witness: string;

/** Another engine over the same data root, for as long as `work` takes. */
async function withEngine<T>(work: (engine: GuestEngine) => Promise<T>): Promise<T> {
  const engine = await openGuestEngine(home);
  try {
    return await work(engine);
  } finally {
    await engine.close();
  }
}
const files = () => layoutIn(home).guest(id);
const qemu = () => findQemu(files());
const statusOf = (engine: GuestEngine) => engine.guests.show(id).state.status;
async function askWitness<T>(work: (qmp: QmpClient) => Promise<T>): Promise<T> {
  const qmp = await QmpClient.connect(witness);
  try {
    return await work(qmp);
  } finally {
    qmp.close();
  }
}
const qemuStatus = () => askWitness(async (qmp) => (await qmp.execute('query-status', {})).status);

/** A number between 0 and `below` that is another in every run; said when something fails. */
const anyMs = (below: number) => Math.floor(Math.random() * below);

beforeAll(async () => {
  home = await mkdtemp('/tmp/gh-');
  witness = `${home}/w.sock`;
  await withEngine(async (engine) => {
    id = await addGuest(engine, blankSpec({ name: 'Crash', extraArguments: ['-qmp', `unix:${witness},server=on,wait=off`] }));
  });
});
afterAll(async () => {
  await withEngine((engine) => engine.guests.forceOff(id).catch(() => undefined));
  await rm(home, { recursive: true, force: true });
});

test('QEMU killed with -9 is a crash with its signal and last words, and the guest starts again', async () => {
  await withEngine(async (engine) => {
    await engine.guests.start(id);
    process.kill((qemu() as ProcessId).pid, 'SIGKILL');
    const state = await untilStatus(engine, id, 'crashed');
    expect(state.crash).toMatchObject({ kind: 'killed', exitStatus: 137, signal: 'SIGKILL' });
    expect(state.run).toBe(undefined);
    await engine.guests.start(id);
    expect(engine.guests.show(id).state.crash).toBe(undefined);
    process.kill((qemu() as ProcessId).pid, 'SIGTERM');
    const terminated = await untilStatus(engine, id, 'crashed');
    expect(terminated.crash).toMatchObject({ kind: 'killed', exitStatus: 0 });
    expect(terminated.crash?.text).toContain(`from process ${process.pid}`);
    expect(terminated.crash?.lastWords).toContain('terminating on signal 15');
  });
});

test('how a guest ended while no engine was there is known to the next one', async () => {
  await withEngine((engine) => engine.guests.start(id));
  const first = qemu() as ProcessId;
  process.kill(first.pid, 'SIGKILL');
  await until('QEMU is dead', () => !isAlive(first));
  await withEngine(async (engine) => {
    expect(engine.guests.show(id).state).toMatchObject({ status: 'crashed', crash: { kind: 'killed', exitStatus: 137 } });
    await engine.guests.start(id);
  });
  const second = qemu() as ProcessId;
  await askWitness((qmp) => qmp.execute('quit', {}).catch(() => undefined));
  await until('QEMU has quit', () => !isAlive(second));
  await withEngine(async (engine) => expect(engine.guests.show(id).state).toMatchObject({ status: 'off' }));
});

test('a QEMU that hangs does not keep an engine from coming up, and can be forced off', async () => {
  await withEngine((engine) => engine.guests.start(id));
  const hung = qemu() as ProcessId;
  process.kill(hung.pid, 'SIGSTOP');
  await withEngine(async (engine) => {
    expect(statusOf(engine)).toBe('running');
    expect(engine.guests.show(id).state.problems.join()).toContain('does not answer');
    await expect(engine.guests.pause(id)).rejects.toMatchObject({ error: { code: 'guest/not-responding' } });
    await engine.guests.forceOff(id);
    expect(statusOf(engine)).toBe('off');
  });
  expect(isAlive(hung)).toBe(false);
});

test('a QEMU that hung and wakes up is joined again', async () => {
  await withEngine((engine) => engine.guests.start(id));
  const hung = qemu() as ProcessId;
  process.kill(hung.pid, 'SIGSTOP');
  await withEngine(async (engine) => {
    process.kill(hung.pid, 'SIGCONT');
    await until('it answers again', () =>
      engine.guests.pause(id).then(
        () => true,
        () => false,
      ),
    );
    expect(await qemuStatus()).toBe('paused');
    expect(engine.guests.show(id).state.problems).toEqual([]);
    await engine.guests.forceOff(id);
  });
});

test('a running guest that the database says nothing of is found by its process', async () => {
  await withEngine((engine) => engine.guests.start(id));
  const { pid } = qemu() as ProcessId;
  // As after an older copy of the database was put back.
  const database = new Sqlite(layoutIn(home).database);
  database.exec('UPDATE guests SET run = NULL');
  database.close();
  await withEngine(async ({ guests }) => {
    expect(guests.show(id).state).toMatchObject({ status: 'running', run: { pid } });
    await guests.forceOff(id);
    expect(qemu()).toBe(null);
  });
});

test('a shutdown that was asked is still waited for by the next engine', async () => {
  await withEngine(async ({ guests }) => {
    await guests.start(id);
    // Firmware that finds nothing to boot does not hear the power button.
    await guests.shutdown(id, 2);
    expect(guests.show(id).state).toMatchObject({ status: 'stopping', shutdown: { by: 'acpi', unanswered: false } });
  });
  await withEngine(async ({ guests, events }) => {
    expect(guests.show(id).state.status).toBe('stopping');
    await until('it is unanswered', () => guests.show(id).state.shutdown?.unanswered);
    expect(events.some(({ kind }) => kind === 'guest.shutdownUnanswered')).toBe(true);
    await guests.forceOff(id);
    expect(guests.show(id).state).toMatchObject({ status: 'off' });
  });
});

test('guests that start with the engine do, and those in the trash do not', async () => {
  await withEngine(async ({ guests }) => {
    await guests.annotate(id, { autostart: true });
    await guests.delete(id);
  });
  await withEngine(async ({ guests }) => {
    await guests.autostart();
    expect(guests.runningCount()).toBe(0);
    await guests.restore(id);
    await guests.autostart();
    expect(guests.show(id).state.status).toBe('running');
    await guests.annotate(id, { autostart: false });
    await guests.forceOff(id);
  });
});

type Round = {
  verb: PlainVerb;
  /** What the guest is brought to first. */
  first: PlainVerb[];
  allowed: string[];
  withinMs: number;
  times: number;
};
const rounds: Record<string, Round> = {
  start: { verb: 'start', first: [], allowed: ['off', 'running'], withinMs: 400, times: 4 },
  'force off': { verb: 'forceOff', first: ['start'], allowed: ['off', 'running'], withinMs: 150, times: 2 },
  suspend: { verb: 'suspend', first: ['start'], allowed: ['running', 'suspended'], withinMs: 400, times: 4 },
  'suspend while paused': { verb: 'suspend', first: ['start', 'pause'], allowed: ['paused', 'suspended'], withinMs: 400, times: 1 },
  'start of a suspended guest': { verb: 'start', first: ['start', 'suspend'], allowed: ['suspended', 'running'], withinMs: 700, times: 4 },
  reset: { verb: 'reset', first: ['start'], allowed: ['running'], withinMs: 100, times: 1 },
  delete: { verb: 'delete', first: [], allowed: ['off'], withinMs: 30, times: 2 },
};

test.for(Object.keys(rounds))('an engine killed at any point of %s leaves a guest that the next engine knows', async (name) => {
  const { verb, first, allowed, withinMs, times } = rounds[name] as Round;
  for (let round = 0; round < times; round++) {
    const engine = await forkEngine(home);
    for (const earlier of first) expect(await engine.order({ verb: earlier, id })).toBe('done');
    const afterMs = anyMs(withinMs);
    await engine.orderAndKill({ verb, id }, afterMs);
    await withEngine(async (next) => {
      const where = `round ${round}, killed after ${afterMs} ms`;
      if (next.guests.show(id).trashedAt !== null) {
        expect(existsSync(files().folder), where).toBe(false);
        await next.guests.restore(id);
      }
      expect(existsSync(files().folder), where).toBe(true);
      const status = statusOf(next);
      expect(allowed, `${where}: ${JSON.stringify(next.guests.show(id).state)}`).toContain(status);
      const found = qemu();
      expect(found !== null, `${where}: ${status}`).toBe(status === 'running' || status === 'paused');
      expect(existsSync(files().suspended), where).toBe(status === 'suspended');
      expect(existsSync(`${files().suspended}.new`), where).toBe(false);
      // After a suspend that was cut short QEMU names a guest that stands still by what came before.
      const asked = status === 'paused' ? ['paused', 'postmigrate'] : [status];
      if (found) expect(asked, where).toContain(await qemuStatus());
      if (status === 'paused') {
        await next.guests.resume(id);
        expect(await qemuStatus(), where).toBe('running');
      }
      // A suspended guest that was interrupted can still go on; every round leaves it off.
      if (status === 'suspended' && first.includes('suspend')) await next.guests.start(id);
      await next.guests.forceOff(id);
      expect(statusOf(next), where).toBe('off');
      expect(qemu(), where).toBe(null);
    });
  }
});
