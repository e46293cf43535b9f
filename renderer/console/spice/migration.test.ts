import { setTimeout as pause } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { spiceMessage } from '../../../tests/support/hostile-spice.ts';
import { accepted, bytesOf, isQuestion, linkReply, messagesIn, noSharing } from '../../../tests/support/scripted-spice.ts';
import { agentCapability, agentMessage, fileStatus } from './agent/agent-messages.ts';
import type { SpicePlace } from './open-channels.ts';
import { baseMessage, baseRequest, displayMessage, displayRequest, inputsRequest, mainMessage, mainRequest } from './protocol/constants.ts';
import { SpiceSession } from './session.ts';
import type { SessionHost } from './session-host.ts';
import { noVideo } from './streams/video-decoder.ts';

const numbers = (...values: number[]) => bytesOf(...values.map((value): ['u32', number] => ['u32', value]));
const init = spiceMessage(mainMessage.INIT, numbers(0xabcd, 1, 3, 2, 0, 10, 0, 0));
const list = spiceMessage(mainMessage.CHANNELS_LIST, bytesOf(['u32', 2], Uint8Array.of(2, 0, 3, 0)));
const surface = spiceMessage(displayMessage.SURFACE_CREATE, numbers(0, 8, 4, 32, 1));
/** What a server says of where the guest goes. */
const destination = bytesOf(
  ['u16', 5900],
  ['u16', 0],
  ['u32', 10],
  ['u32', 24],
  ['u32', 0],
  ['u32', 0],
  ['u32', 1],
  Buffer.from('192.0.2.1\0'),
);
const begin = spiceMessage(mainMessage.MIGRATE_BEGIN, destination);
const beginSeamless = spiceMessage(mainMessage.MIGRATE_BEGIN_SEAMLESS, destination);
const noBody = new Uint8Array(0);
const enter = { kind: 'key', scancode: [0x1c] } as const;

/** A session whose three channels (streams 0, 1 and 2) are open. */
async function openSession() {
  const sent: Uint8Array[][] = [];
  const places: SpicePlace[] = [];
  const left: number[] = [];
  const told: string[] = [];
  /** What was left each time that the session said that it moved. */
  const moves: number[][] = [];
  const due: (() => void)[] = [];
  const host: SessionHost = {
    ...noSharing,
    now: () => 0,
    openStream: (stream, place) => {
      sent[stream] = [];
      places.push(place);
    },
    send: (stream, bytes) => void sent[stream]?.push(bytes),
    closeStream: (stream) => void left.push(stream),
    jpeg: () => Promise.reject(new Error('none')),
    after: (_, run) => {
      due.push(run);
      return () => void (due.includes(run) && due.splice(due.indexOf(run), 1));
    },
    video: noVideo,
    settled: () => undefined,
    primary: (screen) => void told.push(`primary ${screen?.pixels[0]?.toString(16) ?? 'none'}`),
    damaged: () => undefined,
    heads: () => undefined,
    picture: () => undefined,
    pointer: () => undefined,
    moved: () => void moves.push([...left]),
    cursor: () => undefined,
    cursorMoved: () => undefined,
    agent: () => undefined,
    ended: ({ cause, text, detail }) => void told.push(`ended ${cause}: ${text} ${detail}`.trim()),
  };
  const session = new SpiceSession(host);
  /** `capabilities`: of the server, on this channel. */
  const open = async (stream: number, capabilities = 0) => {
    session.streamOpen(stream);
    const reply = Buffer.from(linkReply());
    reply.writeUInt32LE(capabilities, reply.byteLength - 4);
    await session.receive(stream, reply);
    await session.receive(stream, accepted);
  };
  await open(0);
  session.receive(0, init);
  session.receive(0, list);
  await open(1);
  await open(2);
  session.receive(1, surface);
  told.length = 0;
  const said = (stream: number) => messagesIn((sent[stream] ?? []).slice(2)).filter((message) => !isQuestion(message));
  const types = (stream: number) => said(stream).map(([type]) => type);
  const last = (stream: number) => said(stream).at(-1);
  return { session, sent, places, left, told, moves, due, open, types, last };
}

const seamless = 1 << 3;
const wrong = 'The console server sent something that cannot be right, so the connection was ended.';

test('a guest that moves is followed to where the host knows that it went, and never to what its server names', async () => {
  const { session, places, left, told, moves, open, types, last } = await openSession();
  session.receive(0, begin);
  expect(places).toEqual(['home', 'home', 'home', 'moved']);
  await open(3);
  await open(4);
  await open(5);
  expect(last(0)?.[0]).toBe(mainRequest.MIGRATE_CONNECTED);
  // Until it has moved everything goes on as before.
  session.input({ ...enter, down: true });
  expect(last(2)?.[0]).toBe(inputsRequest.KEY_DOWN);
  expect(moves).toEqual([]);
  session.receive(0, spiceMessage(mainMessage.MIGRATE_END, noBody));
  expect(left).toEqual([0, 1, 2]);
  expect(moves).toEqual([[0, 1, 2]]);
  expect(types(3)).toEqual([mainRequest.MIGRATE_END]);
  expect(types(4)).toEqual([displayRequest.INIT]);
  session.receive(3, init);
  expect(types(3)).toEqual([mainRequest.MIGRATE_END]);
  session.input({ ...enter, down: false });
  expect(types(5)).toEqual([inputsRequest.KEY_UP]);
  // The old screen is told to be gone by nobody, and the new one shows it until it is drawn upon.
  session.receive(4, surface);
  expect(told).toEqual(['primary ff000000']);
  session.streamClosed(0, 'gone', true);
  expect(told).toHaveLength(1);
});

test('servers that hand each other their state are brought it, channel by channel, and nothing begins anew', async () => {
  const { session, left, told, open, types, last } = await openSession();
  session.receive(0, beginSeamless);
  await open(3, seamless);
  expect(last(3)?.[0]).toBe(mainRequest.MIGRATE_DST_DO_SEAMLESS);
  session.receive(3, spiceMessage(mainMessage.MIGRATE_DST_SEAMLESS_ACK, noBody));
  await open(4);
  await open(5);
  expect(last(0)?.[0]).toBe(mainRequest.MIGRATE_CONNECTED_SEAMLESS);
  session.input({ ...enter, down: true });
  session.input({ ...enter, down: false });
  session.receive(2, spiceMessage(baseMessage.MIGRATE, numbers(3)));
  expect(last(2)?.[0]).toBe(baseRequest.MIGRATE_FLUSH_MARK);
  session.receive(2, spiceMessage(baseMessage.MIGRATE_DATA, Uint8Array.of(7, 8, 9)));
  // The old server gets rid of all channels once the main one is left.
  expect(left).toEqual([]);
  // A key that was let go while the guest stood still is let go again.
  expect(types(5)).toEqual([baseRequest.MIGRATE_DATA, inputsRequest.KEY_UP]);
  // What the new server says before the guest is there is heard when it is.
  const heard = session.receive(4, surface);
  expect(told).toEqual([]);
  session.receive(1, spiceMessage(baseMessage.MIGRATE, numbers(1)));
  await heard;
  expect(told.splice(0)).toEqual(['primary none', 'primary ff000000']);
  session.receive(0, spiceMessage(baseMessage.MIGRATE, numbers(0)));
  expect(left).toEqual([2, 1, 0]);
  expect(types(4)).toEqual([]);
  expect(types(3)).toEqual([mainRequest.MIGRATE_DST_DO_SEAMLESS]);
  expect(told).toEqual([]);
});

for (const [how, fail] of [
  ['is not known', ({ session }) => session.streamRefused(3, 'not known')],
  ['dies', ({ session }) => session.streamClosed(3, 'gone', false)],
  ['says what is wrong', ({ session }) => session.receive(3, new Uint8Array(32))],
  ['is silent', ({ due }) => due.at(-1)?.()],
] as [string, (opened: Awaited<ReturnType<typeof openSession>>) => void][])
  test(`a target that ${how} ends the move and nothing else`, async () => {
    const opened = await openSession();
    const { session, left, told, last } = opened;
    session.receive(0, begin);
    session.streamOpen(3);
    fail(opened);
    expect(last(0)?.[0]).toBe(mainRequest.MIGRATE_CONNECT_ERROR);
    expect(left).toEqual([3]);
    session.input({ ...enter, down: true });
    expect(last(2)?.[0]).toBe(inputsRequest.KEY_DOWN);
    expect(told).toEqual([]);
  });

test('a move that is cancelled lets go of what was opened for it', async () => {
  const { session, left, told, open, last } = await openSession();
  session.receive(0, begin);
  for (const stream of [3, 4, 5]) await open(stream);
  session.receive(0, spiceMessage(mainMessage.MIGRATE_CANCEL, noBody));
  expect(left).toEqual([3, 4, 5]);
  session.input({ ...enter, down: true });
  expect(last(2)?.[0]).toBe(inputsRequest.KEY_DOWN);
  expect(told).toEqual([]);
});

test('a guest that went without its console is gone after, and when that is not possible it is said where it went', async () => {
  const { session, places, left, told, open } = await openSession();
  session.receive(0, spiceMessage(mainMessage.MIGRATE_SWITCH_HOST, destination));
  expect(left).toEqual([0, 1, 2]);
  expect(places.slice(3)).toEqual(['moved']);
  await open(3);
  session.receive(3, init);
  session.receive(3, list);
  expect(places.slice(3)).toEqual(['moved', 'moved', 'moved']);
  session.streamRefused(4, 'not known');
  expect(told).toEqual([
    'ended unavailable: The guest has moved to another QEMU, and its console cannot be reached there. Its server said that it went to 192.0.2.1. not known',
  ]);
});

test('a server that hands on what was not moved, or data that it did not announce, is taken at its word or refused', async () => {
  const first = await openSession();
  first.session.receive(1, spiceMessage(baseMessage.MIGRATE_DATA, noBody));
  expect(first.told).toEqual([`ended protocol: ${wrong} display: MIGRATE_DATA: comes without having been announced`]);
  const second = await openSession();
  second.session.receive(1, spiceMessage(baseMessage.MIGRATE, numbers(0)));
  expect(second.places.slice(3)).toEqual(['moved']);
});

/** A session of which each channel waits at the new server, and which servers hand on. */
async function openMoving() {
  const opened = await openSession();
  opened.session.receive(0, beginSeamless);
  await opened.open(3, seamless);
  opened.session.receive(3, spiceMessage(mainMessage.MIGRATE_DST_SEAMLESS_ACK, noBody));
  await opened.open(4);
  await opened.open(5);
  return opened;
}

test('what is typed after the old server has taken its last goes to the new one, after what that is owed', async () => {
  const { session, types } = await openMoving();
  const before = types(2).length;
  session.receive(2, spiceMessage(baseMessage.MIGRATE, numbers(3)));
  session.input({ kind: 'key', scancode: [0x2a], down: true });
  session.input({ ...enter, down: true });
  session.input({ ...enter, down: false });
  for (let more = 0; more < 2000; more++) session.input({ kind: 'motion', dxPx: 1, dyPx: 0 });
  expect(types(2).slice(before)).toEqual([baseRequest.MIGRATE_FLUSH_MARK]);
  session.receive(2, spiceMessage(baseMessage.MIGRATE_DATA, Uint8Array.of(7)));
  const { KEY_DOWN, KEY_UP } = inputsRequest;
  // Shift is held, which the new server is told once more.
  expect(types(5).slice(0, 6)).toEqual([baseRequest.MIGRATE_DATA, KEY_DOWN, KEY_DOWN, KEY_UP, KEY_UP, KEY_DOWN]);
  expect(types(5).length).toBeLessThan(1100);
});

test('a channel that waits for another goes on when that has come as far at the new server', async () => {
  const { session, told } = await openMoving();
  // WAIT_FOR_CHANNELS: until display 0 has handled its sixth message.
  let went = false;
  const waiting = session.receive(2, spiceMessage(baseMessage.WAIT_FOR_CHANNELS, bytesOf(['u8', 1], ['u8', 2], ['u8', 0], ['u64', 6n])));
  void waiting?.then(() => {
    went = true;
  });
  session.receive(1, spiceMessage(baseMessage.MIGRATE, numbers(2)));
  session.receive(1, spiceMessage(baseMessage.MIGRATE_DATA, noBody));
  await Promise.resolve();
  expect(went).toBe(false);
  for (let message = 0; message < 3; message++) session.receive(4, spiceMessage(displayMessage.MARK, noBody));
  await waiting;
  expect(went).toBe(true);
  expect(told).toEqual([]);
});

test('a server that is ended once the guest has left it, or that stops in the middle, is gone after', async () => {
  const gone = await openMoving();
  gone.session.streamClosed(1, 'gone', false);
  expect([gone.told, gone.places.slice(6)]).toEqual([[], ['moved']]);
  const stuck = await openMoving();
  stuck.session.receive(1, spiceMessage(baseMessage.MIGRATE, numbers(0)));
  stuck.due.at(-1)?.();
  expect([stuck.told, stuck.places.slice(6)]).toEqual([[], ['moved']]);
  expect([...stuck.left].sort()).toEqual([0, 1, 2, 3, 4, 5]);
});

test('a guest whose console shows nothing where it went is said to have moved', async () => {
  const { session, due, told, open } = await openSession();
  session.receive(0, spiceMessage(mainMessage.MIGRATE_SWITCH_HOST, destination));
  await open(3);
  session.receive(3, init);
  due.at(-1)?.();
  expect(told).toEqual([
    'ended unavailable: The guest has moved to another QEMU, and its console cannot be reached there. Its server said that it went to 192.0.2.1. The server there shows nothing.',
  ]);
});

test('a server that the guest has not reached can hand nothing on', async () => {
  const { session, told, left, last } = await openMoving();
  session.receive(5, spiceMessage(baseMessage.MIGRATE, numbers(0)));
  expect([...left].sort()).toEqual([3, 4, 5]);
  expect(told).toEqual([]);
  session.input({ ...enter, down: true });
  expect(last(2)?.[0]).toBe(inputsRequest.KEY_DOWN);
});

test('servers that send their client to and fro without end, or begin to move without end, are refused', async () => {
  const sent = await openSession();
  for (let main = 0; main < 100 && sent.told.length === 0; ) {
    sent.session.receive(main, spiceMessage(mainMessage.MIGRATE_SWITCH_HOST, destination));
    main = sent.places.length - 1;
    await sent.open(main);
    sent.session.receive(main, init);
  }
  expect(sent.told).toEqual([`ended protocol: ${wrong} a guest does not move more than 20 times in a minute`]);
  expect(sent.places.length).toBe(3 + 20);
  const begun = await openSession();
  for (let count = 0; count < 100; count++) begun.session.receive(0, begin);
  expect(begun.told).toEqual([`ended protocol: ${wrong} main: MIGRATE_BEGIN: a guest does not move more than 20 times in a minute`]);
  expect(begun.left).toHaveLength(begun.places.length);
});

/** A session that sends a file whose agent takes it, in a guest that has been announced to move. */
async function openSending(message: Uint8Array, capabilities = 0) {
  const opened = await openSession();
  const { session, sent, open } = opened;
  session.receive(0, spiceMessage(mainMessage.AGENT_CONNECTED_TOKENS, numbers(1_000_000)));
  const say = (type: number, body: Uint8Array) =>
    session.receive(
      0,
      spiceMessage(mainMessage.AGENT_DATA, bytesOf(['u32', 1], ['u32', type], ['u64', 0n], ['u32', body.byteLength], body)),
    );
  say(agentMessage.ANNOUNCE_CAPABILITIES, numbers(0, 1 << agentCapability.CLIPBOARD_BY_DEMAND));
  session.setFilesPolicy('to-guest');
  session.sendFile({ id: 1, name: 'a', content: new Blob([new Uint8Array(100_000)]), number: 1, of: 1 });
  session.receive(0, message);
  await open(3, capabilities);
  say(agentMessage.FILE_XFER_STATUS, numbers(1, fileStatus.CAN_SEND_DATA));
  /** Bytes for the agent that have gone to the server of that main channel. */
  const agentBytes = (stream = 0) =>
    messagesIn((sent[stream] ?? []).slice(2)).reduce(
      (sum, [type, body]) => sum + (type === mainRequest.AGENT_DATA ? body.byteLength : 0),
      0,
    );
  /** Lets what was put off be looked at again, and the file be read. */
  const settle = async () => {
    for (let round = 0; round < 5; round++) {
      for (const run of opened.due.splice(0)) run();
      await pause(5);
    }
  };
  return { ...opened, agentBytes, settle };
}

test('nothing of a file is begun on the way to a server that is not handed the rest, and it goes on when the guest stays', async () => {
  const { session, agentBytes, settle } = await openSending(begin);
  await settle();
  expect(agentBytes()).toBeLessThan(1000);
  session.receive(0, spiceMessage(mainMessage.MIGRATE_CANCEL, noBody));
  await settle();
  expect(agentBytes()).toBeGreaterThan(100_000);
});

test('a file goes on while its guest moves to a server that is handed the rest', async () => {
  const { session, agentBytes, settle, open } = await openSending(beginSeamless, seamless);
  session.receive(3, spiceMessage(mainMessage.MIGRATE_DST_SEAMLESS_ACK, noBody));
  await open(4);
  await open(5);
  await settle();
  expect(agentBytes()).toBeGreaterThan(100_000);
});

test('whatever two servers say of a move, in whatever order, the session goes on or ends once, and asks for no end of streams', async () => {
  const said: [number, Uint8Array][] = [
    [0, begin],
    [0, beginSeamless],
    [0, spiceMessage(mainMessage.MIGRATE_CANCEL, noBody)],
    [0, spiceMessage(mainMessage.MIGRATE_END, noBody)],
    [0, spiceMessage(mainMessage.MIGRATE_SWITCH_HOST, destination)],
    [0, spiceMessage(mainMessage.MIGRATE_SWITCH_HOST, numbers(1, 0xffffffff, 20))],
    [0, spiceMessage(mainMessage.MIGRATE_DST_SEAMLESS_ACK, noBody)],
    [0, spiceMessage(mainMessage.MIGRATE_DST_SEAMLESS_NACK, noBody)],
    [0, init],
    [0, list],
    [1, surface],
    ...[0, 1, 2, 3].map((flags): [number, Uint8Array] => [-1, spiceMessage(baseMessage.MIGRATE, numbers(flags))]),
    [-1, spiceMessage(baseMessage.MIGRATE_DATA, Uint8Array.of(1, 2, 3))],
  ];
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('say' as const), stream: fc.nat(8), what: fc.nat(said.length - 1) }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('open' as const), stream: fc.nat(8), what: fc.constant(seamless) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('close' as const, 'refuse' as const), stream: fc.nat(8), what: fc.nat(0) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('wait' as const, 'type' as const), stream: fc.nat(0), what: fc.nat(0) }) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const { session, places, left, told, due, open } = await openSession();
      for (const { kind, stream: back, what } of steps) {
        // Those that were asked for last are those that matter.
        const stream = Math.max(0, places.length - 1 - back);
        const [main, message] = said[what] ?? [0, noBody];
        if (kind === 'say') void session.receive(main === 0 && back > 2 ? 0 : stream, message);
        // A channel that waits for its guest takes in nothing more.
        else if (kind === 'open') await Promise.race([open(stream, what), pause(20)]);
        else if (kind === 'close') session.streamClosed(stream, 'gone', false);
        else if (kind === 'refuse') session.streamRefused(stream, 'not known');
        else if (kind === 'wait') due.at(-1)?.();
        else session.input({ ...enter, down: true });
      }
      const ends = told.filter((words) => words.startsWith('ended'));
      expect(ends.length).toBeLessThan(2);
      if (ends.length > 0) expect([...new Set(left)]).toHaveLength(places.length);
      expect(places.length).toBeLessThan(200);
      expect(new Set(left).size).toBe(left.length);
      session.close();
      expect(new Set(left).size).toBe(places.length);
    }),
    { numRuns: 60 },
  );
}, 60_000);
