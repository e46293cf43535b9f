import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Measure, median, timed } from '../figures.ts';
import { createStarterGuest, until, withEngine } from '../measured-engine.ts';

const rounds = 7;

/** What the engine adds to QEMU's own start: state written first, checks, the wrapper, QMP. */
export const guestStart: Measure = {
  name: 'guest-start',
  about: 'guest.start until QMP answers, beside the same arguments started by a bare script',
  run: (log) =>
    withEngine(async ({ client }) => {
      const guest = await createStarterGuest(client, 'start');
      const argv = (await client.call('guest.arguments', { guest: guest.id })).arguments;
      const ours: number[] = [];
      const bare: number[] = [];
      for (let round = 0; round < rounds; round += 1) {
        ours.push(await timed(() => client.call('guest.start', { guest: guest.id })));
        await client.call('guest.forceOff', { guest: guest.id });
        await until(client, guest.id, 'off', 10_000);
        bare.push(await startBare(argv, guest.id));
        log(`round ${round + 1}: ${ours.at(-1)?.toFixed(0)} ms, bare ${bare.at(-1)?.toFixed(0)} ms`);
      }
      return [
        {
          what: 'guest.start to QMP ready, median',
          value: median(ours),
          unit: 'ms',
          beside: { what: 'bare script', value: median(bare) },
          aim: { kind: 'ratio', limit: 1.2 },
        },
      ];
    }),
};

/** Starts QEMU with sockets and logs in a folder of this measurement, waits for QMP's greeting and answer, and ends it. @returns ms */
async function startBare(argv: readonly string[], guestId: string): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'gh-bare-'));
  try {
    const runFolder = new RegExp(`[^=,]*/run/${guestId}/`, 'g');
    const [command = '', ...rest] = argv.map((argument) => argument.replace(runFolder, `${folder}/`));
    const begun = performance.now();
    const qemu = spawn(command, rest, { stdio: 'ignore' });
    const ended = new Promise((settle) => qemu.once('exit', settle));
    const socketPath = join(folder, 'qmp.sock');
    while (!(await qmpAnswers(socketPath))) {
      if (qemu.exitCode !== null) throw new Error(`QEMU ended with ${qemu.exitCode}`);
      await pause(1);
    }
    const tookMs = performance.now() - begun;
    qemu.kill('SIGKILL');
    await ended;
    return tookMs;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function qmpAnswers(path: string): Promise<boolean> {
  return new Promise((settle) => {
    const socket = connect(path);
    let heard = '';
    const settleWith = (answer: boolean) => {
      socket.destroy();
      settle(answer);
    };
    socket.on('error', () => settleWith(false));
    socket.on('close', () => settleWith(false));
    socket.on('connect', () => socket.write('{"execute":"qmp_capabilities"}\n'));
    socket.on('data', (bytes) => {
      heard += bytes;
      if (heard.includes('"return"')) settleWith(true);
    });
  });
}
