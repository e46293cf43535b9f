/**
 * What an engine does with one guest when it begins: finds what the row says should run, and carries on or takes back what the engine
 * before it was at when it ended. Nothing here assumes that that engine ended in good order.
 *
 * | the row says            | QEMU runs                                   | QEMU is gone                          |
 * |-------------------------|---------------------------------------------|---------------------------------------|
 * | run, not begun          | begun                                       | off or crashed, by its exit status    |
 * | run                     | shown as it is                              | off or crashed, by its exit status    |
 * | shutdown asked          | waited for                                  | off or crashed, by its exit status    |
 * | force off asked         | forced off                                  | off                                   |
 * | suspend asked, no state | goes on (or stands still, as before)        | crashed                               |
 * | suspend asked, state    | ended; suspended                            | suspended                             |
 * | loading, state unused   | ended; suspended                            | suspended                             |
 * | loading, state in use   | begun; state removed                        | off or crashed; state removed         |
 * | nothing                 | found by its command line, shown as it is   | off, crashed or suspended             |
 */
import type { Driver, DriverRun } from '../drivers/driver.ts';
import type { Log } from '../log/log.ts';
import type { GuestActor } from './guest-actor.ts';
import { words } from './guest-words.ts';
import type { RunRecord } from './store.ts';

export async function adoptGuest(actor: GuestActor, driver: Driver, log: Log): Promise<void> {
  const { record, files } = actor;
  if (record.now.creating || record.now.trashedAt !== null) return;
  if (!record.now.run) {
    const facts = driver.find(files);
    if (facts) record.note({ run: { facts, ask: null, wasPaused: false, loading: false, shutdown: null, problems: [], spec: null } });
    else return reconcileSaved(actor, driver);
  }
  const run = record.now.run as RunRecord;
  const { id } = record.now;
  const spec = actor.record.runsWith ?? record.now.spec;
  const found = await driver.adopt({ id, spec, files }, run.facts, actor.hear);
  if (!('observe' in found)) {
    // The engine ended between the state being durable and the row saying so: what the row lacks is known from the run.
    if (run.ask === 'suspend' && driver.savedState(files) === 'whole') record.noteSaved(run.facts);
    actor.settle(found);
    return actor.cleared;
  }
  actor.takeOver(found);
  record.noteRun({ facts: found.facts });
  actor.say(words.adopted(actor.name));
  try {
    await carryOn(actor, driver, found, run);
  } catch (thrown) {
    // It lives but does not answer, or does not do what it should: shown as running, so that it can be forced off.
    log.warn({ guest: id, error: String(thrown) }, 'A guest was found that does not do what it is told.');
    if (!actor.run) return;
    actor.show('running');
    actor.problem(`${actor.name} was running when the engine started: ${thrown instanceof Error ? thrown.message : thrown}`);
  }
}

async function carryOn(actor: GuestActor, driver: Driver, found: DriverRun, run: RunRecord): Promise<void> {
  const { record, files } = actor;
  if (run.ask === 'forceOff') {
    actor.show('running');
    return found.end();
  }
  if (run.ask === 'suspend') return carryOnSuspend(actor, driver, found, run);
  if (run.loading) return carryOnLoading(actor, driver, found);
  if (record.now.saved) await actor.savedIsUsed();
  else await driver.dropSaved(files);
  const observed = await found.observe();
  if (observed.kind === 'waiting') await found.begin();
  if (observed.kind === 'paused') actor.show('paused', observed.reason);
  else actor.show('running');
  if (run.shutdown && observed.kind === 'running') actor.ladder.await(run.shutdown);
}

async function carryOnSuspend(actor: GuestActor, driver: Driver, found: DriverRun, run: RunRecord): Promise<void> {
  if (driver.savedState(actor.files) === 'whole') {
    actor.show('suspending');
    return actor.finishSuspend(found);
  }
  await driver.dropSaved(actor.files);
  actor.record.noteRun({ ask: null });
  if (run.wasPaused) {
    actor.show('paused', { kind: 'user', text: 'The guest was paused.' });
  } else {
    await found.resume();
    actor.show('running');
  }
  actor.say(words.suspendUndone(actor.name));
}

async function carryOnLoading(actor: GuestActor, driver: Driver, found: DriverRun): Promise<void> {
  if (driver.savedState(actor.files) === 'whole') {
    // It was given only a part of its state, and what it has cannot run.
    actor.show('suspending');
    return found.end();
  }
  const observed = await found.observe();
  if (observed.kind !== 'running') await found.begin();
  await actor.savedIsUsed();
  actor.show('running');
}

/** No run is written down and none is there: the row and the file must agree on whether the guest is suspended. */
async function reconcileSaved(actor: GuestActor, driver: Driver): Promise<void> {
  const state = driver.savedState(actor.files);
  if (actor.record.now.saved) {
    if (state === 'whole') return;
    actor.record.note({ saved: null });
    actor.show('off');
    actor.say(words.stateLost(actor.name));
  }
  await driver.dropSaved(actor.files);
}
