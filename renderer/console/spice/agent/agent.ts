/** The guest's agent, as a session uses it: what it can do, and the size that its screen should have. */
import type { ClipboardPolicy, FilesPolicy } from '../../../../contract/guest-spec.ts';
import type { CopiedKind, Selection } from '../../clipboard.ts';
import { type DesktopLook, type MixerChoice, type MonitorPlace, ownLook, type PixelSize } from '../../console.ts';
import type { FileProgress, FileToSend } from '../../files.ts';
import { AgentLink } from './agent-link.ts';
import { type AgentCapability, agentCapability, agentMessage, displayFlag } from './agent-messages.ts';
import { FileSender, type FilesPossible } from './file-sender.ts';
import { SharedClipboard, type SharedClipboardOptions } from './shared-clipboard.ts';

export type SettingsPossible = { volume: boolean; look: boolean };

export type AgentEvents = {
  /** Sends a message on the main channel. */
  send(message: Uint8Array): void;
  /** It came, and has said what it can do; or it went. */
  agent(connected: boolean): void;
  /** Whether it shares a clipboard. */
  clipboard(possible: boolean): void;
  /** Whether it takes files, and how far one is. */
  files(possible: FilesPossible): void;
  file(id: number, progress: FileProgress): void;
  /** Whether it sets the guest's volume, and the look of its desktop. */
  settings(possible: SettingsPossible): void;
  /** Bytes on their way to the server that it has not taken yet. */
  underWayBytes(): number;
  /** The guest moves to where nothing is known of messages that were begun here: its agent would take the next for the rest of one. */
  leaves(): boolean;
  /** Calls back once, at least that much later. */
  after(ms: number, run: () => void): void;
};

export type AgentOptions = AgentEvents & Omit<SharedClipboardOptions, 'send' | 'can'>;

/** All but the clipboard's: capabilities, replies and the like have some bytes. */
const maxMessageBytes = 64 * 1024;
/** A server that takes what is sent slowly is not sent a file faster. */
const mostUnderWayBytes = 512 * 1024;
const lookAgainMs = 20;
/** VD_AGENT_CONFIG_MONITORS_FLAG_USE_POS. */
const usePositions = 1;
const ours: readonly AgentCapability[] = ['MONITORS_CONFIG', 'REPLY', 'FILE_XFER_DETAILED_ERRORS'];
/** Said only while something is shared: an agent that does not hear of it does not even look at what is copied in its guest. */
const oursWithClipboard: readonly AgentCapability[] = [
  ...ours,
  'CLIPBOARD_BY_DEMAND',
  'CLIPBOARD_SELECTION',
  'MAX_CLIPBOARD',
  'CLIPBOARD_NO_RELEASE_ON_REGRAB',
  'CLIPBOARD_GRAB_SERIAL',
];
const clipboardMessages: ReadonlySet<number> = new Set([
  agentMessage.CLIPBOARD,
  agentMessage.CLIPBOARD_GRAB,
  agentMessage.CLIPBOARD_REQUEST,
  agentMessage.CLIPBOARD_RELEASE,
]);

export class Agent {
  readonly #events: AgentEvents;
  readonly #link: AgentLink;
  readonly #clipboard: SharedClipboard;
  readonly #files: FileSender;
  #capabilities: Uint8Array = new Uint8Array(0);
  #look = ownLook;
  /** The guest was told of another look than its own, and remembers it. */
  #lookTold = false;
  /** What is announced has changed, and is not announced while files are on their way. */
  #announcesLater = false;
  #looksAgain = false;

  constructor(options: AgentOptions) {
    const events = options;
    this.#events = events;
    this.#clipboard = new SharedClipboard({
      ...options,
      send: (type, body) => this.#link.send(type, body),
      can: (capability) => this.can(capability),
    });
    this.#files = new FileSender({
      send: (type, body) => this.#link.send(type, body),
      hasRoom: () => this.#hasRoom(),
      can: (capability) => this.can(capability),
      progress: (id, progress) => {
        events.file(id, progress);
        if (this.#announcesLater && !this.#files.busy && this.#link.connected) this.#announce(true);
      },
      possible: (possible) => events.files(possible),
      now: () => options.now(),
    });
    this.#link = new AgentLink({
      send: (message) => events.send(message),
      message: (type, body) => this.#message(type, body),
      maxBytes: (type) => (clipboardMessages.has(type) ? this.#clipboard.maxBytes : maxMessageBytes),
      tooLong: (type) => {
        if (type === agentMessage.CLIPBOARD) this.#clipboard.tooLong();
      },
      room: () => this.#files.room(),
    });
  }

  connected(tokens: number): void {
    this.#capabilities = new Uint8Array(0);
    this.#clipboard.end();
    this.#files.end();
    this.#link.open(tokens);
    this.#announce(true);
    this.#events.agent(true);
  }

  disconnected(): void {
    if (!this.#link.connected) return;
    this.#link.close();
    this.#clipboard.end();
    this.#files.end();
    this.#events.clipboard(false);
    this.#events.settings({ volume: false, look: false });
    this.#events.agent(false);
  }

  /** The guest is at another server, which says by itself whether there is an agent. */
  moved(): void {
    this.disconnected();
    this.#link.forget();
  }

  /** The session ended: what is on its way to this computer does not get there any more. */
  closed(): void {
    this.#link.close();
    this.#clipboard.setPolicy('off');
    this.#clipboard.end();
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

  /** What it says that it can do; null while there is none. */
  get capabilities(): AgentCapability[] | null {
    if (!this.#link.connected) return null;
    return (Object.keys(agentCapability) as AgentCapability[]).filter((capability) => this.can(capability));
  }

  /** Asks for screens of these sizes, in pixels: at these places, or side by side. */
  setMonitors(sizes: readonly PixelSize[], places: readonly MonitorPlace[] | null = null): boolean {
    const body = new DataView(new ArrayBuffer(8 + 20 * sizes.length));
    body.setUint32(0, sizes.length, true);
    body.setUint32(4, places ? usePositions : 0, true);
    let left = 0;
    for (const [index, { widthPx, heightPx }] of sizes.entries()) {
      const at = 8 + 20 * index;
      body.setUint32(at, heightPx, true);
      body.setUint32(at + 4, widthPx, true);
      body.setUint32(at + 8, 32, true);
      body.setInt32(at + 12, places?.[index]?.xPx ?? left, true);
      body.setInt32(at + 16, places?.[index]?.yPx ?? 0, true);
      left += widthPx;
    }
    return this.#link.send(agentMessage.MONITORS_CONFIG, new Uint8Array(body.buffer));
  }

  /** Sets the guest's own volume. */
  setVolume({ volume, muted }: MixerChoice): void {
    if (!this.can('AUDIO_VOLUME_SYNC')) return;
    // Playback, muted, how many channels; then each of them, of 65535. Agents mute and go on before they miss the channels.
    const channels = volume === null ? 0 : 2;
    const body = new DataView(new ArrayBuffer(3 + 2 * channels));
    body.setUint8(0, 1);
    body.setUint8(1, muted ? 1 : 0);
    body.setUint8(2, channels);
    for (let at = 3; at < body.byteLength; at += 2) body.setUint16(at, Math.round(Math.max(0, Math.min(1, volume ?? 0)) * 0xffff), true);
    this.#link.send(agentMessage.AUDIO_VOLUME_SYNC, new Uint8Array(body.buffer));
  }

  /** How the guest's desktop is to look, for this agent and those that come after it. */
  setLook(look: DesktopLook): void {
    this.#look = look;
    this.#tellLook();
  }

  #tellLook(): void {
    if (!this.can('DISPLAY_CONFIG')) return;
    const isOwn = (Object.keys(ownLook) as (keyof DesktopLook)[]).every((key) => this.#look[key] === ownLook[key]);
    if (isOwn && !this.#lookTold) return;
    this.#lookTold = true;
    const { wallpaper, animations, fontSmoothing, depth } = this.#look;
    const flags =
      (wallpaper ? 0 : displayFlag.DISABLE_WALLPAPER) |
      (fontSmoothing ? 0 : displayFlag.DISABLE_FONT_SMOOTH) |
      (animations ? 0 : displayFlag.DISABLE_ANIMATION) |
      (depth === null ? 0 : displayFlag.SET_COLOR_DEPTH);
    const body = new DataView(new ArrayBuffer(8));
    body.setUint32(0, flags, true);
    body.setUint32(4, depth ?? 0, true);
    this.#link.send(agentMessage.DISPLAY_CONFIG, new Uint8Array(body.buffer));
  }

  /** Which way what is copied goes. Nothing does before this is said. */
  setClipboardPolicy(policy: ClipboardPolicy): void {
    const before = this.#clipboard.open;
    this.#clipboard.setPolicy(policy);
    if (this.#clipboard.open === before || !this.#link.connected) return;
    // An agent that is asked what it can do takes that for a new client, and lets go of the files that the one before was sending.
    if (this.#files.busy) this.#announcesLater = true;
    else this.#announce(true);
  }

  setInUse(inUse: boolean): void {
    this.#clipboard.setInUse(inUse);
  }

  offerCopied(selection: Selection, kinds: readonly CopiedKind[]): void {
    this.#clipboard.offer(selection, kinds);
  }

  /** Whether files go to the guest. None does before this is said. */
  setFilesPolicy(policy: FilesPolicy): void {
    this.#files.setPolicy(policy);
  }

  sendFile(file: FileToSend): void {
    this.#files.send(file);
  }

  cancelFile(id: number): void {
    this.#files.cancel(id);
  }

  #hasRoom(): boolean {
    if (!this.#link.hasRoom) return false;
    if (!this.#events.leaves() && this.#events.underWayBytes() < mostUnderWayBytes) return true;
    if (!this.#looksAgain) {
      this.#looksAgain = true;
      this.#events.after(lookAgainMs, () => {
        this.#looksAgain = false;
        this.#files.room();
      });
    }
    return false;
  }

  #message(type: number, body: Uint8Array): void {
    if (type === agentMessage.ANNOUNCE_CAPABILITIES && body.byteLength >= 4) {
      this.#capabilities = body.slice(4);
      if (new DataView(body.buffer, body.byteOffset).getUint32(0, true) !== 0) this.#announce(false);
      if (this.#clipboard.open) this.#clipboard.begin();
      this.#events.clipboard(this.can('CLIPBOARD_BY_DEMAND'));
      this.#events.settings({ volume: this.can('AUDIO_VOLUME_SYNC'), look: this.can('DISPLAY_CONFIG') });
      this.#tellLook();
      this.#files.begin();
    } else if (type === agentMessage.FILE_XFER_STATUS) this.#files.status(body);
    else if (clipboardMessages.has(type)) this.#clipboard.message(type, body);
  }

  #announce(wantsAnswer: boolean): void {
    this.#announcesLater = false;
    const body = new DataView(new ArrayBuffer(8));
    body.setUint32(0, wantsAnswer ? 1 : 0, true);
    body.setUint32(
      4,
      (this.#clipboard.open ? oursWithClipboard : ours).reduce((bits, capability) => bits | (1 << agentCapability[capability]), 0),
      true,
    );
    this.#link.send(agentMessage.ANNOUNCE_CAPABILITIES, new Uint8Array(body.buffer));
  }
}
