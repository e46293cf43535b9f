/**
 * The way to the guest's agent (spice-vdagent) through the main channel: cuts what is sent into pieces and sends no more of them than the
 * server has given tokens for, and joins what comes in pieces.
 *
 * A server counts the bytes of a message whatever becomes of the agent: one that was begun is sent to its end, or the next would be taken for
 * the rest of it.
 */
import { buildMessage } from '../protocol/build-message.ts';
import { mainRequest } from '../protocol/constants.ts';
import { SpiceError } from '../protocol/spice-error.ts';
import { agentHeaderBytes, agentPieceBytes, agentProtocol } from './agent-messages.ts';

export type AgentLinkOptions = {
  /** Sends a message on the main channel. */
  send(message: Uint8Array): void;
  /** A whole message of the agent, good until this returns. */
  message(type: number, body: Uint8Array): void;
  /** How long a message of this type may be; a longer one is passed over, and told. */
  maxBytes(type: number): number;
  tooLong(type: number, bytes: number): void;
  /** Tokens came and little waits for more: whoever has much to send can go on. Not told from within `send`. */
  room?(): void;
};

/** What waits for tokens: a guest that never gives any must not fill memory. */
const maxQueuedBytes = 64 * 1024 * 1024;
/** What a long sending lets wait at most: whatever else is sent stands behind it. */
const roomBytes = 64 * 1024;

export class AgentLink {
  readonly #options: AgentLinkOptions;
  #connected = false;
  #tokens = 0;
  /** Pieces that wait for tokens, oldest first. */
  #queue: { piece: Uint8Array; ends: boolean }[] = [];
  /** A message was sent in part. */
  #begun = false;
  #queuedBytes = 0;
  #header = new Uint8Array(agentHeaderBytes);
  #headerBytes = 0;
  #type = 0;
  #body = new Uint8Array(0);
  #bodyBytes = 0;
  /** Set for a message that is passed over. */
  #skipping = false;
  #wanted = 0;

  constructor(options: AgentLinkOptions) {
    this.#options = options;
  }

  get connected(): boolean {
    return this.#connected;
  }

  /** Whether whoever has much to send may go on, or waits until {@link AgentLinkOptions.room}. */
  get hasRoom(): boolean {
    return this.#connected && this.#queuedBytes < roomBytes;
  }

  open(tokens: number): void {
    this.close();
    this.#connected = true;
    this.#tokens = tokens;
    this.#flush();
  }

  close(): void {
    this.#connected = false;
    this.#tokens = 0;
    this.#queue = this.#begun ? this.#queue.slice(0, this.#queue.findIndex(({ ends }) => ends) + 1) : [];
    this.#queuedBytes = this.#queue.reduce((sum, { piece }) => sum + piece.byteLength, 0);
    this.#headerBytes = 0;
    this.#body = new Uint8Array(0);
    this.#bodyBytes = 0;
  }

  /** Another server has the guest: it has counted nothing of what was begun at the one before, and would take the rest for a message. */
  forget(): void {
    this.#begun = false;
    this.close();
  }

  giveTokens(more: number): void {
    this.#tokens += more;
    this.#flush();
    if (this.hasRoom) this.#options.room?.();
  }

  /** Whether the message was taken: an agent that does not read gets no more than fits. */
  send(type: number, body: Uint8Array): boolean {
    if (!this.#connected || this.#queuedBytes + body.byteLength > maxQueuedBytes) return false;
    const whole = new Uint8Array(agentHeaderBytes + body.byteLength);
    const header = new DataView(whole.buffer);
    header.setUint32(0, agentProtocol, true);
    header.setUint32(4, type, true);
    header.setUint32(16, body.byteLength, true);
    whole.set(body, agentHeaderBytes);
    for (let at = 0; at < whole.byteLength; at += agentPieceBytes) {
      const piece = whole.subarray(at, at + agentPieceBytes);
      this.#queue.push({ piece, ends: at + agentPieceBytes >= whole.byteLength });
      this.#queuedBytes += piece.byteLength;
    }
    this.#flush();
    return true;
  }

  /** Throws {@link SpiceError}. */
  receive(piece: Uint8Array): void {
    let at = 0;
    while (at < piece.byteLength) {
      if (this.#headerBytes < agentHeaderBytes) {
        const count = Math.min(agentHeaderBytes - this.#headerBytes, piece.byteLength - at);
        this.#header.set(piece.subarray(at, at + count), this.#headerBytes);
        this.#headerBytes += count;
        at += count;
        if (this.#headerBytes < agentHeaderBytes) return;
        this.#begin();
      } else {
        const count = Math.min(this.#wanted - this.#bodyBytes, piece.byteLength - at);
        if (!this.#skipping) this.#keep(piece.subarray(at, at + count));
        this.#bodyBytes += count;
        at += count;
      }
      if (this.#bodyBytes === this.#wanted) this.#finish();
    }
  }

  #begin(): void {
    const view = new DataView(this.#header.buffer);
    const protocol = view.getUint32(0, true);
    if (protocol !== agentProtocol) throw new SpiceError(`the agent speaks protocol ${protocol}, which is not known here`);
    this.#type = view.getUint32(4, true);
    this.#wanted = view.getUint32(16, true);
    this.#bodyBytes = 0;
    this.#skipping = this.#wanted > this.#options.maxBytes(this.#type);
    if (this.#skipping) this.#options.tooLong(this.#type, this.#wanted);
  }

  /** Grows with what has come and not with what was announced. */
  #keep(bytes: Uint8Array): void {
    const needed = this.#bodyBytes + bytes.byteLength;
    if (needed > this.#body.byteLength) {
      const larger = new Uint8Array(Math.min(this.#wanted, Math.max(needed, 2 * this.#body.byteLength, agentPieceBytes)));
      larger.set(this.#body.subarray(0, this.#bodyBytes));
      this.#body = larger;
    }
    this.#body.set(bytes, this.#bodyBytes);
  }

  #finish(): void {
    this.#headerBytes = 0;
    const body = this.#body.subarray(0, this.#wanted);
    this.#bodyBytes = 0;
    this.#body = new Uint8Array(0);
    if (!this.#skipping) this.#options.message(this.#type, body);
  }

  #flush(): void {
    while (this.#connected && this.#tokens > 0) {
      const next = this.#queue.shift();
      if (!next) return;
      const { piece, ends } = next;
      this.#begun = !ends;
      this.#tokens--;
      this.#queuedBytes -= piece.byteLength;
      this.#options.send(
        buildMessage(mainRequest.AGENT_DATA, piece.byteLength, (body) => new Uint8Array(body.buffer, body.byteOffset).set(piece)),
      );
    }
  }
}
