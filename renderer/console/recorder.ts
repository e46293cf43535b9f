/**
 * Makes a WebM of what a console shows and plays. The pictures are taken from wherever they are at the moment, several monitors beside each other, so a
 * recording goes on while the guest changes their size, restarts, or is connected anew.
 */

/** Enough for text that scrolls; what stands still costs next to nothing. */
const bitsPerSecond = 8_000_000;
const framesPerSecond = 25;
/** So much is lost at most when the app dies. */
const pieceMs = 1000;
const soundBitsPerSecond = 128_000;
/** In the order in which they are wanted: VP8 takes half the processor of VP9. */
const codecs = ['vp8', 'vp9'];
/** The most that VP8 has in a row, and in a column. */
const maxSidePx = 16_383;

export type RecorderHandlers = {
  /** The canvases to be recorded now, from left to right; none keeps the picture before. */
  sources(): readonly HTMLCanvasElement[];
  /** What comes next of the file, one after the other. */
  piece(bytes: Uint8Array<ArrayBuffer>): void;
  /** Once, when the last piece has been handed over; `problem` is the encoder's. */
  ended(problem: string | null): void;
};

export class Recorder {
  readonly #handlers: RecorderHandlers;
  readonly #canvas = document.createElement('canvas');
  readonly #context: CanvasRenderingContext2D | null;
  readonly #recorder: MediaRecorder;
  readonly #timer: ReturnType<typeof setInterval>;
  /** Pieces become bytes one after another. */
  #handedOver = Promise.resolve();
  #problem: string | null = null;

  /** Begins at once. `sound`: a track of the guest's sound, which stays the caller's. Throws when this browser cannot record. */
  constructor(handlers: RecorderHandlers, sound: MediaStreamTrack | null) {
    this.#handlers = handlers;
    this.#context = this.#canvas.getContext('2d', { alpha: false });
    this.#draw();
    const mimeType = codecs
      .map((codec) => `video/webm;codecs=${codec}${sound ? ',opus' : ''}`)
      .find((format) => MediaRecorder.isTypeSupported(format));
    if (!mimeType) throw new Error('This browser records no WebM.');
    const stream = this.#canvas.captureStream(framesPerSecond);
    const video = stream.getTracks();
    if (sound) stream.addTrack(sound);
    this.#recorder = new MediaRecorder(stream, {
      mimeType,
      videoBitsPerSecond: bitsPerSecond,
      audioBitsPerSecond: soundBitsPerSecond,
    });
    this.#recorder.ondataavailable = ({ data }) => {
      this.#handedOver = this.#handedOver.then(async () => {
        if (data.size > 0) this.#handlers.piece(new Uint8Array(await data.arrayBuffer()));
      });
    };
    this.#recorder.onerror = (event) => {
      this.#problem = 'error' in event && event.error instanceof Error ? event.error.message : 'unknown';
    };
    this.#recorder.onstop = () => {
      clearInterval(this.#timer);
      for (const track of video) track.stop();
      void this.#handedOver.then(() => handlers.ended(this.#problem));
    };
    this.#recorder.start(pieceMs);
    this.#timer = setInterval(() => this.#draw(), 1000 / framesPerSecond);
  }

  stop(): void {
    if (this.#recorder.state !== 'inactive') this.#recorder.stop();
  }

  #draw(): void {
    const sources = this.#handlers.sources().filter(({ width, height }) => width > 0 && height > 0);
    if (sources.length === 0) return;
    const canvas = this.#canvas;
    const width = sources.reduce((sum, source) => sum + source.width, 0);
    const height = Math.max(...sources.map((source) => source.height));
    if (width > maxSidePx || height > maxSidePx) return;
    // A canvas that is given a size is black again.
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== height) canvas.height = height;
    let left = 0;
    for (const source of sources) {
      this.#context?.drawImage(source, left, 0);
      left += source.width;
    }
  }
}
