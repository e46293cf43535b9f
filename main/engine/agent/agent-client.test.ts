import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AgentAbsentError, AgentClient, AgentError, AgentTimeoutError } from './agent-client.ts';

type Command = { execute: string; arguments: Record<string, unknown> };

let folder: string;
let server: Server;
let peers: Socket[];
let client: AgentClient;

beforeEach(() => {
  folder = mkdtempSync('/tmp/gh-agent-');
  peers = [];
});
afterEach(async () => {
  client.release();
  for (const peer of peers) peer.destroy();
  await new Promise((done) => server.close(done));
  rmSync(folder, { recursive: true });
});

const syncReply = (command: Command) =>
  Buffer.concat([Buffer.from([0xff]), Buffer.from(`{"return": ${JSON.stringify(command.arguments.id)}}\n`)]);

/** An agent whose answers are what `answer` writes; `sync` may be replaced to misbehave. */
async function agent(
  answer: (command: Command, socket: Socket) => void,
  sync = (c: Command, s: Socket) => void s.write(syncReply(c)),
): Promise<void> {
  const path = join(folder, 'agent.sock');
  server = createServer((socket) => {
    peers.push(socket);
    socket.on('error', () => {});
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      const lines = text.split('\n');
      text = lines.pop() ?? '';
      for (const line of lines) {
        const command = JSON.parse(line.replaceAll('\xff', '')) as Command;
        if (command.execute === 'guest-sync-delimited') sync(command, socket);
        else answer(command, socket);
      }
    });
  });
  await new Promise<void>((done) => server.listen(path, done));
  client = new AgentClient(path);
}

const say = (socket: Socket, value: unknown) => socket.write(`${JSON.stringify(value)}\n`);

test('a command is answered after the handshake', async () => {
  await agent((command, socket) => say(socket, { return: { 'host-name': `${command.execute}!` } }));
  expect(await client.hostname()).toBe('guest-get-host-name!');
});

test('an exec waits for its end and gives both streams and the status', async () => {
  let asked = 0;
  await agent((command, socket) => {
    if (command.execute === 'guest-exec') {
      expect(command.arguments).toEqual({ path: '/bin/echo', arg: ['a', 'b'], 'capture-output': true });
      say(socket, { return: { pid: 7 } });
    } else if (++asked < 3) say(socket, { return: { exited: false } });
    else say(socket, { return: { exited: true, signal: 9, 'out-data': Buffer.from('hi').toString('base64'), 'out-truncated': true } });
  });
  expect(await client.exec(['/bin/echo', 'a', 'b'], 5000)).toEqual({
    exitStatus: 137,
    stdoutBase64: 'aGk=',
    stderrBase64: '',
    truncated: true,
  });
});

test('rubbish, stale answers and wrong ids before the right one are skipped', async () => {
  await agent(
    (_, socket) => say(socket, { return: { 'host-name': 'right' } }),
    (command, socket) => {
      socket.write('{"error": {"class": "GenericError", "desc": "parse error"}}\n');
      socket.write(Buffer.concat([Buffer.from([0xff]), Buffer.from('{"return": 1}\n')]));
      socket.write(syncReply(command));
    },
  );
  expect(await client.hostname()).toBe('right');
});

test('after a timeout the next command is not given the late answer', async () => {
  let first = true;
  await agent((_, socket) => {
    if (!first) say(socket, { return: {} });
    first = false;
  });
  await expect(client.ping(50)).rejects.toThrow(AgentTimeoutError);
  peers[0]?.write('{"return": {"host-name": "stale"}}\n');
  await expect(client.ping(2000)).resolves.toBeUndefined();
});

test('an error of the agent keeps its words', async () => {
  await agent((_, socket) => say(socket, { error: { class: 'CommandNotFound', desc: 'The command guest-exec has been disabled' } }));
  await expect(client.exec(['x'], 1000)).rejects.toThrow('The command guest-exec has been disabled');
});

test('an answer of the wrong shape is refused, and the next command works', async () => {
  const answers: unknown[] = [
    { return: { 'host-name': 5 } },
    [1, 2],
    { return: { 'host-name': 'x'.repeat(5000) } },
    { return: { 'host-name': 'fine' } },
  ];
  await agent((_, socket) => say(socket, answers.shift()));
  for (let i = 0; i < 3; i++) await expect(client.hostname()).rejects.toThrow(AgentError);
  expect(await client.hostname()).toBe('fine');
});

test('a guest that floods the channel fails its own command and fills no memory', async () => {
  let stopped = false;
  await agent(
    () => {},
    (_, socket) => {
      const block = Buffer.alloc(1024 * 1024, 'x');
      const flood = () => {
        while (!stopped && !socket.destroyed && socket.write(block));
        if (!stopped && !socket.destroyed) socket.once('drain', flood);
      };
      flood();
    },
  );
  const before = process.memoryUsage().rss;
  await expect(client.ping(10_000)).rejects.toThrow(/nobody asked for/);
  stopped = true;
  expect(process.memoryUsage().rss - before).toBeLessThan(200 * 1024 * 1024);
});

test('a flood while nobody asks is not read', async () => {
  await agent((_, socket) => {
    say(socket, { return: {} });
    socket.write(Buffer.alloc(8 * 1024 * 1024, 'y'));
  });
  await client.ping();
  await client.ping(2000);
  await new Promise((done) => setTimeout(done, 50));
  expect(peers[0]?.writableLength).toBeGreaterThan(0);
});

test('a shutdown that is obeyed has no answer, one that is refused says why', async () => {
  let refuse = false;
  await agent((_, socket) => {
    if (refuse) say(socket, { error: { desc: 'not now' } });
  });
  await client.shutdown('powerdown');
  refuse = true;
  await expect(client.shutdown('powerdown')).rejects.toThrow('not now');
});

test('addresses are only what is an address, without loopback and link-local', async () => {
  const address = (text: string, type = 'ipv4') => ({ 'ip-address': text, 'ip-address-type': type, prefix: 24 });
  await agent((_, socket) =>
    say(socket, {
      return: [
        { name: 'lo', 'ip-addresses': [address('127.0.0.1')], statistics: { 'rx-bytes': 5, 'tx-bytes': 5 } },
        {
          name: 'eth0',
          'ip-addresses': [
            address('fd00::2', 'ipv6'),
            address('10.0.2.15'),
            address('fe80::1', 'ipv6'),
            address('<script>'),
            address('169.254.1.1'),
          ],
          statistics: { 'rx-bytes': 100, 'tx-bytes': -3 },
        },
      ],
    }),
  );
  expect(await client.network()).toEqual({ addresses: ['10.0.2.15', 'fd00::2'], receivedBytes: 100, sentBytes: 0 });
});

test('nobody at the socket is an absent agent', async () => {
  await agent(() => {});
  const nobody = new AgentClient(join(folder, 'none.sock'));
  await expect(nobody.ping()).rejects.toThrow(AgentAbsentError);
});
