/**
 * A second QEMU that a guest is moved to, started by hand as docs/guide/hardware.md says: the first one's command line with sockets of its own, but
 * for its screen, which is where the window looks for it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { dataRootAt } from '../../contract/data-root.ts';
import type { GuestId } from '../../contract/ids.ts';
import type { TestApp } from './app.ts';
import { connectTo, JsonLines, runByAgent } from './json-lines.ts';
import { decodePng, type Pixels } from './png.ts';
import { until } from './until.ts';

type Qmp = (command: string, input?: object) => Promise<unknown>;

/** One of the QEMUs that a guest moves between. */
export type GuestQemu = {
  qmp: Qmp;
  /** What it says that a monitor shows. */
  screendump(head?: number): Promise<Pixels>;
};

export type SecondQemu = GuestQemu & {
  qemu: ChildProcess;
  /** Runs a command in the guest, once that is there. */
  run(script: string): Promise<string>;
  kill(): Promise<void>;
};

/**
 * What a guest needs so that it can move without being copied: QEMU 7.2 loses pages that an emulated guest changes while they are copied. Its
 * memory lies in a file that both map.
 */
export function memoryInFile(path: string, memoryMiB: number): string[] {
  return [
    ...['-object', `memory-backend-file,id=shared-memory,size=${memoryMiB}M,share=on,mem-path=${path}`],
    ...['-machine', 'memory-backend=shared-memory'],
  ];
}

function screendumps(qmp: Qmp, folder: string): GuestQemu['screendump'] {
  let taken = 0;
  return async (head = 0) => {
    const filename = join(folder, `dump-${++taken}.png`);
    await qmp('screendump', { filename, format: 'png', device: 'video0', head });
    const pixels = decodePng(readFileSync(filename));
    rmSync(filename);
    return pixels;
  };
}

/** The QEMU that the engine started. */
export function firstQemu({ client, home }: Pick<TestApp, 'client' | 'home'>, guest: GuestId): GuestQemu {
  const qmp: Qmp = async (command, input = {}) =>
    (await client.call('guest.qmpCommand', { guest, command, arguments: input as Record<string, unknown> })).answer;
  return { qmp, screendump: screendumps(qmp, home) };
}

/** Starts a QEMU that waits for the guest. It ends with the test. `handsOn`: what it knows of its client, when the guest goes on to the next. */
export async function startSecondQemu(
  { client, home }: Pick<TestApp, 'client' | 'home'>,
  guest: GuestId,
  { handsOn = true } = {},
): Promise<SecondQemu> {
  const folder = mkdtempSync('/tmp/gh-second-');
  const run = join(dataRootAt(home).run, guest);
  const moved = join(run, 'spice-moved.sock');
  // QEMU's server listens there only when nobody else does.
  rmSync(moved, { force: true });
  const [program = '', ...first] = (await client.call('guest.arguments', { guest })).arguments;
  const words = first
    .filter((word) => word !== '-S')
    .map((word) =>
      word
        .replace(join(run, 'spice.sock'), moved)
        .replace('seamless-migration=on', `seamless-migration=${handsOn ? 'on' : 'off'}`)
        .replace(/(?<=path=|^)\/[^,]*\/(?=(qmp|serial|agent)\.sock|qemu\.pid)/, `${folder}/`)
        .replace(/logfile=[^,]*/, `logfile=${folder}/serial.log`),
    );
  const qemu = spawn(program, [...words, '-incoming', 'defer'], { stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = new Promise<void>((settle) => qemu.once('exit', () => settle()));
  const kill = async () => {
    if (qemu.exitCode === null && qemu.signalCode === null) qemu.kill('SIGKILL');
    await ended;
  };
  onTestFinished(async () => {
    await kill();
    rmSync(folder, { recursive: true, force: true });
  });
  const open = async (name: string) => {
    const connection = await connectTo(join(folder, name));
    onTestFinished(() => void connection.destroy());
    connection.on('error', () => undefined);
    return new JsonLines(connection);
  };
  const lines = await open('qmp.sock');
  const qmp: Qmp = (command, input = {}) => lines.request(command, input);
  await qmp('qmp_capabilities');
  let agent: Promise<JsonLines> | undefined;
  const reachAgent = () => {
    agent ??= open('agent.sock');
    return agent;
  };
  return {
    qemu,
    qmp,
    screendump: screendumps(qmp, folder),
    run: async (script) => (await runByAgent(await reachAgent(), script)).toString(),
    kill,
  };
}

const statusOf = async ({ qmp }: GuestQemu) => ((await qmp('query-migrate')) as { status?: string }).status ?? 'none';

/**
 * Begins to move the guest. With its memory in a file that both have it is there within moments; else so slowly that it never is.
 * @throws Error when QEMU refuses
 */
export async function beginMove(from: GuestQemu, to: SecondQemu, path: string, shared: boolean): Promise<void> {
  for (const { qmp } of [from, to])
    await qmp('migrate-set-capabilities', { capabilities: [{ capability: 'x-ignore-shared', state: shared }] });
  const uri = `unix:${path}`;
  await to.qmp('migrate-incoming', { uri });
  await from.qmp('migrate-set-parameters', { 'max-bandwidth': shared ? 100_000_000 : 100_000 });
  await from.qmp('migrate', { uri });
  if (!shared) await until('the guest is on its way', async () => (await statusOf(from)) === 'active', 40_000);
}

export async function untilMoved(from: GuestQemu, to: SecondQemu): Promise<void> {
  await until('the guest has moved', async () => (await statusOf(from)) === 'completed', 60_000);
  await until('it runs there', async () => ((await to.qmp('query-status')) as { running: boolean }).running, 60_000);
}

export async function untilStays(qemu: GuestQemu): Promise<void> {
  await until('the guest stays', async () => ['cancelled', 'failed'].includes(await statusOf(qemu)), 60_000);
}
