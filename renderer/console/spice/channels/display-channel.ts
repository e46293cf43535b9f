/** The display channel: what the guest's screen shows. Reads its messages and has them drawn. */
import { copyRaw } from '../drawing/copy-raw.ts';
import { createSurface, isOpaque, type Rect, type Surface } from '../drawing/surface.ts';
import { buildMessage } from '../protocol/build-message.ts';
import { displayCapability, displayMessage, displayRequest, surfaceFlag } from '../protocol/constants.ts';
import type { Reader } from '../protocol/reader.ts';
import { SpiceError } from '../protocol/spice-error.ts';
import type { Channel, ChannelHandler } from './channel.ts';

export type DisplayEvents = {
  /** The surface that is the screen, or null when there is none any more. */
  primary(surface: Surface | null): void;
  /** The guest says that its screen can be looked at. */
  mark(): void;
  /** The primary surface has changed within these bounds. */
  damaged(left: number, top: number, right: number, bottom: number): void;
};

/** What the server may count on, told in DISPLAY_INIT: pixels that are kept to be drawn again, and those that GLZ pictures refer to. */
const pixmapCachePixels = 10 * 1024 * 1024;
const glzWindowPixels = 8 * 1024 * 1024;
const maxSurfaces = 4096;

export class DisplayChannel implements ChannelHandler {
  readonly kind = 'display';
  readonly capabilities = (1 << displayCapability.SIZED_STREAM) | (1 << displayCapability.MONITORS_CONFIG);
  readonly #events: DisplayEvents;
  readonly #surfaces = new Map<number, Surface>();
  #primary: Surface | null = null;
  readonly #box: Rect = { left: 0, top: 0, right: 0, bottom: 0 };

  constructor(events: DisplayEvents) {
    this.#events = events;
  }

  opened(channel: Channel): void {
    channel.send(
      buildMessage(displayRequest.INIT, 14, (body) => {
        body.setUint8(0, 1);
        body.setBigInt64(1, BigInt(pixmapCachePixels), true);
        body.setUint8(9, 1);
        body.setInt32(10, glzWindowPixels, true);
      }),
    );
  }

  message(type: number, body: Reader): undefined | Promise<void> {
    switch (type) {
      case displayMessage.SURFACE_CREATE:
        this.#createSurface(body);
        break;
      case displayMessage.SURFACE_DESTROY:
        this.#destroySurface(body.u32());
        break;
      case displayMessage.MARK:
        this.#events.mark();
        break;
      case displayMessage.DRAW_COPY:
        this.#drawCopy(body);
        break;
    }
    return undefined;
  }

  #createSurface(body: Reader): void {
    const id = body.u32();
    const width = body.u32();
    const height = body.u32();
    const format = body.u32();
    const flags = body.u32();
    if (this.#surfaces.size >= maxSurfaces && !this.#surfaces.has(id))
      throw new SpiceError(`more than ${maxSurfaces} surfaces are to be kept`);
    const surface = createSurface(id, width, height, format);
    this.#surfaces.set(id, surface);
    if (flags & surfaceFlag.PRIMARY) {
      this.#primary = surface;
      this.#events.primary(surface);
    }
  }

  #destroySurface(id: number): void {
    const surface = this.#surfaces.get(id);
    this.#surfaces.delete(id);
    if (!surface || surface !== this.#primary) return;
    this.#primary = null;
    this.#events.primary(null);
  }

  #drawCopy(body: Reader): void {
    const surface = this.#surfaces.get(body.u32());
    if (!surface) throw new SpiceError('the surface does not exist');
    const box = this.#box;
    box.top = body.i32();
    box.left = body.i32();
    box.bottom = body.i32();
    box.right = body.i32();
    if (body.u8() !== 0) throw new SpiceError('clip');
    const image = body.u32();
    body.seek(image + 8);
    if (body.u8() !== 0) throw new SpiceError('type');
    body.skip(1 + 8);
    body.skip(2);
    const width = body.u32();
    const height = body.u32();
    const stride = body.u32();
    body.skip(4);
    copyRaw(surface, box.left, box.top, width, height, body.bytes, body.position, stride, isOpaque(surface.format) ? 0xff000000 : 0);
    if (surface === this.#primary) this.#events.damaged(box.left, box.top, box.right, box.bottom);
  }
}
