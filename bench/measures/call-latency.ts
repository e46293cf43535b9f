import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { version } from '../../contract/version.ts';
import { createEngineClient, type EngineClient } from '../../main/client/engine-client.ts';
import { type Figure, type Measure, quantile, timed } from '../figures.ts';
import { createStarterGuest, withEngine } from '../measured-engine.ts';

const warmUps = 200;
const calls = 2000;

/** The limit is a bare HTTP server on a Unix socket that answers the same bytes: what the protocol and Node cost by themselves. */
export const callLatency: Measure = {
  name: 'call-latency',
  about: 'a call of the API, p50 and p99, beside a bare HTTP server on a Unix socket',
  run: () =>
    withEngine(async ({ client }) => {
      const guest = await createStarterGuest(client, 'latency');
      const answer = JSON.stringify({ ok: true, value: guest });
      const ours = await latencies(client, guest.id);
      const bare = await withBareServer(answer, (limit) => latencies(limit, guest.id));
      return [0.5, 0.99].map(
        (share): Figure => ({
          what: `guest.show, p${share * 100}`,
          value: quantile(ours, share),
          unit: 'ms',
          beside: { what: 'bare server', value: quantile(bare, share) },
          aim: null,
        }),
      );
    }),
};

async function latencies(client: EngineClient, id: Parameters<EngineClient['screenPng']>[0]): Promise<number[]> {
  const show = () => client.call('guest.show', { guest: id });
  for (let index = 0; index < warmUps; index += 1) await show();
  const taken: number[] = [];
  for (let index = 0; index < calls; index += 1) taken.push(await timed(show));
  return taken;
}

async function withBareServer<T>(answer: string, action: (client: EngineClient) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'gh-bare-'));
  const socketPath = join(folder, 'bare.sock');
  const server = createServer((request, response) => {
    request.resume();
    request.on('end', () => response.setHeader('content-type', 'application/json').end(answer));
  });
  await new Promise<void>((settle) => server.listen(socketPath, settle));
  const client = createEngineClient({ socketPath, version, client: 'test' });
  try {
    return await action(client);
  } finally {
    client.close();
    server.close();
    await rm(folder, { recursive: true, force: true });
  }
}
