/** What QEMU does not tell by itself is seen all the same: that it hangs, and that a guest which stood still was moved away. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import type { GuestId } from '../../contract/ids.ts';
import { findQemu } from '../../main/engine/drivers/qemu/find-qemu.ts';
import { QmpClient } from '../../main/engine/qmp/qmp-client.ts';
import { addGuest, blankSpec, type GuestEngine, layoutIn, openGuestEngine, untilStatus } from '../support/guest-bench.ts';
import { until } from '../support/until.ts';

async function startedGuest(): Promise<{ engine: GuestEngine; id: GuestId; home: string }> {
  const home = await mkdtemp('/tmp/gh-');
  const engine = await openGuestEngine(home);
  const id = await addGuest(
    engine,
    blankSpec({
      name: 'Quiet',
      display: { device: 'std', heads: 1 },
      extraArguments: ['-qmp', `unix:${home}/w.sock,server=on,wait=off`],
    }),
  );
  onTestFinished(async () => {
    await engine.guests.forceOff(id).catch(() => undefined);
    await engine.close();
    await rm(home, { recursive: true, force: true });
  });
  await engine.guests.start(id);
  await untilStatus(engine, id, 'running');
  return { engine, id, home };
}

/** Takes what comes, and keeps it open. */
async function listenAt(path: string): Promise<{ bytes: () => number }> {
  let bytes = 0;
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', (piece) => {
      bytes += piece.byteLength;
    });
  });
  await new Promise<void>((settle) => server.listen(path, settle));
  onTestFinished(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return { bytes: () => bytes };
}

test('a QEMU that hangs is said not to answer, since when, and no more once it does', async () => {
  const { engine, id, home } = await startedGuest();
  const { pid } = findQemu(layoutIn(home).guest(id)) as { pid: number };
  const state = () => engine.guests.show(id).state;
  const before = Date.now();
  process.kill(pid, 'SIGSTOP');
  const since = await until('it is said', () => state().run?.silentSince ?? null, 60_000);
  expect(Date.parse(since)).toBeGreaterThan(before - 1000);
  expect([state().status, state().problems]).toEqual(['running', ['Quiet runs, but QEMU does not answer for it.']]);
  process.kill(pid, 'SIGCONT');
  await until('it is said no more', () => state().run?.silentSince === null, 60_000);
  expect([state().status, state().problems]).toEqual(['running', []]);
});

test('a guest that was paused before it was moved by hand is said to be moved', async () => {
  const { engine, id, home } = await startedGuest();
  await engine.guests.pause(id);
  expect(engine.guests.show(id).state.pause?.kind).toBe('user');
  const files = layoutIn(home).guest(id);
  await listenAt(files.spiceMoved);
  const there = await listenAt(`${home}/there.sock`);
  const hand = await QmpClient.connect(`${home}/w.sock`);
  onTestFinished(() => hand.close());
  await hand.execute('migrate', { uri: `unix:${home}/there.sock` });
  await until('the engine has seen it', () => engine.guests.show(id).state.pause?.kind === 'moved', 60_000);
  expect(there.bytes()).toBeGreaterThan(0);
  expect(engine.guests.show(id).state.status).toBe('paused');
});
