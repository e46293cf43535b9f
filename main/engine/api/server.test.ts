import { statSync } from 'node:fs';
import { Agent, type IncomingHttpHeaders, request } from 'node:http';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { type CallName, calls } from '../../../contract/calls.ts';
import { toGuesthouseError } from '../../../contract/errors.ts';
import { type ServerMessage, serverMessage } from '../../../contract/events.ts';
import { userHeader, versionHeader } from '../../../contract/handshake.ts';
import { bareRooms, guestIdOf, runningGuest, startBareEngine } from '../../../tests/support/bare-engine.ts';
import { until } from '../../../tests/support/until.ts';
import { createEngineClient } from '../../client/engine-client.ts';
import { followEngineEvents } from '../../client/engine-events.ts';

type Answer = { status: number; body: { ok: boolean; error?: { code: string; message: string; path?: string } } & Record<string, unknown> };

/** A request as a script would make it, with nothing done for it. */
function send(socketPath: string, path: string, body: string | null, headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath, path, method: body === null ? 'GET' : 'POST', headers, agent: false }, (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) }));
    });
    outgoing.on('error', reject);
    outgoing.end(body ?? undefined);
  });
}

const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'done',
    (thrown: unknown) => toGuesthouseError(thrown).code,
  );

test('the socket and its folder are for their owner only', async () => {
  const { engine } = await startBareEngine();
  expect(statSync(engine.socketPath).mode & 0o777).toBe(0o600);
  expect(statSync(dirname(engine.socketPath)).mode & 0o777).toBe(0o700);
});

test('answers have the shape that the contract says', async () => {
  const { client } = await startBareEngine({ bare: bareRooms(3) });
  const inputs = {
    'engine.info': {},
    'guest.list': {},
    'guest.show': { guest: guestIdOf(1) },
    'settings.get': {},
    'job.list': {},
    'event.list': {},
  };
  for (const [name, input] of Object.entries(inputs)) {
    const answer = await client.tryCall(name, input);
    expect(answer.ok && calls[name as CallName].output.safeParse(answer.value).error).toBeUndefined();
    expect(answer.ok).toBe(true);
  }
});

test('a connection that a client keeps is never hung up on: a call could be on its way', async () => {
  const { engine } = await startBareEngine();
  const agent = new Agent({ keepAlive: true });
  onTestFinished(() => agent.destroy());
  const headers = await new Promise<IncomingHttpHeaders>((resolve, reject) => {
    request({ socketPath: engine.socketPath, path: '/v1/openapi.json', agent }, (response) => resolve(response.resume().headers))
      .on('error', reject)
      .end();
  });
  expect(headers.connection).toBe('keep-alive');
  // Where a server hangs up by and by it says here when.
  expect(headers['keep-alive']).toBeUndefined();
});

test('an unknown field, a wrong type and a missing field are refused with the path of the field', async () => {
  const { engine } = await startBareEngine({ bare: bareRooms(1) });
  const guest = guestIdOf(0);
  const cases: [string, unknown, string][] = [
    ['guest.start', { guest, force: true }, 'force'],
    ['guest.start', { guest: 7 }, 'guest'],
    ['guest.start', {}, 'guest'],
    ['guest.rename', { guest, name: '../../etc/passwd' }, 'name'],
    ['guest.create', { source: { kind: 'iso', path: '/a.iso' }, choices: { memoryMiB: '512' } }, 'choices.memoryMiB'],
    ['guest.create', { source: { kind: 'iso', path: '/a.iso' }, choices: { colour: 'red' } }, 'choices.colour'],
    ['guest.create', { source: { kind: 'disk', path: '/a', inPlace: 'yes' }, choices: {} }, 'source.inPlace'],
    ['guest.sendKeys', { guest, keys: ['ctrl', 'DROP TABLE'] }, 'keys.1'],
    ['settings.set', { shutdownTimeoutSeconds: 1e9 }, 'shutdownTimeoutSeconds'],
    ['guest.list', [], ''],
  ];
  for (const [name, input, path] of cases) {
    const { status, body } = await send(engine.socketPath, `/v1/${name}`, JSON.stringify(input));
    expect([name, status, body.error?.code, body.error?.path]).toEqual([name, 400, 'call/invalid-input', path]);
  }
});

test('what is no JSON, too large, no call at all or from a web page is refused in the one shape of errors', async () => {
  const { engine } = await startBareEngine();
  const post = (path: string, body: string, headers = {}) => send(engine.socketPath, path, body, headers);
  expect((await post('/v1/guest.list', '{"trash":')).body.error?.code).toBe('call/invalid-input');
  expect((await post('/v1/guest.list', JSON.stringify({ trash: 'x'.repeat(1_100_000) }))).body.error?.message).toContain('larger than');
  expect((await post('/v1/guest.explode', '{}')).body.error?.code).toBe('call/unknown');
  expect((await send(engine.socketPath, '/../../etc/passwd', null)).body.error?.code).toBe('call/unknown');
  expect((await post('/v1/guest.list', '{}', { origin: 'https://evil.example' })).body.error?.code).toBe('call/forbidden-origin');
});

test('a client of another version is told so, and can still ask who runs and stop it', async () => {
  const { engine } = await startBareEngine();
  const old = createEngineClient({ socketPath: engine.socketPath, version: '99.0.0', client: 'cli' });
  expect(await codeOf(old.call('guest.list', {}))).toBe('engine/version-mismatch');
  expect((await old.call('engine.info', {})).pid).toBe(process.pid);
  expect(await codeOf(old.call('engine.stop', {}))).toBe('done');
  await engine.stopped;
  old.close();
});

test('every call that changes something is audited with who asked and what came of it, and reading is not', async () => {
  const { engine, client } = await startBareEngine({ bare: bareRooms(2) });
  await client.call('guest.list', {});
  await client.call('guest.rename', { guest: guestIdOf(0), name: 'Renamed' });
  await codeOf(client.call('guest.start', { guest: guestIdOf(1) }));
  await codeOf(client.call('guest.delete', { guest: guestIdOf(7) }));
  await client.call('guest.delete', { guest: guestIdOf(1) });
  await send(engine.socketPath, '/v1/settings.set', '{"theme":"purple"}', { [userHeader]: 'mallory' });
  const entries = (await client.call('audit.list', {})).reverse();
  expect(entries.map(({ call, target, outcome, errorCode }) => [call, target, outcome, errorCode])).toEqual([
    ['guest.rename', 'Guest 0', 'done', null],
    ['guest.start', 'Guest 1', 'denied', 'guest/denied'],
    ['guest.delete', guestIdOf(7), 'failed', 'guest/not-found'],
    ['guest.delete', 'Guest 1', 'done', null],
    ['settings.set', '', 'denied', 'call/invalid-input'],
  ]);
  expect(entries[0]?.who).toMatch(/ via test$/);
  expect(entries.at(-1)?.who).toBe('mallory via other');
});

test('the OpenAPI document has every call of the contract', async () => {
  const { engine } = await startBareEngine();
  const { body } = await send(engine.socketPath, '/v1/openapi.json', null);
  const paths = Object.keys(body.paths as object);
  expect(paths.sort()).toEqual(
    Object.keys(calls)
      .map((name) => `/v1/${name}`)
      .sort(),
  );
  expect(JSON.stringify(body)).toContain('"openapi":"3.1.0"');
});

test('a picture of the screen is PNG, and none is no content', async () => {
  const bare = bareRooms(2);
  bare.guests.set(guestIdOf(0), runningGuest(0));
  const { client, engine } = await startBareEngine({ bare });
  expect(String(await client.screenPng(guestIdOf(0), 1000))).toBe('png');
  expect(await client.screenPng(guestIdOf(1), 1000)).toBeNull();
  expect(await codeOf(client.screenPng(guestIdOf(9), 1000))).toBe('guest/not-found');
  expect((await send(engine.socketPath, `/v1/guests/${guestIdOf(0)}/screen.png?maxAgeMs=lots`, null)).body.error?.path).toBe('maxAgeMs');
});

test('events begin with a snapshot, follow without a gap, and begin anew when a client comes back', async () => {
  const { client } = await startBareEngine({ bare: bareRooms(2) });
  const heard: ServerMessage[] = [];
  const events = followEngineEvents(client, { message: (message) => heard.push(message) });
  await until('the snapshot', () => heard.length === 1);
  for (let count = 0; count < 20; count++) await client.call('guest.rename', { guest: guestIdOf(0), name: `Name ${count}` });
  await client.call('settings.set', { theme: 'dark' });
  await until('all changes', () => heard.at(-1)?.type === 'settings');
  events.close();
  expect(heard.map((message) => message.seq)).toEqual(heard.map((_, index) => index));
  for (const message of heard) expect(serverMessage.safeParse(message).error).toBeUndefined();
  expect(heard[0]).toMatchObject({ type: 'snapshot', snapshot: { guests: { length: 2 }, settings: { theme: 'system' } } });
  expect(heard.filter((message) => message.type === 'guest')).toHaveLength(20);
});

test('a change made while a client connects is in its snapshot or follows it, never lost', async () => {
  const { client } = await startBareEngine({ bare: bareRooms(1) });
  for (let round = 0; round < 15; round++) {
    let name = '';
    const events = followEngineEvents(client, {
      message(message) {
        if (message.type === 'snapshot') name = message.snapshot.guests[0]?.spec.name ?? '';
        if (message.type === 'guest') name = message.guest?.spec.name ?? '';
      },
    });
    await client.call('guest.rename', { guest: guestIdOf(0), name: `Round ${round}` });
    await until('the new name', () => name === `Round ${round}`);
    events.close();
  }
});

test('samples go to the client that looks at the guest, once a second, and to no other; they can be asked for afterwards', async () => {
  const bare = bareRooms(2);
  bare.guests.set(guestIdOf(0), runningGuest(0));
  const { client } = await startBareEngine({ bare });
  const heard = { looking: [] as ServerMessage[], other: [] as ServerMessage[] };
  const looking = followEngineEvents(client, { message: (message) => heard.looking.push(message) });
  const other = followEngineEvents(client, { message: (message) => heard.other.push(message) });
  looking.watch([guestIdOf(0)]);
  other.watch([guestIdOf(1)]);
  const began = new Date(Date.now() - 5000).toISOString();
  await until('two samples', () => heard.looking.filter((message) => message.type === 'samples').length >= 2);
  looking.close();
  other.close();
  expect(heard.looking.at(-1)).toMatchObject({ type: 'samples', samples: [{ guestId: guestIdOf(0), sample: { cpuCores: 0.5 } }] });
  expect(heard.other.map((message) => message.type)).toEqual(['snapshot']);
  const kept = await client.call('guest.samples', { guest: guestIdOf(0), since: began });
  expect(kept.intervalSeconds).toBe(1);
  expect(kept.samples.length).toBeGreaterThanOrEqual(2);
});

test('a client that does not read its events is dropped and the engine goes on', async () => {
  const { client, tellClients } = await startBareEngine();
  const socket = client.openEvents();
  await new Promise((settle) => socket.once('message', settle));
  socket.pause();
  let closed = false;
  socket.on('close', () => {
    closed = true;
  });
  for (let count = 0; count < 400; count++) tellClients('x'.repeat(100_000));
  socket.resume();
  await until('the slow client to be dropped', () => closed);
  expect((await client.call('engine.info', {})).pid).toBe(process.pid);
});

test('a message that is none closes the connection that sent it', async () => {
  const { client } = await startBareEngine();
  const socket = client.openEvents();
  const closed = new Promise<number>((settle) => socket.on('close', settle));
  socket.on('open', () => socket.send('{"type":"watch","guestIds":["../../etc"]}'));
  expect(await closed).toBe(1008);
});

test('the serial console gives what was printed, takes keys, and says why it closed', async () => {
  const { client, serial, typed } = await startBareEngine({ bare: bareRooms(1) });
  const socket = client.openSerial(guestIdOf(0));
  let text = '';
  socket.on('message', (bytes) => {
    text += String(bytes);
  });
  await until('the prompt', () => text === 'login: ');
  socket.send(Buffer.from('root\r'));
  await until('the keys', () => typed.join('') === 'root\r');
  const closed = new Promise<string>((settle) => socket.on('close', (_code, reason) => settle(String(reason))));
  for (const listener of serial) listener.closed('The guest is off.');
  expect(await closed).toBe('The guest is off.');
  await until('the console to be left', () => serial.size === 0);
});

test('a WebSocket to what does not exist, or by another version, is refused with a reason', async () => {
  const { engine } = await startBareEngine({ bare: bareRooms(1) });
  const upgrade = {
    connection: 'upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
  };
  const codeAt = async (path: string, headers = {}) =>
    (await send(engine.socketPath, path, null, { ...upgrade, ...headers })).body.error?.code;
  expect(await codeAt('/v1/secrets')).toBe('call/unknown');
  expect(await codeAt('/v1/guests/g000000999/serial')).toBe('guest/not-found');
  expect(await codeAt('/v1/guests/..%2f..%2f/serial')).toBe('guest/not-found');
  expect(await codeAt('/v1/events', { [versionHeader]: '99.0.0' })).toBe('engine/version-mismatch');
  expect(await codeAt('/v1/events', { origin: 'https://evil.example' })).toBe('call/forbidden-origin');
});

test('whatever bytes arrive on the socket, the engine goes on', async () => {
  const { client, engine } = await startBareEngine();
  const start = 'POST /v1/guest.list HTTP/1.1\r\nhost: e\r\n';
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('', start, `${start}content-length: 20\r\n\r\n`, `${start}transfer-encoding: chunked\r\n\r\n`),
      fc.uint8Array({ maxLength: 200 }),
      async (head, tail) => {
        await new Promise<void>((settle) => {
          const socket = connect(engine.socketPath, () => socket.end(Buffer.concat([Buffer.from(head), tail])));
          socket.on('error', () => undefined);
          socket.on('close', () => settle());
          socket.resume();
        });
      },
    ),
    { numRuns: 60 },
  );
  expect((await client.call('engine.info', {})).pid).toBe(process.pid);
});

test('a WebSocket that sends more than it may, or no frames at all, is closed and the engine goes on', async () => {
  const { client } = await startBareEngine();
  for (const payload of [Buffer.alloc(1024 * 1024), Buffer.from([0xff, 0xff, 0xff])]) {
    const socket = client.openEvents();
    socket.on('error', () => undefined);
    const closed = new Promise((settle) => socket.on('close', settle));
    socket.on('open', () => socket.send(payload));
    await closed;
  }
  expect((await client.call('engine.info', {})).pid).toBe(process.pid);
});
