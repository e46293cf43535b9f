/**
 * A SPICE server that draws by itself: a patch that changes its colour with every key, and pictures of any size on several monitors at once. So the
 * way from a key to a pixel is the client's alone, without a guest that takes its time.
 */
import type { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { type ServedChannel, serveSpice, writeTo } from './serving.ts';

const channel = { main: 1, display: 2, inputs: 3 };
const message = {
  setAck: 3,
  mainInit: 103,
  channelsList: 104,
  inputsInit: 101,
  mouseMotionAck: 111,
  mark: 102,
  drawCopy: 304,
  surfaceCreate: 314,
  monitorsConfig: 317,
};
const clientMessage = { attachChannels: 104, displayInit: 101, keyDown: 101, mouseMotion: 111, mousePosition: 112 };
/** SPICE_INPUT_MOTION_ACK_BUNCH: so many movements are acknowledged together. */
const motionAckBunch = 4;
/** AUTH_SELECTION, AUTH_SPICE, MINI_HEADER */
const commonCapabilities = 0b1011;

const video = { widthPx: 320, heightPx: 180 };

export type SceneOptions = { widthPx: number; heightPx: number; heads?: number };

/** What of the first monitor changes with a key: from x, y on, so wide and so high. */
export const patch = { xPx: 200, yPx: 150, sizePx: 160 };
/** Its two colours, 0xRRGGBB: nothing else on a screen has them. */
export const patchColours = [0xfe01c8, 0x03e8a4] as const;

export type Scene = {
  /** Milliseconds since the first channel came, of `performance.now()`. */
  readonly linkedAt: number | null;
  /** All monitors that the client has opened have been drawn. */
  drawn: Promise<void>;
  /**
   * Draws a quarter of every monitor, so often in a second, for so long. Settles with how often that was done on the monitor where it was done least:
   * a client that does not keep up is sent less.
   */
  redraw(timesPerSecond: number, forMs: number): Promise<number>;
  /** Plays so many pictures of a video of 320 × 180 that nothing packs on the first monitor, as fast as they are taken. */
  play(pictures: number): Promise<void>;
  close(): Promise<void>;
};

export async function startScene(listenPath: string, { widthPx, heightPx, heads = 1 }: SceneOptions): Promise<Scene> {
  let linkedAt: number | null = null;
  let colour = 0;
  let movements = 0;
  const displays = new Map<number, Socket>();
  let settle = () => {};
  const drawn = new Promise<void>((resolve) => {
    settle = resolve;
  });
  const patchNow = () => {
    const size = patch.sizePx;
    return drawCopy(patch.xPx, patch.yPx, size, size, new Uint32Array(size * size).fill(patchColours[colour] ?? 0));
  };
  // Made once: two pictures of each quarter that differ in every row.
  const bandPx = Math.floor(heightPx / 4);
  const bands = Array.from({ length: 8 }, (_, at) =>
    drawCopy(0, (at % 4) * bandPx, widthPx, bandPx, makePicture(widthPx, bandPx, at >> 2)),
  );
  const close = await serveSpice(listenPath, {
    reply: (type, id) => {
      linkedAt ??= performance.now();
      const known = type === channel.main || type === channel.inputs || (type === channel.display && id < heads);
      return known ? linkReply() : null;
    },
    opened: ({ type, socket }) => {
      if (type === channel.main) socket.write(mainInit(heads));
      if (type === channel.inputs) socket.write(build(message.inputsInit, Buffer.alloc(2)));
    },
    message: ({ type, id, socket }: ServedChannel, kind) => {
      if (type === channel.main && kind === clientMessage.attachChannels) socket.write(channelsList(heads));
      if (type === channel.display && kind === clientMessage.displayInit) {
        displays.set(id, socket);
        socket.write(surfaceCreate(widthPx, heightPx));
        if (heads === 1) socket.write(monitorsConfig(widthPx, heightPx));
        socket.write(build(message.mark, Buffer.alloc(0)));
        for (const band of bands.slice(0, 4)) socket.write(band);
        if (id === 0) socket.write(patchNow());
        if (displays.size === heads) settle();
      }
      if (type === channel.inputs && kind === clientMessage.keyDown) {
        colour = 1 - colour;
        displays.get(0)?.write(patchNow());
      }
      const moves = kind === clientMessage.mouseMotion || kind === clientMessage.mousePosition;
      // As a server does: a client that hears nothing types no further, since it takes the guest for one that does not read.
      if (type === channel.inputs && moves && ++movements % motionAckBunch === 0)
        socket.write(build(message.mouseMotionAck, Buffer.alloc(0)));
    },
  });
  return {
    get linkedAt() {
      return linkedAt;
    },
    drawn,
    async redraw(timesPerSecond, forMs) {
      const began = performance.now();
      const taken = await Promise.all(
        [...displays.values()].map(async (socket) => {
          let times = 0;
          while (performance.now() - began < forMs && !socket.destroyed) {
            await writeTo(socket, bands[(times++ + 4) % 8] as Buffer);
            const ahead = (times * 1000) / timesPerSecond - (performance.now() - began);
            if (ahead > 1) await pause(ahead);
          }
          return times;
        }),
      );
      return Math.min(...taken);
    },
    async play(pictures) {
      const socket = displays.get(0);
      const scenes = Array.from({ length: 16 }, (_, at) =>
        drawCopy(400, 200, video.widthPx, video.heightPx, makePicture(video.widthPx, video.heightPx, at)),
      );
      for (let at = 0; at < pictures && socket && !socket.destroyed; at++) await writeTo(socket, scenes[at % scenes.length] as Buffer);
    },
    close,
  };
}

/** Something like text on white, the same for the same `which`. */
function makePicture(widthPx: number, heightPx: number, which: number): Uint32Array {
  const pixels = new Uint32Array(widthPx * heightPx).fill(0xf4f4f0);
  for (let y = 0; y < heightPx; y++)
    for (let x = 0; x < widthPx; x++)
      if (((x * 7 + (y + which * 5) * 13) ^ (x >> 3)) % 11 === 0) pixels[y * widthPx + x] = 0x202428 + which;
  return pixels;
}

function linkReply(): Buffer {
  const body = Buffer.alloc(4 + 162 + 12 + 8);
  body.writeUInt32LE(1, 166);
  body.writeUInt32LE(1, 170);
  body.writeUInt32LE(178, 174);
  body.writeUInt32LE(commonCapabilities, 178);
  // MONITORS_CONFIG, as a display has; on other channels the bit says nothing.
  body.writeUInt32LE(0b10, 182);
  return body;
}

function mainInit(heads: number): Buffer {
  const body = Buffer.alloc(32);
  body.writeUInt32LE(1, 0);
  body.writeUInt32LE(heads, 4);
  // Both modes of the pointer, and its places are the client's.
  body.writeUInt32LE(3, 8);
  body.writeUInt32LE(2, 12);
  return build(message.mainInit, body);
}

function channelsList(heads: number): Buffer {
  const list = [...Array.from({ length: heads }, (_, id) => [channel.display, id]), [channel.inputs, 0]];
  const count = Buffer.alloc(4);
  count.writeUInt32LE(list.length);
  return build(message.channelsList, Buffer.concat([count, Buffer.from(list.flat())]));
}

function surfaceCreate(widthPx: number, heightPx: number): Buffer {
  const body = Buffer.alloc(20);
  body.writeUInt32LE(widthPx, 4);
  body.writeUInt32LE(heightPx, 8);
  body.writeUInt32LE(32, 12);
  body.writeUInt32LE(1, 16);
  return build(message.surfaceCreate, body);
}

function monitorsConfig(widthPx: number, heightPx: number): Buffer {
  const body = Buffer.alloc(4 + 28);
  body.writeUInt16LE(1, 0);
  body.writeUInt16LE(1, 2);
  body.writeUInt32LE(widthPx, 12);
  body.writeUInt32LE(heightPx, 16);
  return build(message.monitorsConfig, body);
}

/** DRAW_COPY of a picture that nothing packs. */
function drawCopy(left: number, top: number, width: number, height: number, pixels: Uint32Array): Buffer {
  const head = Buffer.alloc(21 + 36);
  const rect = (at: number, y: number, x: number) => {
    head.writeInt32LE(y, at);
    head.writeInt32LE(x, at + 4);
    head.writeInt32LE(y + height, at + 8);
    head.writeInt32LE(x + width, at + 12);
  };
  rect(4, top, left);
  head.writeUInt32LE(head.length, 21);
  rect(25, 0, 0);
  // ROP PUT
  head.writeUInt16LE(8, 41);
  const image = Buffer.alloc(18 + 18);
  image.writeUInt32LE(width, 10);
  image.writeUInt32LE(height, 14);
  // 32 bits, from the top down.
  image.writeUInt8(8, 18);
  image.writeUInt8(4, 19);
  image.writeUInt32LE(width, 20);
  image.writeUInt32LE(height, 24);
  image.writeUInt32LE(width * 4, 28);
  return build(message.drawCopy, Buffer.concat([head, image, Buffer.from(pixels.buffer, pixels.byteOffset, pixels.byteLength)]));
}

function build(type: number, body: Buffer): Buffer {
  const head = Buffer.alloc(6);
  head.writeUInt16LE(type, 0);
  head.writeUInt32LE(body.length, 2);
  return Buffer.concat([head, body]);
}
