/** The main channel: who the session is, which channels there are, how the pointer works, and the way to the guest's agent. */
import { buildMessage } from '../protocol/build-message.ts';
import { mainCapability, mainMessage, mainRequest, mouseMode } from '../protocol/constants.ts';
import type { Reader } from '../protocol/reader.ts';
import { SpiceError } from '../protocol/spice-error.ts';
import type { Channel, ChannelHandler } from './channel.ts';

export type MainEvents = {
  /** The server's number for this session, which the other channels are opened with; then the channels that it has. */
  session(sessionId: number): void;
  channels(list: readonly { kind: number; channelId: number }[]): void;
  /** The server's clock for video and sound, in milliseconds; it begins anywhere and wraps at 2^32. */
  multimediaTime(time: number): void;
  pointer(pointer: 'absolute' | 'relative'): void;
  /** `tokens`: how many pieces may be sent to the agent before it gives more. */
  agentConnected(tokens: number): void;
  agentDisconnected(): void;
  agentTokens(more: number): void;
  /** A piece of what the agent says; good until this returns. */
  agentData(piece: Uint8Array): void;
  /** The guest is about to move. `version`: of what the servers hand each other so that nothing is sent again; null when they do not. */
  moveBegins(version: number | null): void;
  /** It stays. */
  moveCancelled(): void;
  /** It has moved, and this client is awaited there. */
  moveEnds(): void;
  /** It has moved, and this client is to come after it. `host` is nothing but words. */
  movedTo(host: string): void;
};

const maxChannels = 64;
/** SPICE_MSGC_MAIN_AGENT_START: the byte stream itself holds the server back. */
const agentTokensGiven = 0xffffffff;
const maxHostBytes = 256;
/** SpiceMigrationDstInfo: where the guest goes by its server's word, which nothing is made of. */
const destinationBytes = 20;

export class MainChannel implements ChannelHandler {
  readonly kind = 'main';
  readonly capabilities =
    (1 << mainCapability.SEMI_SEAMLESS_MIGRATE) |
    (1 << mainCapability.NAME_AND_UUID) |
    (1 << mainCapability.AGENT_CONNECTED_TOKENS) |
    (1 << mainCapability.SEAMLESS_MIGRATE);
  readonly #events: MainEvents;
  #channel: Channel | undefined;
  #begun = false;
  /** Whether the channels are still to be asked for. */
  #attaches = true;
  #tokens = 0;

  constructor(events: MainEvents) {
    this.#events = events;
  }

  opened(channel: Channel): void {
    this.#channel = channel;
  }

  moved(channel: Channel): void {
    this.#channel = channel;
  }

  /** The next INIT is that of another server. `attach`: the channels are to be asked for, since none is open there. */
  restart(attach: boolean): void {
    this.#channel = undefined;
    this.#begun = false;
    this.#attaches = attach;
  }

  message(type: number, body: Reader): undefined {
    if (type !== mainMessage.INIT && !this.#begun && type in mainMessageNames) throw new SpiceError('comes before INIT');
    switch (type) {
      case mainMessage.INIT:
        this.#init(body);
        break;
      case mainMessage.CHANNELS_LIST: {
        const count = body.count(body.u32(), 2, 'channels');
        if (count > maxChannels) throw new SpiceError(`${count} channels are more than the ${maxChannels} that are accepted`);
        this.#events.channels(Array.from({ length: count }, () => ({ kind: body.u8(), channelId: body.u8() })));
        break;
      }
      case mainMessage.MOUSE_MODE: {
        const supported = body.u16();
        this.#mouse(supported, body.u16());
        break;
      }
      case mainMessage.MULTI_MEDIA_TIME:
        this.#events.multimediaTime(body.u32());
        break;
      case mainMessage.AGENT_CONNECTED:
        // A server that does not say has not taken any back.
        this.#agentConnected(this.#tokens);
        break;
      case mainMessage.AGENT_CONNECTED_TOKENS:
        this.#agentConnected(body.u32());
        break;
      case mainMessage.AGENT_DISCONNECTED:
        this.#events.agentDisconnected();
        break;
      case mainMessage.AGENT_DATA:
        this.#events.agentData(body.rest());
        break;
      case mainMessage.AGENT_TOKEN:
        this.#events.agentTokens(body.u32());
        break;
      case mainMessage.MIGRATE_BEGIN:
        this.#events.moveBegins(null);
        break;
      case mainMessage.MIGRATE_BEGIN_SEAMLESS:
        body.skip(destinationBytes);
        this.#events.moveBegins(body.u32());
        break;
      case mainMessage.MIGRATE_CANCEL:
        this.#events.moveCancelled();
        break;
      case mainMessage.MIGRATE_END:
        this.#events.moveEnds();
        break;
      case mainMessage.MIGRATE_SWITCH_HOST: {
        body.skip(4);
        const length = body.u32();
        const at = body.u32();
        body.seek(at);
        const host = body.bytesOf(Math.min(body.count(length, 1, 'characters'), maxHostBytes));
        this.#events.movedTo(new TextDecoder().decode(host).replace(/\0.*$/s, ''));
        break;
      }
    }
    return undefined;
  }

  #init(body: Reader): void {
    if (this.#begun) throw new SpiceError('comes a second time');
    this.#begun = true;
    const sessionId = body.u32();
    body.skip(4);
    const supported = body.u32();
    const current = body.u32();
    const agentConnected = body.u32() !== 0;
    this.#tokens = body.u32();
    this.#events.session(sessionId);
    this.#events.multimediaTime(body.u32());
    this.#mouse(supported, current);
    if (agentConnected) this.#agentConnected(this.#tokens);
    else this.#events.agentDisconnected();
    if (this.#attaches) this.#channel?.send(buildMessage(mainRequest.ATTACH_CHANNELS, 0));
  }

  #mouse(supported: number, current: number): void {
    this.#events.pointer(current === mouseMode.CLIENT ? 'absolute' : 'relative');
    // Positions are better where the guest takes them: the pointer need not be caught.
    if (current !== mouseMode.CLIENT && supported & mouseMode.CLIENT)
      this.#channel?.send(buildMessage(mainRequest.MOUSE_MODE_REQUEST, 2, (request) => request.setUint16(0, mouseMode.CLIENT, true)));
  }

  #agentConnected(tokens: number): void {
    this.#channel?.send(buildMessage(mainRequest.AGENT_START, 4, (request) => request.setUint32(0, agentTokensGiven, true)));
    this.#events.agentConnected(tokens);
  }
}

const mainMessageNames: Record<number, string> = Object.fromEntries(Object.entries(mainMessage).map(([name, number]) => [number, name]));
