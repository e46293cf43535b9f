import { expect, test } from 'vitest';
import { spiceMessage } from '../../../tests/support/hostile-spice.ts';
import { accepted, bytesOf, linkReply, messagesIn, noSharing } from '../../../tests/support/scripted-spice.ts';
import { displayMessage, displayRequest, mainMessage, mainRequest } from './protocol/constants.ts';
import { SpiceSession } from './session.ts';
import type { SessionHost, SoundHost } from './session-host.ts';
import { noVideo } from './streams/video-decoder.ts';

/** A session with all that it says, by stream: first the link, then the ticket, then messages. */
function openSession() {
  const sent: Uint8Array[][] = [];
  const told: string[] = [];
  const host: SessionHost = {
    ...noSharing,
    now: () => 0,
    openStream: (stream) => {
      sent[stream] = [];
    },
    send: (stream, bytes) => void sent[stream]?.push(bytes),
    closeStream: (stream) => void told.push(`close ${stream}`),
    jpeg: () => Promise.reject(new Error('none')),
    after: (ms) => {
      told.push(`after ${ms}`);
      return () => undefined;
    },
    video: noVideo,
    settled: () => undefined,
    primary: (surface) => void told.push(`primary ${surface?.width ?? 'none'}`),
    heads: (heads) =>
      void told.push(`heads ${heads.map(({ id, display, xPx, widthPx }) => `${id}:${display}:${xPx}+${widthPx}`).join(' ')}`),
    damaged: (left, top, right, bottom) => void told.push(`damaged ${left} ${top} ${right} ${bottom}`),
    picture: ({ widthPx, heightPx }) => void told.push(`picture ${widthPx} ${heightPx}`),
    pointer: (pointer) => void told.push(pointer),
    cursor: ({ kind }) => void told.push(`cursor ${kind}`),
    cursorMoved: () => undefined,
    agent: (connected) => void told.push(`agent ${connected}`),
    ended: (end) => void told.push(`ended ${end.cause}: ${end.detail}`),
  };
  const session = new SpiceSession(host);
  const messages = (stream: number) => messagesIn((sent[stream] ?? []).slice(2));
  const open = async (stream: number) => {
    session.streamOpen(stream);
    await session.receive(stream, linkReply());
    await session.receive(stream, accepted);
  };
  return { session, sent, told, messages, open, host };
}

const init = (agent = 0, modes = 3, mode = 1) =>
  spiceMessage(
    mainMessage.INIT,
    bytesOf(['u32', 0xabcd], ['u32', 1], ['u32', modes], ['u32', mode], ['u32', agent], ['u32', 10], ['u32', 0], ['u32', 0]),
  );
const channels = (...list: [number, number][]) =>
  spiceMessage(mainMessage.CHANNELS_LIST, bytesOf(['u32', list.length], Uint8Array.from(list.flat())));
const surface = (flags = 1, id = 0) =>
  spiceMessage(displayMessage.SURFACE_CREATE, bytesOf(['u32', id], ['u32', 8], ['u32', 4], ['u32', 32], ['u32', flags]));
/** A white rectangle from (1, 1) to (3, 3). */
const fill = (id = 0) =>
  spiceMessage(
    displayMessage.DRAW_FILL,
    bytesOf(
      ...[id, 1, 1, 3, 3].map((number): ['u32', number] => ['u32', number]),
      ...(
        [
          ['u8', 0],
          ['u8', 1],
          ['u32', 0xffffff],
          ['u16', 8],
          ['u8', 0],
          ['u32', 0],
          ['u32', 0],
          ['u32', 0],
        ] as const
      ).map(([kind, value]): ['u8' | 'u16' | 'u32', number] => [kind, value]),
    ),
  );

async function openDisplay() {
  const opened = openSession();
  await opened.open(0);
  opened.session.receive(0, init());
  opened.session.receive(0, channels([2, 0], [3, 0], [4, 0], [5, 0], [9, 0]));
  await opened.open(1);
  opened.told.length = 0;
  return opened;
}

test('a session asks for the client’s pointer, for its channels and for no other, with the number that the server gave it', async () => {
  const { session, sent, told, messages, open } = openSession();
  await open(0);
  session.receive(0, init());
  expect(told).toEqual(['relative']);
  expect(messages(0).map(([type]) => type)).toEqual([mainRequest.MOUSE_MODE_REQUEST, mainRequest.ATTACH_CHANNELS]);
  session.receive(0, channels([2, 0], [3, 0], [4, 0], [5, 0], [2, 1], [9, 0]));
  expect(sent).toHaveLength(5);
  for (const stream of [1, 2, 3, 4]) session.streamOpen(stream);
  expect(
    sent
      .slice(1)
      .map((stream) => Buffer.from(stream[0] as Uint8Array))
      .map((link) => [link.readUInt32LE(16), link[20], link[21]]),
  ).toEqual([
    [0xabcd, 2, 0],
    [0xabcd, 2, 1],
    [0xabcd, 3, 0],
    [0xabcd, 4, 0],
  ]);
  // Once is enough.
  session.receive(0, channels([2, 0], [3, 0]));
  expect(sent).toHaveLength(5);
});

test('the first that a display says is how much is kept, since the server waits for it', async () => {
  const { messages } = await openDisplay();
  expect(messages(1)[0]?.[0]).toBe(displayRequest.INIT);
});

test('a screen is told when it is marked or drawn upon, whichever is first, and again when there is a new one', async () => {
  const { session, told } = await openDisplay();
  session.receive(1, surface());
  expect(told.splice(0)).toEqual(['primary 8', 'heads 0:0:0+8']);
  session.receive(1, spiceMessage(displayMessage.MARK, new Uint8Array(0)));
  session.receive(1, fill());
  session.receive(1, spiceMessage(displayMessage.SURFACE_DESTROY, bytesOf(['u32', 0])));
  session.receive(1, surface());
  session.receive(1, fill());
  expect(told).toEqual(['picture 8 4', 'damaged 1 1 3 3', 'primary none', 'primary 8', 'damaged 1 1 3 3', 'picture 8 4']);
});

const numbers = (...values: number[]) => values.map((value): ['u32', number] => ['u32', value]);
/** A video of Motion JPEG all over the screen, and a picture of it. */
const video = () =>
  spiceMessage(
    displayMessage.STREAM_CREATE,
    bytesOf(...numbers(0, 1), ['u8', 1], ['u8', 1], ['u64', 0n], ...numbers(8, 4, 8, 4), ...numbers(0, 0, 4, 8), ['u8', 0]),
  );
const picture = (time: number) => spiceMessage(displayMessage.STREAM_DATA, bytesOf(...numbers(1, time, 2), new Uint8Array(2)));

test('a picture of a video waits until the server’s clock shows its time', async () => {
  const { session, told } = await openDisplay();
  session.receive(1, surface());
  session.receive(1, video());
  session.receive(0, spiceMessage(mainMessage.MULTI_MEDIA_TIME, bytesOf(['u32', 1000])));
  session.receive(1, picture(1500));
  expect(told.slice(2)).toEqual(['after 500']);
});

test('what is drawn off-screen is not shown', async () => {
  const { session, told } = await openDisplay();
  session.receive(1, surface(0, 5));
  session.receive(1, fill(5));
  expect(told).toEqual([]);
});

test('an agent that comes is started and asked what it can do, and is gone when the server says', async () => {
  const { session, told, messages, open } = openSession();
  await open(0);
  session.receive(0, init(1, 3, 2));
  expect(told).toEqual(['absolute', 'agent true']);
  expect(messages(0).map(([type]) => type)).toEqual([mainRequest.AGENT_START, mainRequest.AGENT_DATA, mainRequest.ATTACH_CHANNELS]);
  session.resize({ widthPx: 1024, heightPx: 768 });
  const monitors = Buffer.from(messages(0).at(-1)?.[1] ?? []);
  expect([monitors.readUInt32LE(4), monitors.readUInt32LE(28), monitors.readUInt32LE(32)]).toEqual([2, 768, 1024]);
  session.receive(0, spiceMessage(mainMessage.AGENT_DISCONNECTED, bytesOf(['u32', 0])));
  expect(told.at(-1)).toBe('agent false');
});

const monitors = (...list: readonly (readonly [id: number, left: number, width: number])[]) =>
  spiceMessage(
    displayMessage.MONITORS_CONFIG,
    bytesOf(
      ['u16', list.length],
      ['u16', 4],
      ...list.flatMap(([id, left, width]) => [id, 0, width, 4, left, 0, 0].map((number): ['u32', number] => ['u32', number])),
    ),
  );
/** How large the agent was asked to make its monitors, the last time. */
const askedFor = (message: Uint8Array | undefined) => {
  const body = Buffer.from(message ?? []);
  return Array.from({ length: body.readUInt32LE(20) }, (_, index) => [
    body.readUInt32LE(32 + 20 * index),
    body.readUInt32LE(28 + 20 * index),
  ]);
};

test('monitors of one picture are told as the server says where they lie, and the first one’s size with them', async () => {
  const { session, told } = await openDisplay();
  session.receive(1, surface());
  session.receive(1, spiceMessage(displayMessage.MARK, new Uint8Array(0)));
  told.length = 0;
  session.receive(1, monitors([0, 0, 5], [1, 5, 3]));
  session.receive(1, monitors([0, 0, 5], [1, 5, 3]));
  expect(told).toEqual(['heads 0:0:0+5 1:0:5+3', 'picture 5 4']);
});

test('each display channel is a monitor, what is drawn on it is told with its number, and all are asked for their sizes at once', async () => {
  const { session, told, messages, open } = openSession();
  await open(0);
  session.receive(0, init(1, 3, 2));
  session.receive(0, channels([2, 1], [2, 0], [2, 1], [2, 99]));
  await open(1);
  await open(2);
  told.length = 0;
  session.receive(2, surface());
  session.receive(1, surface());
  session.receive(2, fill());
  expect(told).toEqual(['primary 8', 'heads 1:1:0+8', 'primary 8', 'heads 0:0:0+8 1:1:0+8', 'damaged 1 1 3 3']);
  session.setMonitors(2);
  expect(askedFor(messages(0).at(-1)?.[1])).toEqual([
    [8, 4],
    [8, 4],
  ]);
  session.resize({ widthPx: 1280, heightPx: 720 });
  session.resize({ widthPx: 800, heightPx: 600 }, 1);
  expect(askedFor(messages(0).at(-1)?.[1])).toEqual([
    [1280, 720],
    [800, 600],
  ]);
  // Where they lie is said when it is said for all of them.
  const places = (message: Uint8Array | undefined) => {
    const body = Buffer.from(message ?? []);
    const at = (index: number) => [body.readInt32LE(40 + 20 * index), body.readInt32LE(44 + 20 * index)];
    return { flags: body.readUInt32LE(24), places: [at(0), at(1)] };
  };
  const besides = {
    flags: 0,
    places: [
      [0, 0],
      [1280, 0],
    ],
  };
  expect(places(messages(0).at(-1)?.[1])).toEqual(besides);
  session.setMonitors(2, [
    { xPx: 800, yPx: -20 },
    { xPx: 0, yPx: 7 },
  ]);
  expect(places(messages(0).at(-1)?.[1])).toEqual({
    flags: 1,
    places: [
      [800, -20],
      [0, 7],
    ],
  });
  session.setMonitors(2, [{ xPx: 800, yPx: 0 }]);
  expect(places(messages(0).at(-1)?.[1])).toEqual(besides);
  // A card that has a channel for each monitor keeps those on that are not named.
  session.setMonitors(1);
  expect(askedFor(messages(0).at(-1)?.[1])).toEqual([
    [1280, 720],
    [0, 0],
  ]);
});

test('a channel waits for what another is to bring, and lets go of it when the session ends', async () => {
  const { session, told, open } = openSession();
  await open(0);
  session.receive(0, init());
  session.receive(0, channels([2, 0], [2, 1]));
  await open(1);
  await open(2);
  session.receive(1, surface());
  // WAIT_FOR_CHANNELS: until channel 1 has handled a message.
  const waiting = session.receive(
    1,
    Uint8Array.from([...spiceMessage(5, bytesOf(['u8', 1], ['u8', 2], ['u8', 1], ['u64', 1n])), ...fill()]),
  );
  expect(waiting).toBeInstanceOf(Promise);
  expect(told).not.toContain('damaged 1 1 3 3');
  session.receive(2, surface());
  await waiting;
  expect(told).toContain('damaged 1 1 3 3');
  const never = session.receive(1, spiceMessage(5, bytesOf(['u8', 1], ['u8', 2], ['u8', 1], ['u64', 1000n])));
  session.close();
  await never;
});

test('surfaces of all display channels together are bounded', async () => {
  const { session, told, open } = openSession();
  await open(0);
  session.receive(0, init());
  session.receive(0, channels([2, 0], [2, 1]));
  await open(1);
  await open(2);
  const big = spiceMessage(displayMessage.SURFACE_CREATE, bytesOf(['u32', 1], ['u32', 8192], ['u32', 8192], ['u32', 32], ['u32', 0]));
  session.receive(1, big);
  session.receive(2, big);
  expect(told.at(-1)).toBe('ended protocol: display: SURFACE_CREATE: a surface of 8192 × 8192 pixels is more than fits beside the others');
});

test('a wrong message ends the session with channel, message and reason, and nothing is heard of it any more', async () => {
  const { session, sent, told } = await openDisplay();
  session.receive(1, fill(77));
  expect(told).toEqual(['close 0', 'close 1', 'close 2', 'close 3', 'ended protocol: display: DRAW_FILL: surface 77 does not exist']);
  const before = sent.map((stream) => stream.length);
  session.receive(1, surface());
  session.input({ kind: 'key', scancode: [1], down: true });
  session.resize({ widthPx: 1, heightPx: 1 });
  session.streamClosed(0, 'gone', true);
  session.close();
  expect(told).toHaveLength(5);
  expect(sent.map((stream) => stream.length)).toEqual(before);
});

test('surfaces that together are more than fits end the session before they are made', async () => {
  const { session, told } = await openDisplay();
  const big = (id: number) =>
    spiceMessage(displayMessage.SURFACE_CREATE, bytesOf(['u32', id], ['u32', 8192], ['u32', 8192], ['u32', 32], ['u32', 0]));
  session.receive(1, big(1));
  session.receive(1, spiceMessage(displayMessage.SURFACE_DESTROY, bytesOf(['u32', 1])));
  session.receive(1, big(2));
  session.receive(1, big(3));
  expect(told.at(-1)).toBe('ended protocol: display: SURFACE_CREATE: a surface of 8192 × 8192 pixels is more than fits beside the others');
});

test('who speaks no SPICE, and a server that wants a password, are called what they are', async () => {
  const endOf = async (said: (session: SpiceSession) => unknown) => {
    const { host } = openSession();
    const ends: string[] = [];
    const session = new SpiceSession({ ...host, ended: ({ text }) => void ends.push(text) });
    session.streamOpen(0);
    await said(session);
    return ends;
  };
  expect(await endOf((session) => session.receive(0, Buffer.from('HTTP/1.1 400 Bad Request\r\n')))).toEqual([
    'The guest’s console cannot be used: the server does not speak SPICE.',
  ]);
  const locked = async (session: SpiceSession) => {
    await session.receive(0, linkReply());
    await session.receive(0, bytesOf(['u32', 7]));
  };
  expect(await endOf(locked)).toEqual(['The guest’s console cannot be used: the server did not accept the password: PERMISSION_DENIED.']);
});

test('why the server ended the session is told with its last words', async () => {
  const { session, told } = await openDisplay();
  session.receive(0, spiceMessage(6, bytesOf(['u64', 0n], ['u32', 7])));
  session.streamClosed(0, 'The guest closed its console.', true);
  expect(told.at(-1)).toBe('ended server: The server ends the connection: PERMISSION_DENIED. The guest closed its console.');
});

const silentSound: SoundHost = {
  opus: null,
  opusEncoder: null,
  delayMs: null,
  playbackOpened: () => undefined,
  playbackStarted: () => undefined,
  played: () => undefined,
  playbackStopped: () => undefined,
  playbackVolume: () => undefined,
  playbackMuted: () => undefined,
  playbackLatency: () => undefined,
  recordStarted: () => undefined,
  recordStopped: () => undefined,
  recordVolume: () => undefined,
  recordMuted: () => undefined,
};
const startSound = (count: number) => spiceMessage(103, bytesOf(['u32', count], ['u16', 1], ['u32', 48_000], ['u32', 0]));

test('a video is shown when its sound is heard, as late as that may be', async () => {
  for (const [delayMs, waitsMs] of [
    [null, 40],
    [130, 130],
    [1600, 1600],
  ] as const) {
    const { session, told, open, host } = openSession();
    host.sound = { ...silentSound, delayMs };
    await open(0);
    session.receive(0, init());
    session.receive(0, channels([2, 0], [5, 0]));
    await open(1);
    await open(2);
    session.receive(1, surface());
    session.receive(1, video());
    session.receive(0, spiceMessage(mainMessage.MULTI_MEDIA_TIME, bytesOf(['u32', 70_000])));
    session.receive(2, startSound(2));
    session.receive(2, spiceMessage(101, bytesOf(['u32', 90_000], ['u32', 0])));
    session.receive(1, picture(90_000));
    expect(told.at(-1)).toBe(`after ${waitsMs}`);
  }
});

test('sound is opened only where somebody hears it, and what cannot be right in it ends the session', async () => {
  const { session, sent, told, open, host } = openSession();
  const sound: SoundHost = {
    ...silentSound,
    playbackOpened: () => void told.push('sound'),
    playbackStarted: ({ rateHz }) => void told.push(`start ${rateHz}`),
    played: (samples) => void told.push(`played ${samples.length}`),
    playbackStopped: () => void told.push('stop'),
  };
  host.sound = sound;
  await open(0);
  session.receive(0, init());
  session.receive(0, channels([5, 0]));
  await open(1);
  expect(sent[1]?.[0]?.[20]).toBe(5);
  session.receive(1, startSound(2));
  session.receive(1, spiceMessage(101, bytesOf(['u32', 0], ['u32', 0], ['u32', 0])));
  session.receive(1, startSound(6));
  expect(told.slice(1)).toEqual([
    'sound',
    'start 48000',
    'played 4',
    'close 0',
    'close 1',
    'ended protocol: playback: START: sound of 6 channels is not possible',
  ]);
});
