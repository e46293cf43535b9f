/**
 * Makes a WebM of what a console shows. The picture is taken from wherever it is at the moment, so a recording goes on while the guest changes
 * its size, restarts, or is connected anew.
 */

/** Enough for text that scrolls; what stands still costs next to nothing. */
const bitsPerSecond = 8_000_000;
const framesPerSecond = 25;
/** So much is lost at most when the app dies. */
const pieceMs = 1000;
/** In the order in which they are wanted: VP8 takes half the processor of VP9. */
const formats = ['video/webm;codecs=vp8', 'video/webm;codecs=vp9', 'video/webm'];

export type RecorderHandlers = {
  /** The canvas to be recorded now; null keeps the picture before. */
  source(): HTMLCanvasElement | null;
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

  /** Begins at once. Throws when this browser cannot record, or there is no picture. */
  constructor(handlers: RecorderHandlers) {
    this.#handlers = handlers;
    this.#context = this.#canvas.getContext('2d', { alpha: false });
    this.#draw();
    const mimeType = formats.find((format) => MediaRecorder.isTypeSupported(format));
    if (!mimeType) throw new Error('This browser records no WebM.');
    const stream = this.#canvas.captureStream(framesPerSecond);
    this.#recorder = new MediaRecorder(stream, { mimeType, videoBitsPerSecond: bitsPerSecond });
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
      for (const track of stream.getTracks()) track.stop();
      void this.#handedOver.then(() => handlers.ended(this.#problem));
    };
    this.#recorder.start(pieceMs);
    this.#timer = setInterval(() => this.#draw(), 1000 / framesPerSecond);
  }

  stop(): void {
    if (this.#recorder.state !== 'inactive') this.#recorder.stop();
  }

  #draw(): void {
    const source = this.#handlers.source();
    if (!source || source.width === 0 || source.height === 0) return;
    const canvas = this.#canvas;
    if (canvas.width !== source.width) canvas.width = source.width;
    if (canvas.height !== source.height) canvas.height = source.height;
    this.#context?.drawImage(source, 0, 0);
  }
}
