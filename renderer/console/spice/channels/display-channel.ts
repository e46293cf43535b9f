/** The display channel: what the guest's screen shows. Keeps the surfaces and has its messages drawn upon them. */
import type { PixelSize } from '../../console.ts';
import { ImageDecoder, imageType, type SharedImages } from '../decoders/image.ts';
import { createSurface, isOpaque, type Rect, type Surface } from '../drawing/surface.ts';
import { buildMessage } from '../protocol/build-message.ts';
import { displayCapability, displayMessage, displayRequest, resourceType, surfaceFlag } from '../protocol/constants.ts';
import type { Reader } from '../protocol/reader.ts';
import { SpiceError } from '../protocol/spice-error.ts';
import { buildPreferredCodecs, type StreamOptions, VideoStreams, videoCapabilities } from '../streams/video-streams.ts';
import type { Channel, ChannelHandler } from './channel.ts';
import { DisplayDrawing } from './display-drawing.ts';

export type DisplayEvents = {
  /** The surface that is the screen, or null when there is none any more. */
  primary(surface: Surface | null): void;
  /** The guest says that its screen can be looked at. */
  mark(): void;
  /** The primary surface has changed within these bounds. */
  damaged(left: number, top: number, right: number, bottom: number): void;
  /** The server says where monitors lie in the primary surface; not checked against it. */
  monitors(monitors: readonly MonitorConfig[]): void;
};

/** QXLHead of a monitor, in pixels of the primary surface; one without a size is off. */
export type MonitorConfig = PixelSize & { id: number; xPx: number; yPx: number };

/** What the display channels of a session have in common. */
export type SharedDisplays = SharedImages & {
  /** Pixels of all their surfaces. */
  surfacePixels: number;
};

/** What the server may count on, told in DISPLAY_INIT: pixels that are kept to be drawn again, and those that GLZ pictures refer to. */
export const pixmapCachePixels = 20 * 1024 * 1024;
export const glzWindowPixels = 8 * 1024 * 1024;
/** SPICE_IMAGE_COMPRESSION_* */
export const imageCompression = { off: 1, auto_glz: 2, auto_lz: 3, quic: 4, glz: 5, lz: 6, lz4: 7 } as const;
export type ImageCompression = keyof typeof imageCompression;
/** Bits of what is done here, apart from videos. */
const capabilities =
  (1 << displayCapability.MONITORS_CONFIG) |
  (1 << displayCapability.COMPOSITE) |
  (1 << displayCapability.A8_SURFACE) |
  (1 << displayCapability.LZ4_COMPRESSION) |
  (1 << displayCapability.PREF_COMPRESSION);
const maxSurfaces = 4096;
/** All surfaces of a session together: 384 MiB of memory, the screen of an 8K display nearly three times. */
const maxSurfacePixels = 96 * 1024 * 1024;
const resourceBytes = 9;
/** QXLHead: id, surface, size, place and flags. */
const monitorBytes = 28;

export class DisplayChannel implements ChannelHandler {
  readonly kind = 'display';
  readonly capabilities: number;
  readonly #events: DisplayEvents;
  readonly #shared: SharedDisplays;
  readonly #surfaces = new Map<number, Surface>();
  readonly #images: ImageDecoder;
  readonly #drawing: DisplayDrawing;
  readonly #streams: VideoStreams;
  readonly #video: StreamOptions;
  readonly #compression: ImageCompression | null;
  #primary: Surface | null = null;
  /** What the screen showed at the server that the guest came from, until its new server shows it. */
  #before: Surface | null;
  #channel: Channel | undefined;

  /**
   * `compression`: how the server is asked to pack pictures, which it does as it likes with null. `before`: what stays on the screen until it is
   * drawn upon, if it keeps its size.
   */
  constructor(
    events: DisplayEvents,
    shared: SharedDisplays,
    compression: ImageCompression | null,
    video: StreamOptions,
    before: Surface | null = null,
  ) {
    this.#events = events;
    this.#before = before;
    shared.surfacePixels += before?.pixels.length ?? 0;
    this.#compression = compression;
    this.#shared = shared;
    const surface = (id: number) => this.#surfaces.get(id);
    const drawn = (target: Surface, { left, top, right, bottom }: Rect) => {
      if (target === this.#primary) events.damaged(left, top, right, bottom);
    };
    this.#images = new ImageDecoder(shared, (id) => {
      const found = surface(id);
      if (!found) throw new SpiceError(`surface ${id} does not exist`);
      return found;
    });
    this.#drawing = new DisplayDrawing({ images: this.#images, surface, drawn });
    this.#video = video;
    this.capabilities = capabilities | videoCapabilities(video.video);
    this.#streams = new VideoStreams({
      ...video,
      jpeg: shared.jpeg,
      surface,
      drawn: (target, bounds) => {
        drawn(target, bounds);
        video.settled();
      },
      send: (message) => this.#channel?.send(message),
    });
  }

  /** The server waits for this before it sends anything: main/consoles/spice-farewell.ts. */
  opened(channel: Channel): void {
    this.#channel = channel;
    channel.send(
      buildMessage(displayRequest.INIT, 14, (body) => {
        body.setUint8(0, 1);
        body.setBigInt64(1, BigInt(pixmapCachePixels), true);
        body.setUint8(9, 1);
        body.setInt32(10, glzWindowPixels, true);
      }),
    );
    const { video } = this.#video;
    if (video.codecs.length > 0 && channel.serverCapabilities & (1 << displayCapability.PREF_VIDEO_CODEC_TYPE))
      channel.send(buildPreferredCodecs(video));
    const compression = this.#compression;
    if (compression)
      channel.send(buildMessage(displayRequest.PREFERRED_COMPRESSION, 1, (body) => body.setUint8(0, imageCompression[compression])));
  }

  moved(channel: Channel): void {
    this.#channel = channel;
  }

  /** What the screen shows or, while the guest has none, showed at the server that it came from. */
  get shown(): Surface | null {
    return this.#primary ?? this.#before;
  }

  /** Nothing is drawn any more. */
  close(): void {
    this.#streams.clear();
  }

  message(type: number, body: Reader): undefined | Promise<void> {
    const drawing = this.#drawing.draw(type, body);
    if (drawing === true) return undefined;
    if (drawing !== false) return drawing;
    switch (type) {
      case displayMessage.SURFACE_CREATE:
        this.#createSurface(body);
        return undefined;
      case displayMessage.SURFACE_DESTROY:
        this.#destroySurface(body.u32());
        return undefined;
      case displayMessage.MARK:
        this.#events.mark();
        return undefined;
      case displayMessage.MONITORS_CONFIG:
        this.#events.monitors(readMonitors(body));
        return undefined;
      case displayMessage.RESET:
        this.#reset();
        return undefined;
      case displayMessage.INVAL_LIST: {
        const count = body.count(body.u16(), resourceBytes, 'resources');
        for (let index = 0; index < count; index++) {
          const kind = body.u8();
          const id = body.u64();
          if (kind === resourceType.PIXMAP) this.#shared.cache.remove(id);
        }
        return undefined;
      }
      case displayMessage.INVAL_ALL_PIXMAPS: {
        const waiting = this.#channel?.waitForChannels(body);
        if (waiting) return waiting.then(() => this.#shared.cache.clear());
        this.#shared.cache.clear();
        return undefined;
      }
      case displayMessage.INVAL_PALETTE:
        this.#images.palettes.remove(body.u64());
        return undefined;
      case displayMessage.INVAL_ALL_PALETTES:
        this.#images.palettes.clear();
        return undefined;
      default:
        this.#streams.message(type, body);
        return undefined;
    }
  }

  /** What was packed with what, in the names of SPICE_IMAGE_TYPE_*. */
  get pictures(): { packing: string; count: number; bytes: number }[] {
    return this.#images.counts.all.map(({ type, count, bytes }) => ({ packing: packingOf(type), count, bytes }));
  }

  get videos(): Pick<VideoStreams, 'codecs' | 'dropped'> {
    return this.#streams;
  }

  /** Of surfaces, kept pictures and GLZ's dictionary of all display channels, four bytes each. */
  get pixels(): number {
    return this.#shared.surfacePixels + this.#shared.cache.pixels + this.#shared.glzWindow.pixels;
  }

  #createSurface(body: Reader): void {
    const id = body.u32();
    const width = body.u32();
    const height = body.u32();
    const format = body.u32();
    const primary = (body.u32() & surfaceFlag.PRIMARY) !== 0;
    this.#destroySurface(id);
    const before = primary ? this.#takeBefore() : null;
    if (this.#surfaces.size >= maxSurfaces) throw new SpiceError(`more than ${maxSurfaces} surfaces are to be kept`);
    if (this.#shared.surfacePixels + width * height > maxSurfacePixels)
      throw new SpiceError(`a surface of ${width} × ${height} pixels is more than fits beside the others`);
    const surface = createSurface(id, width, height, format, !primary);
    this.#surfaces.set(id, surface);
    this.#shared.surfacePixels += surface.pixels.length;
    if (!primary) return;
    if (before && before.width === width && before.height === height) surface.pixels.set(before.pixels);
    this.#primary = surface;
    this.#events.primary(surface);
  }

  #takeBefore(): Surface | null {
    const before = this.#before;
    this.#before = null;
    this.#shared.surfacePixels -= before?.pixels.length ?? 0;
    return before;
  }

  #destroySurface(id: number): void {
    const surface = this.#surfaces.get(id);
    if (!surface) return;
    this.#surfaces.delete(id);
    this.#shared.surfacePixels -= surface.pixels.length;
    this.#streams.forget(id);
    if (surface !== this.#primary) return;
    this.#primary = null;
    this.#events.primary(null);
  }

  #reset(): void {
    this.#images.reset();
    this.#streams.clear();
    const primary = this.#primary;
    if (!primary) return;
    primary.pixels.fill(isOpaque(primary.format) ? 0xff000000 : 0);
    this.#events.damaged(0, 0, primary.width, primary.height);
  }
}

function packingOf(type: number): string {
  const found = Object.entries(imageType).find(([, number]) => number === type);
  return found ? found[0] : String(type);
}

/** SpiceMsgDisplayMonitorsConfig. */
function readMonitors(body: Reader): MonitorConfig[] {
  const count = body.u16();
  body.skip(2);
  return Array.from({ length: body.count(count, monitorBytes, 'monitors') }, () => {
    const id = body.u32();
    body.skip(4);
    const widthPx = body.u32();
    const heightPx = body.u32();
    const monitor = { id, widthPx, heightPx, xPx: body.u32(), yPx: body.u32() };
    body.skip(4);
    return monitor;
  });
}
