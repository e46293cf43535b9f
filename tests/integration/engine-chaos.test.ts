/** Verbs from several clients at once, and an engine that is killed at any instant: what is shown stays what is. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { toGuesthouseError } from '../../contract/errors.ts';
import type { Guest } from '../../contract/guest-state.ts';
import type { GuestId } from '../../contract/ids.ts';
import { jobEnded } from '../../contract/job.ts';
import type { EngineClient } from '../../main/client/engine-client.ts';
import { makeStarterGuest } from '../support/starter-guest.ts';
import { until } from '../support/until.ts';
import { connect, engineHome, killEngine } from '../support/whole-engine.ts';

const rounds = 20;
const verbs = ['start', 'start', 'pause', 'resume', 'forceOff', 'reset', 'suspend', 'delete', 'restore', 'start'] as const;
/** What a verb may answer: done, not possible now, or no answer because the engine was killed. */
const expected = new Set(['done', 'guest/denied', 'guest/not-in-trash', 'engine/unreachable']);

/** Numbers from 0 to 1 that are the same in every run, so that a failure can be seen again. */
function sequence(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** The QEMU processes that use this data folder, whatever the engine thinks. */
function qemuPids(home: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const argv = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
        return /qemu-system/.test(argv[0] ?? '') && argv.some((argument) => argument.includes(`${home}/run/`));
      } catch {
        return false;
      }
    })
    .map(Number);
}

async function find(client: EngineClient, id: GuestId): Promise<Guest | undefined> {
  const listed = [...(await client.call('guest.list', {})), ...(await client.call('guest.list', { trash: true }))];
  return listed.find((guest) => guest.id === id);
}

test('whatever clients ask at once, and whenever the engine is killed, the guest is there, is what is shown, and its disk is whole', async () => {
  const home = await engineHome();
  const random = sequence(20_261_123);
  let client = await connect(home);
  const { id } = await makeStarterGuest(client, 'Storm');

  for (let round = 0; round < rounds; round++) {
    const asked = Array.from({ length: 1 + Math.floor(random() * 3) }, async () => {
      const verb = verbs[Math.floor(random() * verbs.length)] ?? 'start';
      try {
        await client.call(`guest.${verb}`, { guest: id }, { timeoutMs: 90_000 });
        return 'done';
      } catch (thrown) {
        return toGuesthouseError(thrown).code;
      }
    });
    if (random() < 0.4) {
      await pause(random() * 1500);
      await killEngine(client);
      await Promise.all(asked);
      client = await connect(home);
    }
    for (const outcome of await Promise.all(asked)) expect(expected).toContain(outcome);

    await until(
      `round ${round}: the guest to settle as what is seen of its process`,
      async () => {
        const guest = await find(client, id);
        if (!guest) throw new Error(`The guest is gone in round ${round}.`);
        if (['starting', 'stopping', 'suspending'].includes(guest.state.status)) return false;
        return JSON.stringify(qemuPids(home)) === JSON.stringify(guest.state.run ? [guest.state.run.pid] : []);
      },
      60_000,
    );
  }

  await until('every job to end', async () => (await client.call('job.list', {})).every((job) => jobEnded.has(job.state)), 60_000);
  const last = await find(client, id);
  if (last?.trashedAt) await client.call('guest.restore', { guest: id });
  await client.call('guest.forceOff', { guest: id });
  await until('QEMU to be gone', () => qemuPids(home).length === 0);
  execFileSync('qemu-img', ['check', join(home, 'guests', id, 'disk0.qcow2')]);
  client.close();
}, 300_000);
