/**
 * When a SPICE channel may be closed. Up to and with release 0.15.1 the SPICE server waits, in QEMU's own process, for the first message of a
 * new display channel and uses freed memory when the client goes meanwhile (`display_channel_client_wait_for_init`): QEMU ends with SIGSEGV
 * and the guest with it. So a display channel that has come that far is first told what it waits for, and closed once it has answered.
 *
 * Source of the layouts: spice-protocol, link.h (16 bytes of header with the length of what follows in its last four; a ticket of 4 + 128
 * bytes) and messages of 2 bytes of type and 4 of size.
 *
 * INVARIANT: no window that goes at a bad moment takes a guest with it (`spice-farewell.test.ts`, tests/integration/spice-farewell.test.ts).
 */

const linkHeaderBytes = 16;
const ticketBytes = 132;
const authReplyBytes = 4;
const displayChannel = 2;
/** SPICE_MSG_SET_ACK with its two numbers: the one message that is sent before the waiting. */
const setAckBytes = 6 + 8;

/** SPICE_MSGC_DISPLAY_INIT with the smallest of caches: nothing is drawn any more. */
const displayInit = Uint8Array.from([101, 0, 14, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);

/** Long enough for a busy host; a server that has not answered by then is not going to. */
export const farewellDeadlineMs = 10_000;

export class SpiceFarewell {
  /** Opened at a server that the guest is still on its way to: it waits for nothing yet, and QEMU aborts when it is told what it waits for otherwise. */
  readonly #arriving: boolean;
  /** The first bytes either way, as far as they are needed. */
  #fromPage = new Uint8Array(0);
  #fromServer = new Uint8Array(0);
  #sentBytes = 0;
  #receivedBytes = 0;

  constructor(arriving = false) {
    this.#arriving = arriving;
  }

  sent(bytes: Uint8Array): void {
    this.#sentBytes += bytes.byteLength;
    this.#fromPage = firstBytes(this.#fromPage, bytes, linkHeaderBytes + 6);
  }

  received(bytes: Uint8Array): void {
    this.#receivedBytes += bytes.byteLength;
    this.#fromServer = firstBytes(this.#fromServer, bytes, linkHeaderBytes);
  }

  /** What the server must still be sent before its answer is waited for; null when the channel may be closed at once. */
  get owed(): Uint8Array | null {
    if (this.#fromPage.byteLength < linkHeaderBytes + 6 || this.#fromPage[linkHeaderBytes + 4] !== displayChannel) return null;
    const identified = linkHeaderBytes + lengthIn(this.#fromPage) + ticketBytes;
    if (this.#sentBytes < identified || this.answered) return null;
    if (this.#sentBytes > identified) return new Uint8Array(0);
    return this.#arriving ? null : displayInit;
  }

  /** The server has said more than it says before it waits. */
  get answered(): boolean {
    if (this.#fromServer.byteLength < linkHeaderBytes) return false;
    return this.#receivedBytes > linkHeaderBytes + lengthIn(this.#fromServer) + authReplyBytes + setAckBytes;
  }
}

function lengthIn(header: Uint8Array): number {
  return new DataView(header.buffer, header.byteOffset).getUint32(12, true);
}

function firstBytes(before: Uint8Array<ArrayBuffer>, more: Uint8Array, count: number): Uint8Array<ArrayBuffer> {
  if (before.byteLength >= count) return before;
  const joined = new Uint8Array(Math.min(count, before.byteLength + more.byteLength));
  joined.set(before);
  joined.set(more.subarray(0, joined.byteLength - before.byteLength), before.byteLength);
  return joined;
}
