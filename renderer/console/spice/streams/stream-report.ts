/** What the server is told of how a video arrives, so that it can send less or more: SPICE_MSGC_DISPLAY_STREAM_REPORT. */
import { buildMessage } from '../protocol/build-message.ts';
import { displayRequest } from '../protocol/constants.ts';

/** So many late pictures in a row are told at once. */
const maxLateInRow = 3;
/** There is no sound to compare with. */
const noAudioDelay = 0xffffffff;

export class StreamReport {
  readonly #streamId: number;
  readonly #uniqueId: number;
  readonly #maxFrames: number;
  readonly #maxMs: number;
  readonly #now: () => number;
  #frames = 0;
  #late = 0;
  #lateInRow = 0;
  #began = 0;
  #firstTime = 0;

  /** `uniqueId`, the window and the timeout are those that the server asked for. */
  constructor(streamId: number, uniqueId: number, maxFrames: number, maxMs: number, now: () => number) {
    this.#streamId = streamId;
    this.#uniqueId = uniqueId;
    this.#maxFrames = Math.max(1, maxFrames);
    this.#maxMs = maxMs;
    this.#now = now;
  }

  /** A picture came with `marginMs` left until it was to be shown. Answers the message to send when it is time for one. */
  frame(time: number, marginMs: number): Uint8Array | null {
    const now = this.#now();
    if (this.#frames === 0) {
      this.#began = now;
      this.#firstTime = time;
    }
    this.#frames++;
    if (marginMs < 0) {
      this.#late++;
      this.#lateInRow++;
    } else this.#lateInRow = 0;
    if (this.#frames < this.#maxFrames && now - this.#began < this.#maxMs && this.#lateInRow < maxLateInRow) return null;
    const message = buildMessage(displayRequest.STREAM_REPORT, 32, (body) => {
      body.setUint32(0, this.#streamId, true);
      body.setUint32(4, this.#uniqueId, true);
      body.setUint32(8, this.#firstTime, true);
      body.setUint32(12, time, true);
      body.setUint32(16, this.#frames, true);
      body.setUint32(20, this.#late, true);
      body.setInt32(24, marginMs, true);
      body.setUint32(28, noAudioDelay, true);
    });
    this.#frames = 0;
    this.#late = 0;
    this.#lateInRow = 0;
    return message;
  }
}
