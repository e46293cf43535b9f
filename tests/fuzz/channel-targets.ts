/** The messages of SPICE's channels as fuzzing targets: a row of them, each as `type (16 bits) · body`, to a channel that is open. */

import { clientsMax, Multiplexer } from '../../main/engine/shared-folders/multiplexer.ts';
import { Agent } from '../../renderer/console/spice/agent/agent.ts';
import type { ChannelHandler } from '../../renderer/console/spice/channels/channel.ts';
import { CursorChannel } from '../../renderer/console/spice/channels/cursor-channel.ts';
import { DisplayChannel } from '../../renderer/console/spice/channels/display-channel.ts';
import { MainChannel } from '../../renderer/console/spice/channels/main-channel.ts';
import { PlaybackChannel } from '../../renderer/console/spice/channels/playback-channel.ts';
import { PortChannel } from '../../renderer/console/spice/channels/port-channel.ts';
import { RecordChannel } from '../../renderer/console/spice/channels/record-channel.ts';
import { GlzWindow } from '../../renderer/console/spice/decoders/glz-window.ts';
import { ImageCache } from '../../renderer/console/spice/decoders/image-cache.ts';
import { drawMessage } from '../../renderer/console/spice/drawing/draw-messages.ts';
import type { Surface } from '../../renderer/console/spice/drawing/surface.ts';
import { Heads } from '../../renderer/console/spice/heads.ts';
import {
  cursorMessage,
  displayMessage,
  mainMessage,
  playbackMessage,
  portEvent,
  portMessage,
  recordMessage,
} from '../../renderer/console/spice/protocol/constants.ts';
import { Reader } from '../../renderer/console/spice/protocol/reader.ts';
import { MultimediaClock } from '../../renderer/console/spice/streams/multimedia-clock.ts';
import { noVideo } from '../../renderer/console/spice/streams/video-decoder.ts';
import { bytesOf } from '../support/scripted-spice.ts';
import { type DrawingSet, drawingSets, makeDrawing } from '../support/spice-drawings.ts';
import { webdavdMessage } from '../support/webdavd.ts';
import { joinPieces, piecesOf } from './pieces.ts';
import type { FuzzTarget } from './spice-targets.ts';

/** More is possible and tried elsewhere; here it would only take time. */
const mostPixelsHere = 1 << 18;

const message = (type: number, body: Uint8Array) => new Uint8Array(Buffer.concat([bytesOf(['u16', type]), body]));
const numbers = (...values: number[]) => bytesOf(...values.map((value): ['u32', number] => ['u32', value]));

function play(handler: ChannelHandler, input: Uint8Array, isTooLong: (type: number, body: Uint8Array) => boolean = () => false): void {
  for (const piece of piecesOf(input)) {
    if (piece.byteLength < 2) continue;
    const type = (piece[0] as number) | ((piece[1] as number) << 8);
    const body = piece.slice(2);
    if (isTooLong(type, body)) continue;
    handler.message(type, new Reader(body))?.catch(() => undefined);
  }
}

const createSurface = (id: number, width: number, height: number, format: number, flags: number) =>
  message(displayMessage.SURFACE_CREATE, numbers(id, width, height, format, flags));

function displaySeeds(): Uint8Array[] {
  const drawings = (Object.keys(drawingSets) as DrawingSet[]).map((set) => makeDrawing(set, 1));
  const drawn = drawings.map(({ surfaces, messages }) =>
    joinPieces([
      ...surfaces.map(({ id, width, height, format }) => createSurface(id, width, height, format, id === 0 ? 1 : 0)),
      ...messages.map(({ name, bytes }) => message(drawMessage[name], bytes)),
    ]),
  );
  const rect = [0, 0, 4, 4];
  return [
    ...drawn.filter(({ byteLength }) => byteLength < 6000),
    joinPieces([
      createSurface(0, 8, 8, 32, 1),
      message(displayMessage.MARK, new Uint8Array(0)),
      message(displayMessage.MONITORS_CONFIG, bytesOf(['u16', 2], ['u16', 2], numbers(0, 0, 4, 8, 0, 0, 0, 1, 0, 4, 8, 4, 0, 0))),
      message(
        displayMessage.STREAM_CREATE,
        bytesOf(numbers(0, 1), ['u8', 1], ['u8', 1], numbers(0, 0, 4, 4, 4, 4, ...rect), ['u8', 1], numbers(1, ...rect)),
      ),
      message(displayMessage.STREAM_CLIP, bytesOf(numbers(1), ['u8', 0])),
      message(displayMessage.STREAM_DATA, numbers(1, 0, 4, 0xffd8)),
      message(displayMessage.STREAM_DATA_SIZED, numbers(1, 0, 4, 4, ...rect, 4, 0xffd8)),
      message(displayMessage.STREAM_DESTROY, numbers(1)),
      message(displayMessage.INVAL_LIST, bytesOf(['u16', 1], ['u8', 1], ['u64', 5n])),
      message(displayMessage.INVAL_ALL_PIXMAPS, bytesOf(['u8', 0])),
      message(displayMessage.INVAL_PALETTE, bytesOf(['u64', 5n])),
      message(displayMessage.RESET, new Uint8Array(0)),
      message(displayMessage.SURFACE_DESTROY, numbers(0)),
    ]),
  ];
}

function runDisplay(input: Uint8Array): void {
  let primary: Surface | null = null;
  const shared = {
    cache: new ImageCache(mostPixelsHere),
    glzWindow: new GlzWindow(mostPixelsHere),
    jpeg: () => Promise.reject(new Error('not here')),
    mayWait: () => false,
    surfacePixels: 0,
  };
  const heads = new Heads();
  const checkHeads = () => {
    for (const { xPx, yPx, widthPx, heightPx } of heads.list)
      if (primary && (widthPx < 1 || heightPx < 1 || xPx + widthPx > primary.width || yPx + heightPx > primary.height))
        throw new Error(`A monitor of ${widthPx} × ${heightPx} at ${xPx}, ${yPx} is not within the picture.`);
  };
  const display = new DisplayChannel(
    {
      primary: (surface) => {
        primary = surface;
        heads.picture(0, surface && { widthPx: surface.width, heightPx: surface.height });
        checkHeads();
      },
      mark: () => undefined,
      monitors: (monitors) => {
        heads.monitors(0, monitors);
        checkHeads();
      },
      damaged: (left, top, right, bottom) => {
        if (!primary) throw new Error('What is drawn upon is not there.');
        const { width, height } = primary;
        if (!(left >= 0 && top >= 0 && right <= width && bottom <= height && left < right && top < bottom))
          throw new Error(`${left} ${top} ${right} ${bottom} is not within ${width} × ${height}.`);
      },
    },
    shared,
    null,
    {
      clock: new MultimediaClock(() => 0),
      now: () => 0,
      after: () => () => undefined,
      video: noVideo,
      settled: () => undefined,
      failed: () => undefined,
    },
  );
  const isLarge = (type: number, body: Uint8Array) => {
    if (type !== displayMessage.SURFACE_CREATE || body.byteLength < 12) return false;
    const view = new DataView(body.buffer);
    return view.getUint32(4, true) * view.getUint32(8, true) > mostPixelsHere;
  };
  play(display, input, isLarge);
}

function mainSeeds(): Uint8Array[] {
  const init = message(mainMessage.INIT, numbers(1, 1, 3, 1, 1, 10, 0, 0));
  const agent = (type: number, body: Uint8Array) =>
    message(mainMessage.AGENT_DATA, bytesOf(numbers(1, type), ['u64', 0n], numbers(body.byteLength), body));
  return [
    joinPieces([
      init,
      message(mainMessage.CHANNELS_LIST, bytesOf(numbers(2), Uint8Array.of(2, 0, 3, 0))),
      message(mainMessage.MOUSE_MODE, bytesOf(['u16', 3], ['u16', 2])),
      message(mainMessage.MULTI_MEDIA_TIME, numbers(5)),
      agent(6, numbers(1, 0xffffffff)),
      agent(7, numbers(0, 1, 2)),
      agent(8, numbers(0, 1)),
      agent(4, numbers(0, 1, 0x6f6c6c65)),
      agent(9, numbers(0)),
      agent(11, numbers(1, 0)),
      agent(11, numbers(1, 3)),
      agent(11, bytesOf(numbers(2, 4), ['u64', 1024n])),
      agent(11, bytesOf(numbers(3, 2), ['u8', 0], ['u32', 12])),
      message(mainMessage.AGENT_TOKEN, numbers(3)),
      message(mainMessage.AGENT_DISCONNECTED, numbers(0)),
      message(mainMessage.AGENT_CONNECTED_TOKENS, numbers(3)),
    ]),
    joinPieces([
      init,
      message(mainMessage.MIGRATE_BEGIN, numbers(1, 2, 3)),
      message(mainMessage.MIGRATE_BEGIN_SEAMLESS, numbers(1, 2, 3, 4, 5, 1)),
      message(mainMessage.MIGRATE_CANCEL, numbers()),
      message(mainMessage.MIGRATE_SWITCH_HOST, bytesOf(['u16', 1], ['u16', 2], numbers(3, 20, 0, 0), Buffer.from('abc'))),
      message(mainMessage.NAME, numbers(0)),
      message(mainMessage.UUID, new Uint8Array(16)),
    ]),
  ];
}

const mostFilesHere = 8;
/** Its content is not read before the input is at its end: what is tried is what the agent says of it. */
const fuzzedFile = new Blob(['content']);

function runMain(input: Uint8Array): void {
  let files = 0;
  const agent = new Agent({
    send: () => undefined,
    agent: () => undefined,
    clipboard: () => undefined,
    files: () => undefined,
    file: () => undefined,
    settings: () => undefined,
    underWayBytes: () => 0,
    leaves: () => false,
    after: () => undefined,
    now: () => 0,
    host: { write: () => Promise.resolve(), read: () => Promise.resolve({ kind: 'text', text: 'copied' }) },
    readPicture: (picture) => Promise.resolve(picture),
    lineEnd: 'lf',
  });
  agent.setClipboardPolicy('both');
  agent.setInUse(true);
  agent.offerCopied('clipboard', ['text', 'png']);
  agent.setFilesPolicy('to-guest');
  const main = new MainChannel({
    session: () => undefined,
    multimediaTime: () => undefined,
    channels: (list) => {
      if (list.length > 64) throw new Error(`${list.length} channels are too many.`);
    },
    pointer: () => undefined,
    agentConnected: (tokens) => agent.connected(tokens),
    agentDisconnected: () => agent.disconnected(),
    agentTokens: (more) => agent.tokens(more),
    agentData: (piece) => {
      agent.data(piece);
      // Files are sent whenever an agent is there to answer for them.
      if (files < mostFilesHere) agent.sendFile({ id: ++files, name: `folder/file ${files}`, content: fuzzedFile, number: 1, of: 1 });
    },
    moveBegins: () => undefined,
    moveCancelled: () => undefined,
    moveEnds: () => undefined,
    movedTo: (host) => {
      if (host.length > 256) throw new Error('The name of a host is too long.');
    },
  });
  play(main, input);
}

function cursorSeeds(): Uint8Array[] {
  const head = (type: number, flags: number) =>
    bytesOf(['u16', flags], ['u64', 1n], ['u8', type], ['u16', 8], ['u16', 2], ['u16', 0], ['u16', 0]);
  const place = bytesOf(['u16', 1], ['u16', 2]);
  const shapes = Array.from({ length: 7 }, (_, type) =>
    message(cursorMessage.SET, bytesOf(place, ['u8', 1], head(type, 2), new Uint8Array(8 * 2 * 4 + 256 * 4 + 4).fill(0x5a))),
  );
  return [
    ...shapes.map((shape) => joinPieces([shape])),
    joinPieces([
      message(cursorMessage.INIT, bytesOf(place, numbers(0), ['u8', 1], ['u16', 1])),
      shapes[1] as Uint8Array,
      message(cursorMessage.SET, bytesOf(place, ['u8', 1], head(1, 4))),
      message(cursorMessage.INVAL_ONE, bytesOf(['u64', 1n])),
      message(cursorMessage.MOVE, place),
      message(cursorMessage.HIDE, new Uint8Array(0)),
      message(cursorMessage.INVAL_ALL, new Uint8Array(0)),
      message(cursorMessage.RESET, new Uint8Array(0)),
    ]),
  ];
}

function runCursor(input: Uint8Array): void {
  const cursor = new CursorChannel({
    cursor: (shape) => {
      if (shape.kind === 'shape' && shape.rgba.length !== shape.widthPx * shape.heightPx * 4)
        throw new Error('A cursor has not its pixels.');
    },
    cursorMoved: () => undefined,
  });
  play(cursor, input);
}

function playbackSeeds(): Uint8Array[] {
  const start = (channels: number, rateHz: number) =>
    message(playbackMessage.START, bytesOf(numbers(channels), ['u16', 1], numbers(rateHz, 0)));
  return [1, 3].map((mode) =>
    joinPieces([
      message(playbackMessage.MODE, bytesOf(numbers(0), ['u16', mode])),
      start(2, 48_000),
      message(playbackMessage.VOLUME, bytesOf(['u8', 2], ['u16', 9], ['u16', 9])),
      message(playbackMessage.MUTE, bytesOf(['u8', 0])),
      message(playbackMessage.DATA, bytesOf(numbers(1, 2, 3))),
      message(playbackMessage.LATENCY, numbers(10)),
      message(playbackMessage.STOP, new Uint8Array(0)),
      start(1, 8000),
    ]),
  );
}

function runPlayback(input: Uint8Array): void {
  let channels = 0;
  const played = (samples: Float32Array) => {
    if (channels === 0 || samples.length % channels !== 0) throw new Error(`${samples.length} samples are not of ${channels} channels.`);
  };
  const playback = new PlaybackChannel(
    {
      playbackOpened: () => undefined,
      playbackStarted: (format) => {
        channels = format.channels;
      },
      played,
      playbackTime: () => undefined,
      playbackStopped: () => {
        channels = 0;
      },
      playbackVolume: (gains) => {
        if (gains.some((gain) => !(gain >= 0 && gain <= 1))) throw new Error(`A loudness is none: ${gains.join(' ')}.`);
      },
      playbackMuted: () => undefined,
      playbackLatency: (leastMs) => {
        if (leastMs > 5000) throw new Error(`${leastMs} ms are too much to be held back.`);
      },
      playbackFailed: () => undefined,
    },
    (count, decoded) => ({ decode: () => decoded(new Float32Array(count)), close: () => undefined }),
  );
  play(playback, input);
}

function recordSeeds(): Uint8Array[] {
  return [
    joinPieces([
      message(recordMessage.START, bytesOf(numbers(2), ['u16', 1], numbers(44_100))),
      message(recordMessage.VOLUME, bytesOf(['u8', 1], ['u16', 9])),
      message(recordMessage.MUTE, bytesOf(['u8', 1])),
      message(recordMessage.STOP, new Uint8Array(0)),
    ]),
  ];
}

function runRecord(input: Uint8Array): void {
  const record = new RecordChannel(
    {
      recordStarted: ({ channels, rateHz }) => {
        if (channels > 2 || rateHz > 96_000) throw new Error(`${channels} channels of ${rateHz} Hz are too much.`);
      },
      recordStopped: () => undefined,
      recordVolume: (gains) => {
        if (gains.some((gain) => !(gain >= 0 && gain <= 1))) throw new Error(`A loudness is none: ${gains.join(' ')}.`);
      },
      recordMuted: () => undefined,
    },
    () => 0,
    null,
  );
  play(record, input);
}

function portSeeds(): Uint8Array[] {
  const name = new TextEncoder().encode('org.spice-space.webdav.0\0');
  return [
    joinPieces([
      message(portMessage.INIT, bytesOf(['u32', name.length], ['u32', 9], ['u8', 0], name)),
      message(portMessage.EVENT, bytesOf(['u8', portEvent.OPENED])),
      message(portMessage.DATA, webdavdMessage(1n, 'OPTIONS / HTTP/1.1\r\nhost: localhost\r\n\r\n')),
      message(portMessage.EVENT, bytesOf(['u8', portEvent.CLOSED])),
    ]),
  ];
}

/** With the multiplexer of the engine at its end, of which nothing that a guest says throws. */
function runPort(input: Uint8Array): void {
  const multiplexer = new Multiplexer({ send: (_bytes, taken) => taken(), connected: (client) => client.resume(), now: () => 0 });
  const port = new PortChannel({
    portOpened: () => undefined,
    portData: (bytes) => {
      multiplexer.receive(bytes);
      if (multiplexer.clientCount > clientsMax) throw new Error(`${multiplexer.clientCount} clients are too many.`);
      return undefined;
    },
    portClosed: () => multiplexer.close(),
  });
  try {
    play(port, input);
  } finally {
    multiplexer.close();
  }
}

export const channelTargets: readonly FuzzTarget[] = [
  { name: 'display', seeds: displaySeeds, run: runDisplay },
  { name: 'main', seeds: mainSeeds, run: runMain },
  { name: 'cursor', seeds: cursorSeeds, run: runCursor },
  { name: 'playback', seeds: playbackSeeds, run: runPlayback },
  { name: 'record', seeds: recordSeeds, run: runRecord },
  { name: 'port', seeds: portSeeds, run: runPort },
];
