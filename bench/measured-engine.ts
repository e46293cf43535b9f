/** An engine with a data folder of its own, for one measurement. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { cacheDirectory, projectRoot } from '../build/places.ts';
import { ensureStarter } from '../build/starter/make.ts';
import type { CreateChoices } from '../contract/guest-creation.ts';
import type { Guest } from '../contract/guest-state.ts';
import type { GuestId } from '../contract/ids.ts';
import { jobEnded } from '../contract/job.ts';
import { version } from '../contract/version.ts';
import type { EngineClient } from '../main/client/engine-client.ts';
import { askEngine, connectEngine, dataRootFromEnvironment, findEngineNode } from '../main/client/start-engine.ts';

export type MeasuredEngine = {
  home: string;
  client: EngineClient;
  pid: number;
  /** For processes that shall find this engine: the command line, the app. */
  environment: NodeJS.ProcessEnv;
};

/** Runs `action` with an engine and a data folder of its own. */
export function withEngine<T>(action: (engine: MeasuredEngine) => Promise<T>): Promise<T> {
  return withHome((home) => engineIn(home, action));
}

/** A data folder that is removed afterwards. Its path is short, as sockets want it. */
export async function withHome<T>(action: (home: string) => Promise<T>): Promise<T> {
  const home = await mkdtemp(join(tmpdir(), 'gh-bench-'));
  try {
    return await action(home);
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

/** Runs `action` with an engine on the data folder `home`; ends the engine and whatever guests it left running. */
export async function engineIn<T>(home: string, action: (engine: MeasuredEngine) => Promise<T>): Promise<T> {
  const starter = await ensureStarter(cacheDirectory(), () => undefined);
  const environment = { ...process.env, GUESTHOUSE_HOME: home, GUESTHOUSE_STARTER: starter.diskPath };
  const client = await connectEngine({
    root: dataRootFromEnvironment(environment),
    node: findEngineNode(projectRoot),
    engineScript: join(projectRoot, 'out', 'engine', 'index.js'),
    version,
    client: 'test',
    environment,
  });
  const { pid } = await askEngine(client);
  try {
    return await action({ home, client, pid, environment });
  } finally {
    for (const guest of await client.call('guest.list', {})) {
      if (guest.state.run) await client.call('guest.forceOff', { guest: guest.id });
    }
    await client.call('engine.stop', {});
    client.close();
    await ended(pid, 10_000);
  }
}

/** A guest made from the starter image, off. */
export async function createStarterGuest(client: EngineClient, name: string, choices: CreateChoices = {}): Promise<Guest> {
  const image = (await client.call('image.list', {})).find((candidate) => candidate.builtIn);
  if (!image) throw new Error('the starter image is not on the list');
  const { guest, job } = await client.call('guest.create', { source: { kind: 'image', imageId: image.id }, choices: { ...choices, name } });
  for (;;) {
    const now = await client.call('job.show', { job: job.id });
    if (now.state === 'succeeded') return client.call('guest.show', { guest: guest.id });
    if (jobEnded.has(now.state)) throw new Error(`creating the guest ${now.state}: ${now.error?.message}`);
    await pause(50);
  }
}

/** @throws Error when it did not happen in time */
export async function until(client: EngineClient, id: GuestId, status: Guest['state']['status'], deadlineMs: number): Promise<void> {
  const deadline = Date.now() + deadlineMs;
  for (;;) {
    const { state } = await client.call('guest.show', { guest: id });
    if (state.status === status) return;
    if (Date.now() > deadline) throw new Error(`the guest is ${state.status}, not ${status}, after ${deadlineMs / 1000} s`);
    await pause(50);
  }
}

/** Resident memory of a process. */
export async function residentMiB(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1024;
}

/** Processor time that a process has used since its start. */
export async function cpuSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // utime and stime are fields 14 and 15 of proc_pid_stat(5), in ticks of 1/100 s on Linux.
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

async function ended(pid: number, deadlineMs: number): Promise<void> {
  const deadline = Date.now() + deadlineMs;
  while (Date.now() < deadline) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await pause(50);
  }
}
