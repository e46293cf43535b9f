/** The guest agent of one run: whether it is there (as QEMU says, without polling) which version it is, and what it tells of the guest's network. */

import { AgentClient } from '../../agent/agent-client.ts';
import type { NetworkView } from '../../agent/agent-replies.ts';
import type { Log } from '../../log/log.ts';

const refreshMs = 30_000;
/** A measurement of QEMU does not wait longer than this for a guest. */
const patienceMs = 500;
/** An agent that just opened its channel may need a moment, and a guest that just booted has no address yet. */
const firstLooksMs = [0, 1_000, 3_000, 8_000, 20_000];

export type ToldByAgent = { addresses: string[]; hostname: string | null; version: string | null };

const nothing: ToldByAgent = { addresses: [], hostname: null, version: null };

export class AgentWatch {
  readonly client: AgentClient;
  readonly #tell: (told: ToldByAgent) => void;
  readonly #log: Log;
  #connected = false;
  #version: string | null = null;
  #lookedAtMs = 0;
  #failedAtMs = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(path: string, tell: (told: ToldByAgent) => void, log: Log) {
    this.client = new AgentClient(path);
    this.#tell = tell;
    this.#log = log;
  }

  get isConnected(): boolean {
    return this.#connected;
  }

  /** QEMU saw the agent open or close its end of the channel. */
  setConnected(connected: boolean): void {
    if (connected === this.#connected) return;
    this.#connected = connected;
    if (this.#timer) clearTimeout(this.#timer);
    if (connected) this.#lookAfter(0);
    else {
      this.client.reconnect();
      this.#version = null;
      this.#tell(nothing);
    }
  }

  /** The network as the guest counts it, for a measurement; null when the agent is away, busy, slow or does not say. */
  network(): Promise<NetworkView | null> {
    if (!this.#connected || this.client.isBusy || Date.now() - this.#failedAtMs < refreshMs) return Promise.resolve(null);
    const late = new Promise<null>((done) => setTimeout(done, patienceMs, null).unref());
    return Promise.race([this.#ask(), late]);
  }

  async #ask(): Promise<NetworkView | null> {
    try {
      const view = await this.client.network();
      if (Date.now() - this.#lookedAtMs > refreshMs) await this.#tellOf(view);
      return view;
    } catch (thrown) {
      this.#failedAtMs = Date.now();
      this.#log.debug({ error: String(thrown) }, 'The guest agent did not tell of the network.');
      return null;
    }
  }

  release(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.client.release();
  }

  #lookAfter(look: number): void {
    const delayMs = firstLooksMs[look];
    if (delayMs === undefined) return;
    this.#timer = setTimeout(async () => {
      try {
        if (this.#version === null) await this.#askVersion();
        const view = await this.client.network();
        await this.#tellOf(view);
        if (view.addresses.length > 0) return;
      } catch (thrown) {
        this.#log.debug({ error: String(thrown) }, 'The guest agent did not tell of the network.');
      }
      if (this.#connected) this.#lookAfter(look + 1);
    }, delayMs);
  }

  async #askVersion(): Promise<void> {
    const info = await this.client.info().catch(() => null);
    if (!this.#connected || !info) return;
    const { version } = info;
    this.#version = version;
    // A system that is only just up may not know its network yet.
    this.#tell({ ...nothing, version });
  }

  async #tellOf(view: NetworkView): Promise<void> {
    this.#lookedAtMs = Date.now();
    const hostname = await this.client.hostname().catch(() => null);
    if (this.#connected) this.#tell({ addresses: view.addresses, hostname, version: this.#version });
  }
}
