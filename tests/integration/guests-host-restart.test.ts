/** What becomes of guests when the computer was restarted: nothing in the run folder is left, and process ids mean nothing any more. */
import { rm } from 'node:fs/promises';
import Sqlite from 'better-sqlite3';
import { expect, onTestFinished, test } from 'vitest';
import type { GuestId } from '../../contract/ids.ts';
import { addStarter, type Bench, openBench, readSerial, shellPrompt, untilBooted, untilStatus } from '../support/guest-bench.ts';
import { until } from '../support/until.ts';

async function bench(): Promise<Bench> {
  const opened = await openBench();
  onTestFinished(() => opened.dispose());
  return opened;
}

function withDatabase<T>(engine: Bench, work: (database: Sqlite.Database) => T): T {
  const database = new Sqlite(engine.layout.database);
  try {
    return work(database);
  } finally {
    database.close();
  }
}

const runOf = (engine: Bench, id: GuestId) =>
  withDatabase(engine, (database) => JSON.parse(String(database.prepare('SELECT run FROM guests WHERE id = ?').pluck().get(id))).run);

/** The engine and every process are gone, and so is what lies where a restart takes it. `change` is made to the rows meanwhile. */
async function restartComputer(engine: Bench, change: (database: Sqlite.Database) => void = () => undefined): Promise<void> {
  const pids = engine.guests.list().flatMap(({ state }) => (state.run ? [state.run.pid] : []));
  await engine.close();
  for (const pid of pids) process.kill(pid, 'SIGKILL');
  // The shell around each QEMU still writes down how that ended.
  await rm(engine.layout.run, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  withDatabase(engine, change);
  await engine.reopen();
}

test('a guest that was suspended goes on after a restart of the computer, also when the engine had no time to note that it was', async () => {
  const engine = await bench();
  const id = await addStarter(engine);
  await engine.guests.start(id);
  const serial = await untilBooted(engine, id);
  // Kept in memory alone: a guest that started anew would have lost it.
  serial.send('echo kept-$((40 + 2)) > /tmp/in-memory; echo stored-$((40 + 1))');
  await serial.until('stored-41');
  serial.detach();
  const run = runOf(engine, id);
  const job = await engine.guests.suspend(id, 'root via test');
  expect(await engine.jobs.ended(job.id)).toMatchObject({ state: 'succeeded' });

  for (const noted of [true, false]) {
    await restartComputer(engine, (database) => {
      if (noted) return;
      const facts = { ...run.facts, bootId: 'a boot before this one' };
      const row = JSON.stringify({ run: { ...run, facts, ask: 'suspend' }, saved: null });
      database.prepare('UPDATE guests SET run = ?, suspended = 0 WHERE id = ?').run(row, id);
    });
    expect(engine.guests.show(id).state.status).toBe('suspended');
    await engine.guests.start(id);
    await untilStatus(engine, id, 'running');
    const again = readSerial(engine, id);
    again.send('cat /tmp/in-memory');
    await again.until('kept-42');
    await again.until(shellPrompt);
    again.detach();
    if (!noted) break;
    const next = await engine.guests.suspend(id, 'root via test');
    expect(await engine.jobs.ended(next.id)).toMatchObject({ state: 'succeeded' });
  }
}, 240_000);

test('a disposable guest that ran when the computer was restarted is gone, and an ordinary one is shown as stopped by it', async () => {
  const engine = await bench();
  const id = await addStarter(engine);
  const { guest, job } = await engine.clones.disposable({ guest: id }, 'root via test');
  expect(await engine.jobs.ended(job.id)).toMatchObject({ state: 'succeeded' });
  await engine.guests.start(id);
  await restartComputer(engine, (database) => {
    for (const each of [id, guest.id]) {
      const { run } = JSON.parse(String(database.prepare('SELECT run FROM guests WHERE id = ?').pluck().get(each)));
      const row = JSON.stringify({ run: { ...run, facts: { ...run.facts, bootId: 'a boot before this one' } }, saved: null });
      database.prepare('UPDATE guests SET run = ? WHERE id = ?').run(row, each);
    }
  });
  expect(engine.guests.show(id).state).toMatchObject({ status: 'crashed', crash: { kind: 'host-restarted' } });
  await until('the disposable one is gone', () => engine.guests.list().length === 1);
}, 120_000);
