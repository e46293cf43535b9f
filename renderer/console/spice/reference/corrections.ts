/**
 * Where spice-html5 0.2.1 is wrong, slow or too trusting, its methods are replaced at run time; its files stay as they are. What is
 * corrected and why stands in docs/adr/0005-spice-decoding-in-a-worker.md.
 */
import type { ConsoleCursor } from '../../console.ts';
import { channelType, ProtocolError } from './framing.ts';
import { takeRawCopy } from './raw-copy.ts';
import type { SpiceHtml5 } from './spice-html5.ts';
import { AgentMessages, type CursorCache, filterChannelList, parseCursor } from './wire.ts';
import { checkSurfaceSize, type WorkerRealm } from './worker-realm.ts';

type Message = { type: number; data?: ArrayBuffer };
type Display = InstanceType<SpiceHtml5['SpiceDisplayConn']>;
type Clip = Parameters<Display['draw_copy_helper']>[0]['base']['clip'];

export type SpiceEvents = {
  surface(size: { widthPx: number; heightPx: number }): void;
  drawn(): void;
  pointer(pointer: 'absolute' | 'relative'): void;
  agent(connected: boolean): void;
  cursor(cursor: ConsoleCursor): void;
  cursorMoved(xPx: number, yPx: number): void;
  motionAcknowledged(): void;
};

const none = new ArrayBuffer(0);
const mainMessage = {
  init: 103,
  channelsList: 104,
  mouseMode: 105,
  agentConnected: 107,
  agentDisconnected: 108,
  agentData: 109,
  agentConnectedTokens: 115,
};
const displayMessage = {
  mark: 102,
  copyBits: 104,
  invalList: 105,
  invalAllPixmaps: 106,
  drawCopy: 304,
  surfaceCreate: 314,
  monitorsConfig: 317,
};
const cursorMessage = { init: 101, reset: 102, set: 103, move: 104, hide: 105, trail: 106, invalOne: 107, invalAll: 108 };
const inputsMessage = { motionAck: 111 };
const mouseModeClient = 2;
const surfaceFlagPrimary = 1;
const imageFlagCacheMe = 1;
const clipTypeRects = 1;
const formatXrgb = 32;
/** Servers are told that 40 MiB fit (10 Mi pixels, in the display channel's first message). */
const cacheMaxBytes = 256 * 1024 * 1024;

export function correct(spice: SpiceHtml5, realm: WorkerRealm, events: SpiceEvents): void {
  boundReads(spice);
  silence(spice);
  correctMain(spice, events);
  correctDisplay(spice, realm, events);
  correctCursor(spice, events);
  spice.SpiceInputsConn.prototype.process_channel_message = (message: Message) => {
    if (message.type === inputsMessage.motionAck) events.motionAcknowledged();
    return true;
  };
}

/**
 * The package reads beyond the end of a message as zeros and loops as often as a number in it says: four billion times if asked to. Every
 * parser of it reads through this method, so that the first byte that is not there ends the reading.
 */
function boundReads({ SpiceDataView }: SpiceHtml5): void {
  SpiceDataView.prototype.getUint8 = function (at) {
    const byte = this.u8[at];
    if (byte === undefined) throw new ProtocolError('A message is cut short.');
    return byte;
  };
  const read = (view: { u8: Uint8Array }, at: number, bytes: number, littleEndian: boolean | undefined) => {
    let value = 0;
    for (let index = 0; index < bytes; index++) {
      const byte = view.u8[littleEndian ? at + bytes - 1 - index : at + index];
      if (byte === undefined) throw new ProtocolError('A message is cut short.');
      value = value * 256 + byte;
    }
    return value;
  };
  Object.assign(SpiceDataView.prototype, {
    getUint16(this: { u8: Uint8Array }, at: number, littleEndian?: boolean) {
      return read(this, at, 2, littleEndian);
    },
    // Signed, as the package's own: rectangles can begin left of the screen. A size from 2^31 on becomes negative and is refused.
    getUint32(this: { u8: Uint8Array }, at: number, littleEndian?: boolean) {
      return read(this, at, 4, littleEndian) | 0;
    },
    // Exact below 2^53, and beyond it still a good key for a cache; the package's own mixes both halves up.
    getUint64(this: { u8: Uint8Array }, at: number, littleEndian?: boolean) {
      return read(this, at, 8, littleEndian);
    },
  });
}

/** It writes what a server sends to the developer console, without end. Nothing else in this worker writes there. */
function silence({ SpiceConn }: SpiceHtml5): void {
  const nothing = () => undefined;
  console.log = nothing;
  Object.assign(SpiceConn.prototype, { log_info: nothing, log_warn: nothing, log_err: nothing });
}

function correctMain({ SpiceMainConn }: SpiceHtml5, events: SpiceEvents): void {
  const original = SpiceMainConn.prototype.process_channel_message;
  let agentMessages: AgentMessages | undefined;
  SpiceMainConn.prototype.process_channel_message = function (message) {
    const agentBefore = this.agent_connected ?? false;
    if (message.type === mainMessage.channelsList)
      message.data = filterChannelList(
        message.data ?? none,
        (type, id) => id === 0 && (type === channelType.display || type === channelType.inputs || type === channelType.cursor),
      );
    if (message.type === mainMessage.agentData) {
      agentMessages ??= new AgentMessages((wantsAnswer) => {
        if (wantsAnswer) this.announce_agent_capabilities(0);
      });
      agentMessages.feed(message.data ?? none);
      return true;
    }
    const known = original.call(this, message);
    if (message.type === mainMessage.init || message.type === mainMessage.mouseMode)
      events.pointer(this.mouse_mode === mouseModeClient ? 'absolute' : 'relative');
    const agentNow = this.agent_connected ?? false;
    if (agentNow !== agentBefore) {
      agentMessages?.reset();
      events.agent(agentNow);
    }
    return known;
  };
}

function correctDisplay({ SpiceDisplayConn, SpiceMsgDisplayCopyBits }: SpiceHtml5, realm: WorkerRealm, events: SpiceEvents): void {
  const original = SpiceDisplayConn.prototype.process_channel_message;
  const originalDrawCopy = SpiceDisplayConn.prototype.draw_copy_helper;
  let cachedBytes = 0;
  // Pointer and keyboard are the page's.
  SpiceDisplayConn.prototype.hook_events = () => undefined;
  SpiceDisplayConn.prototype.unhook_events = () => undefined;

  SpiceDisplayConn.prototype.process_channel_message = function (message) {
    const { type, data = none } = message;
    if (type === displayMessage.mark || type === displayMessage.monitorsConfig) return true;
    if (type === displayMessage.invalAllPixmaps) {
      this.cache = {};
      cachedBytes = 0;
      return true;
    }
    if (type === displayMessage.invalList) this.cache ??= {};
    if (type === displayMessage.drawCopy) {
      const raw = takeRawCopy(data);
      if (raw) {
        const surface = this.surfaces?.[raw.surfaceId];
        if (!surface) throw new ProtocolError(`Surface ${raw.surfaceId} does not exist.`);
        surface.canvas.context.putImageData(new ImageData(raw.rgba, raw.widthPx, raw.heightPx), raw.leftPx, raw.topPx);
        surface.draw_count++;
        events.drawn();
        return true;
      }
    }
    if (type === displayMessage.copyBits) {
      copyBits(this, new SpiceMsgDisplayCopyBits(data));
      events.drawn();
      return true;
    }
    if (type === displayMessage.surfaceCreate) {
      const view = new DataView(data);
      if (data.byteLength < 20) throw new ProtocolError('A surface is cut short.');
      const size = { widthPx: view.getUint32(4, true), heightPx: view.getUint32(8, true) };
      checkSurfaceSize(size.widthPx, size.heightPx);
      if (Object.keys(this.surfaces ?? {}).length > 4096) throw new ProtocolError('The server makes surfaces without end.');
      if (view.getUint32(16, true) & surfaceFlagPrimary) {
        realm.expectPrimary();
        const known = original.call(this, message);
        events.surface(size);
        return known;
      }
    }
    const known = original.call(this, message);
    // 302 and beyond draw; 314 and 315 make and destroy surfaces; 123 and 316 are a video's pictures.
    if ((type >= 302 && type !== 314 && type !== 315) || type === 123) events.drawn();
    return known;
  };

  SpiceDisplayConn.prototype.draw_copy_helper = function (drawing) {
    const { base, src_area: area, image_data: image, descriptor } = drawing;
    if (descriptor && descriptor.flags & imageFlagCacheMe) {
      cachedBytes += image.data.byteLength;
      if (cachedBytes > cacheMaxBytes) throw new ProtocolError('The server keeps more pictures than fit.');
    }
    const width = base.box.right - base.box.left;
    const height = base.box.bottom - base.box.top;
    const whole = area.left === 0 && area.top === 0 && area.right - area.left === width && area.bottom - area.top === height;
    if (whole && image.width === width && image.height === height && base.clip.type !== clipTypeRects)
      return originalDrawCopy.call(this, drawing);
    // The package draws the whole image at the corner of the box, whatever part of it and whatever clip was meant.
    const surface = this.surfaces?.[base.surface_id];
    if (!surface) throw new ProtocolError(`Surface ${base.surface_id} does not exist.`);
    if (descriptor && descriptor.flags & imageFlagCacheMe) {
      this.cache ??= {};
      this.cache[descriptor.id] = image;
    }
    const picture = new OffscreenCanvas(image.width, image.height);
    if (surface.format === formatXrgb) for (let at = 3; at < image.data.length; at += 4) image.data[at] = 255;
    picture.getContext('2d')?.putImageData(image, 0, 0);
    clipped(surface.canvas.context, base.clip, (context) => {
      context.imageSmoothingEnabled = false;
      context.drawImage(
        picture,
        area.left,
        area.top,
        area.right - area.left,
        area.bottom - area.top,
        base.box.left,
        base.box.top,
        width,
        height,
      );
    });
    surface.draw_count++;
    return true;
  };
}

/** Scrolling. The package reads the pixels back and draws them through a canvas that it makes for each. */
function copyBits(display: Display, message: InstanceType<SpiceHtml5['SpiceMsgDisplayCopyBits']>): void {
  const { base, src_pos: from } = message;
  const surface = display.surfaces?.[base.surface_id];
  if (!surface) throw new ProtocolError(`Surface ${base.surface_id} does not exist.`);
  const width = Math.min(base.box.right - base.box.left, surface.canvas.width - from.x);
  const height = Math.min(base.box.bottom - base.box.top, surface.canvas.height - from.y);
  if (width <= 0 || height <= 0) return;
  clipped(surface.canvas.context, base.clip, (context) => {
    context.imageSmoothingEnabled = false;
    context.drawImage(surface.canvas, from.x, from.y, width, height, base.box.left, base.box.top, width, height);
  });
  surface.draw_count++;
}

function clipped(context: OffscreenCanvasRenderingContext2D, clip: Clip, draw: (context: OffscreenCanvasRenderingContext2D) => void): void {
  context.save();
  if (clip.type === clipTypeRects) {
    context.beginPath();
    for (const rect of clip.rects?.rects ?? []) context.rect(rect.left, rect.top, rect.right - rect.left, rect.bottom - rect.top);
    context.clip();
  }
  draw(context);
  context.restore();
}

function correctCursor({ SpiceCursorConn }: SpiceHtml5, events: SpiceEvents): void {
  const cache: CursorCache = new Map();
  const tell = (body: ArrayBuffer, at: number, visible: boolean) => {
    const cursor = parseCursor(body, at, cache);
    events.cursor(visible ? (cursor ?? { kind: 'default' }) : { kind: 'hidden' });
  };
  SpiceCursorConn.prototype.process_channel_message = (message: Message) => {
    const body = message.data ?? none;
    const view = new DataView(body);
    const need = (bytes: number) => {
      if (body.byteLength < bytes) throw new ProtocolError('A cursor message is cut short.');
    };
    switch (message.type) {
      case cursorMessage.init:
        need(9);
        cache.clear();
        events.cursorMoved(view.getInt16(0, true), view.getInt16(2, true));
        tell(body, 9, view.getUint8(8) !== 0);
        break;
      case cursorMessage.set:
        need(5);
        events.cursorMoved(view.getInt16(0, true), view.getInt16(2, true));
        tell(body, 5, view.getUint8(4) !== 0);
        break;
      case cursorMessage.move:
        need(4);
        events.cursorMoved(view.getInt16(0, true), view.getInt16(2, true));
        break;
      case cursorMessage.hide:
        events.cursor({ kind: 'hidden' });
        break;
      case cursorMessage.reset:
        cache.clear();
        events.cursor({ kind: 'default' });
        break;
      case cursorMessage.invalOne:
        need(8);
        cache.delete(view.getBigUint64(0, true));
        break;
      case cursorMessage.invalAll:
        cache.clear();
        break;
    }
    return true;
  };
}
