/** The worker of one SPICE console: decodes, draws on the page's canvas and sends keys and pointer. */
import { type ConsoleEnd, type ConsoleInput, type ConsoleStats, noStats, type PixelSize } from '../../console.ts';
import type { FromWorker, ToWorker } from '../messages.ts';
import { correct, type SpiceEvents } from './corrections.ts';
import { ProtocolError } from './framing.ts';
import { type ChannelHost, PortSocket } from './port-socket.ts';
import { loadSpiceHtml5, type SpiceHtml5 } from './spice-html5.ts';
import { buildButton, buildKey, buildLocks, buildMotion, buildPosition, maskOf } from './wire.ts';
import { installRealm } from './worker-realm.ts';

/** The part of `DedicatedWorkerGlobalScope` that is used. */
type Scope = {
  postMessage(message: FromWorker, transfer?: Transferable[]): void;
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
  addEventListener(
    type: 'error' | 'unhandledrejection',
    listener: (event: { message?: string; reason?: unknown; preventDefault(): void }) => void,
  ): void;
};
const scope = globalThis as unknown as Scope;

/** The server acknowledges every fourth movement (SPICE_INPUT_MOTION_ACK_BUNCH). */
const motionBunch = 4;
const statsEveryMs = 1000;
/** Of the usual display: drawings that share one are one picture. */
const refreshMs = 1000 / 60;

class SpiceSession implements ChannelHost, SpiceEvents {
  #main: InstanceType<SpiceHtml5['SpiceMainConn']> | undefined;
  readonly #sockets: PortSocket[] = [];
  #ended = false;
  #pointer: 'absolute' | 'relative' = 'relative';
  #heldButtons = 0;
  /** Movements that the server has not acknowledged, and when each bunch of them was complete. */
  #unacknowledged = 0;
  #bunchSentAt: number[] = [];
  #motionsSent = 0;
  #waitingMotion: Extract<ConsoleInput, { kind: 'position' | 'motion' }> | null = null;
  #size: PixelSize | null = null;
  #sizeTold = true;
  #lastRefresh = -1;
  #frames = 0;
  #latencyMs: number | null = null;
  #statsBefore = { at: performance.now(), bytesIn: 0, bytesOut: 0 };

  async start(canvas: OffscreenCanvas): Promise<void> {
    const host: ChannelHost = this;
    const Socket = class extends PortSocket {
      constructor(url: string) {
        super(host, url);
      }
    };
    const realm = installRealm(canvas, Socket);
    const spice = await loadSpiceHtml5();
    correct(spice, realm, this);
    this.#main = new spice.SpiceMainConn({
      uri: 'port:spice',
      password: '',
      screen_id: 'console',
      onerror: (error) => this.#fail(error),
    });
    setInterval(() => scope.postMessage({ type: 'stats', stats: this.#measure() }), statsEveryMs);
  }

  requestPort(socket: PortSocket): void {
    this.#sockets.push(socket);
    scope.postMessage({ type: 'needPort', id: this.#sockets.length - 1, place: 'home', arriving: false });
  }

  giveSocket(id: number, port: MessagePort): void {
    this.#sockets[id]?.attach(port);
  }

  refuseSocket(text: string): void {
    this.#end({ cause: 'unavailable', text, detail: '' });
  }

  channelClosed(_socket: PortSocket, reason: string, clean: boolean): void {
    this.#end({ cause: 'server', text: clean ? 'The guest closed its console.' : 'The connection to the console broke.', detail: reason });
  }

  channelFailed(_socket: PortSocket, error: unknown): void {
    this.#fail(error);
  }

  surface(size: PixelSize): void {
    this.#size = size;
    this.#sizeTold = false;
  }

  /** Counts refreshes by the clock: an animation frame would be asked of the compositor by every drawing, only to be counted. */
  drawn(): void {
    const refresh = Math.floor(performance.now() / refreshMs);
    if (refresh !== this.#lastRefresh) this.#frames++;
    this.#lastRefresh = refresh;
    if (this.#sizeTold || !this.#size) return;
    this.#sizeTold = true;
    scope.postMessage({ type: 'size', size: this.#size });
  }

  pointer(pointer: 'absolute' | 'relative'): void {
    this.#pointer = pointer;
    this.#waitingMotion = null;
    scope.postMessage({ type: 'pointer', pointer });
  }

  agent(connected: boolean): void {
    scope.postMessage({ type: 'agent', connected });
  }

  cursor(cursor: Parameters<SpiceEvents['cursor']>[0]): void {
    scope.postMessage({ type: 'cursor', cursor });
  }

  cursorMoved(xPx: number, yPx: number): void {
    scope.postMessage({ type: 'cursorMoved', xPx, yPx });
  }

  motionAcknowledged(): void {
    this.#unacknowledged = Math.max(0, this.#unacknowledged - motionBunch);
    const sentAt = this.#bunchSentAt.shift();
    if (sentAt !== undefined) this.#latencyMs = performance.now() - sentAt;
    this.#sendWaitingMotion();
  }

  input(input: ConsoleInput): void {
    if (input.kind === 'key') for (const message of buildKey(input.scancode, input.down)) this.#sendInput(message);
    else if (input.kind === 'locks') this.#sendInput(buildLocks(input));
    else if (input.kind === 'button') {
      // The press belongs where the pointer is now, also when the server is behind with acknowledging.
      this.#sendWaitingMotion(true);
      const mask = maskOf(input.button);
      this.#heldButtons = input.down ? this.#heldButtons | mask : this.#heldButtons & ~mask;
      this.#sendInput(buildButton(input.button, input.down, this.#heldButtons));
    } else {
      const waiting = this.#waitingMotion;
      this.#waitingMotion =
        input.kind === 'motion' && waiting?.kind === 'motion'
          ? { kind: 'motion', dxPx: waiting.dxPx + input.dxPx, dyPx: waiting.dyPx + input.dyPx }
          : input;
      this.#sendWaitingMotion();
    }
  }

  resize({ widthPx, heightPx }: PixelSize): void {
    this.#main?.resize_window(0, widthPx, heightPx, 32, 0, 0);
  }

  stop(): void {
    this.#ended = true;
    for (const socket of this.#sockets) socket.close();
  }

  crashed(error: unknown): void {
    this.#fail(error);
  }

  #sendWaitingMotion(always = false): void {
    const motion = this.#waitingMotion;
    if (!motion || (motion.kind === 'position') !== (this.#pointer === 'absolute')) return;
    if (!always && this.#unacknowledged >= 2 * motionBunch) return;
    this.#waitingMotion = null;
    const sent = this.#sendInput(
      motion.kind === 'position'
        ? buildPosition(motion.xPx, motion.yPx, this.#heldButtons)
        : buildMotion(motion.dxPx, motion.dyPx, this.#heldButtons),
    );
    if (!sent) return;
    this.#unacknowledged++;
    if (++this.#motionsSent % motionBunch === 0) this.#bunchSentAt.push(performance.now());
  }

  #sendInput(message: ArrayBuffer): boolean {
    const inputs = this.#main?.inputs;
    if (inputs?.state !== 'ready' || !inputs.ws) return false;
    inputs.ws.send(message);
    return true;
  }

  #measure(): ConsoleStats {
    const now = performance.now();
    const total = (of: 'bytesIn' | 'bytesOut') => this.#sockets.reduce((sum, socket) => sum + socket[of], 0);
    const seconds = (now - this.#statsBefore.at) / 1000;
    const totals = { at: now, bytesIn: total('bytesIn'), bytesOut: total('bytesOut') };
    const stats: ConsoleStats =
      seconds <= 0
        ? noStats
        : {
            framesPerSecond: this.#frames / seconds,
            bytesInPerSecond: (totals.bytesIn - this.#statsBefore.bytesIn) / seconds,
            bytesOutPerSecond: (totals.bytesOut - this.#statsBefore.bytesOut) / seconds,
            latencyMs: this.#latencyMs,
          };
    this.#statsBefore = totals;
    this.#frames = 0;
    return stats;
  }

  #fail(error: unknown): void {
    const detail = error instanceof Error ? error.message : String(error);
    const text =
      error instanceof ProtocolError || error instanceof RangeError || error instanceof TypeError
        ? 'The console server sent something that cannot be right, so the connection was ended.'
        : 'The connection to the console failed.';
    this.#end({ cause: 'protocol', text, detail });
  }

  #end(end: ConsoleEnd): void {
    if (this.#ended) return;
    this.stop();
    scope.postMessage({ type: 'ended', end });
  }
}

const session = new SpiceSession();
scope.addEventListener('error', (event) => {
  event.preventDefault();
  session.crashed(event.message ?? 'unknown');
});
scope.addEventListener('unhandledrejection', (event) => {
  event.preventDefault();
  session.crashed(event.reason);
});
scope.onmessage = ({ data: message }) => {
  switch (message.type) {
    case 'start':
      session.start(message.canvas).catch((error: unknown) => session.crashed(error));
      break;
    case 'port':
      session.giveSocket(message.id, message.port);
      break;
    case 'noPort':
      session.refuseSocket(message.text);
      break;
    case 'input':
      session.input(message.input);
      break;
    case 'resize':
      session.resize(message.size);
      break;
    case 'stop':
      session.stop();
      break;
  }
};
