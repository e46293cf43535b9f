/** The guest's agent, as a session uses it: what it can do, and the size that its screen should have. */
import type { PixelSize } from '../../console.ts';
import { AgentLink } from './agent-link.ts';
import { type AgentCapability, agentCapability, agentMessage } from './agent-messages.ts';

export type AgentEvents = {
  /** Sends a message on the main channel. */
  send(message: Uint8Array): void;
  /** It came, and has said what it can do; or it went. */
  agent(connected: boolean): void;
};

/** All but the clipboard's: capabilities, replies and the like have some bytes. */
const maxMessageBytes = 64 * 1024;
const ours: readonly AgentCapability[] = ['MONITORS_CONFIG', 'REPLY'];

export class Agent {
  readonly #events: AgentEvents;
  readonly #link: AgentLink;
  #capabilities: Uint8Array = new Uint8Array(0);

  constructor(events: AgentEvents) {
    this.#events = events;
    this.#link = new AgentLink({
      send: (message) => events.send(message),
      message: (type, body) => this.#message(type, body),
      maxBytes: () => maxMessageBytes,
      tooLong: () => undefined,
    });
  }

  connected(tokens: number): void {
    this.#capabilities = new Uint8Array(0);
    this.#link.open(tokens);
    this.#announce(true);
    this.#events.agent(true);
  }

  disconnected(): void {
    if (!this.#link.connected) return;
    this.#link.close();
    this.#events.agent(false);
  }

  tokens(more: number): void {
    this.#link.giveTokens(more);
  }

  data(piece: Uint8Array): void {
    if (this.#link.connected) this.#link.receive(piece);
  }

  can(capability: AgentCapability): boolean {
    const bit = agentCapability[capability];
    return (((this.#capabilities[bit >> 3] ?? 0) >> (bit & 7)) & 1) !== 0;
  }

  /** Asks for screens of these sizes side by side, in pixels. */
  setMonitors(sizes: readonly PixelSize[]): boolean {
    const body = new DataView(new ArrayBuffer(8 + 20 * sizes.length));
    body.setUint32(0, sizes.length, true);
    let left = 0;
    for (const [index, { widthPx, heightPx }] of sizes.entries()) {
      const at = 8 + 20 * index;
      body.setUint32(at, heightPx, true);
      body.setUint32(at + 4, widthPx, true);
      body.setUint32(at + 8, 32, true);
      body.setInt32(at + 12, left, true);
      left += widthPx;
    }
    return this.#link.send(agentMessage.MONITORS_CONFIG, new Uint8Array(body.buffer));
  }

  #message(type: number, body: Uint8Array): void {
    if (type !== agentMessage.ANNOUNCE_CAPABILITIES || body.byteLength < 4) return;
    this.#capabilities = body.slice(4);
    if (new DataView(body.buffer, body.byteOffset).getUint32(0, true) !== 0) this.#announce(false);
  }

  #announce(wantsAnswer: boolean): void {
    const body = new DataView(new ArrayBuffer(8));
    body.setUint32(0, wantsAnswer ? 1 : 0, true);
    body.setUint32(
      4,
      ours.reduce((bits, capability) => bits | (1 << agentCapability[capability]), 0),
      true,
    );
    this.#link.send(agentMessage.ANNOUNCE_CAPABILITIES, new Uint8Array(body.buffer));
  }
}
