/** One video inside a surface: its pictures wait here until the server's clock says that they are to be seen. */
import type { Picture } from '../decoders/picture.ts';
import { stretchRegion } from '../drawing/copy.ts';
import { Region } from '../drawing/region.ts';
import type { Rect, Surface } from '../drawing/surface.ts';
import type { MultimediaClock } from './multimedia-clock.ts';
import type { StreamReport } from './stream-report.ts';
import type { StreamDecoder } from './video-decoder.ts';

/** What a video needs of the session around it. */
export type VideoHost = {
  clock: MultimediaClock;
  /** Calls back once, at least that much later. The answer takes it back. */
  after(ms: number, run: () => void): () => void;
  surface(id: number): Surface | undefined;
  drawn(surface: Surface, bounds: Rect): void;
  send(message: Uint8Array): void;
  /** Something in a video cannot be right: ends the session. */
  failed(error: unknown): void;
};

type Frame = { time: number; width: number; height: number; place: Rect; bytes: Uint8Array };

/** What waits is bounded: a server whose clock is wrong cannot fill memory. */
const maxWaiting = 64;
const maxWaitingBytes = 16 * 1024 * 1024;
/** A picture that is to be seen later than this is to be seen now: no server holds pictures back for so long. */
const maxAheadMs = 5000;

export class VideoStream {
  readonly surfaceId: number;
  readonly width: number;
  readonly height: number;
  readonly place: Rect;
  /** Left, top, right and bottom of each rectangle; null draws everywhere. */
  clip: Int32Array | null;
  report: StreamReport | null = null;
  /** Pictures that came too late to be seen. */
  dropped = 0;
  readonly #topDown: boolean;
  readonly #decoder: StreamDecoder;
  readonly #host: VideoHost;
  readonly #region = new Region();
  readonly #bounds: Rect = { left: 0, top: 0, right: 0, bottom: 0 };
  readonly #waiting: Frame[] = [];
  #waitingBytes = 0;
  #decoding = false;
  #cancel: (() => void) | null = null;
  #closed = false;

  constructor(
    surfaceId: number,
    width: number,
    height: number,
    place: Rect,
    clip: Int32Array | null,
    topDown: boolean,
    decoder: StreamDecoder,
    host: VideoHost,
  ) {
    this.surfaceId = surfaceId;
    this.width = width;
    this.height = height;
    this.place = place;
    this.clip = clip;
    this.#topDown = topDown;
    this.#decoder = decoder;
    this.#host = host;
  }

  /** Takes a picture that is to be seen at that time of the server's clock. `bytes` are the stream's from now on. */
  add(time: number, width: number, height: number, place: Rect, bytes: Uint8Array): void {
    const margin = this.#host.clock.until(time);
    const report = this.report?.frame(time, margin);
    if (report) this.#host.send(report);
    this.#waiting.push({ time, width, height, place, bytes });
    this.#waitingBytes += bytes.byteLength;
    this.#next();
  }

  close(): void {
    this.#closed = true;
    this.#cancel?.();
    this.#cancel = null;
    this.#waiting.length = 0;
    this.#decoder.close();
  }

  /** Shows what is due, or waits for the time of the first that waits. One picture is decoded at a time. */
  #next(): void {
    if (this.#closed || this.#decoding) return;
    this.#cancel?.();
    this.#cancel = null;
    const [first, second] = this.#waiting;
    if (!first) return;
    const crowded = this.#waiting.length > maxWaiting || this.#waitingBytes > maxWaitingBytes;
    const margin = this.#host.clock.until(first.time);
    if (margin > 0 && margin <= maxAheadMs && !crowded) {
      this.#cancel = this.#host.after(margin, () => {
        this.#cancel = null;
        this.#next();
      });
      return;
    }
    this.#waiting.shift();
    this.#waitingBytes -= first.bytes.byteLength;
    // A picture that is late is left out when the next one is due as well; the last of them is always shown, as late as it may be.
    const passed = second !== undefined && (crowded || this.#host.clock.until(second.time) <= 0);
    if (passed) this.dropped++;
    if (passed && this.#decoder.independent) {
      this.#next();
      return;
    }
    this.#decoding = true;
    this.#decoder.decode(first.bytes, first.width, first.height).then(
      (picture) => {
        this.#decoding = false;
        if (this.#closed) return;
        if (picture && !passed) this.#show(picture, first.place);
        this.#next();
      },
      (error: unknown) => {
        this.#decoding = false;
        if (!this.#closed) this.#host.failed(error);
      },
    );
  }

  #show(picture: Picture, place: Rect): void {
    const target = this.#host.surface(this.surfaceId);
    if (!target) return;
    const region = this.#region;
    region.setRect(place, target.width, target.height);
    if (this.clip) region.intersectRects(this.clip, this.clip.length / 4);
    if (region.empty) return;
    stretchRegion(target, region, picture, place, !this.#topDown);
    region.extents(this.#bounds);
    this.#host.drawn(target, this.#bounds);
  }
}
