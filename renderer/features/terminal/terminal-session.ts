/** One terminal and its connection. It lives outside React, so that an SSH session outlasts the page that shows it. */
import { FitAddon } from '@xterm/addon-fit';
import { Terminal } from '@xterm/xterm';
import type { GuestId } from '../../../contract/ids.ts';
import { openPort } from '../../console/open-stream.ts';
import { Reconnect, systemClock } from '../../console/reconnect.ts';
import { ByteStream } from '../../console/transport.ts';
import { bridge, copyText, shell } from '../../state/bridge.ts';
import { onThemeChange, terminalTheme } from './terminal-theme.ts';
import '@xterm/xterm/css/xterm.css';

export type TerminalKind = 'serial' | 'ssh';
export type TerminalView = {
  phase: 'idle' | 'connecting' | 'open' | 'ended';
  /** Why it ended, or could not begin. */
  text: string;
  selection: boolean;
};

const scrollbackLines = 10_000;

export class TerminalSession {
  readonly element = document.createElement('div');
  readonly kind: TerminalKind;
  readonly #guest: GuestId;
  readonly #terminal: Terminal;
  readonly #fit = new FitAddon();
  readonly #listeners = new Set<() => void>();
  readonly #observer: ResizeObserver;
  readonly #stopTheme: () => void;
  readonly #reconnect: Reconnect;
  #user = '';
  #stream: ByteStream | null = null;
  #attempt = 0;
  #wanted = false;
  #opened = false;
  #view: TerminalView = { phase: 'idle', text: '', selection: false };

  constructor(guest: GuestId, kind: TerminalKind) {
    this.#guest = guest;
    this.kind = kind;
    this.element.className = 'terminal-element';
    const style = getComputedStyle(document.documentElement);
    this.#terminal = new Terminal({
      scrollback: scrollbackLines,
      fontFamily: style.getPropertyValue('--mono'),
      fontSize: 13,
      cursorBlink: !matchMedia('(prefers-reduced-motion: reduce)').matches,
      theme: terminalTheme(),
    });
    this.#terminal.loadAddon(this.#fit);
    this.#terminal.attachCustomKeyEventHandler((event) => this.#shortcut(event));
    this.#terminal.onData((text) => this.#send(text));
    this.#terminal.onBinary((text) => this.#stream?.send(Uint8Array.from(text, (character) => character.charCodeAt(0) & 255)));
    this.#terminal.onResize(({ cols, rows }) => this.#stream?.resize(cols, rows));
    this.#terminal.onSelectionChange(() => this.#set({ selection: this.#terminal.hasSelection() }));
    this.#stopTheme = onThemeChange(() => {
      this.#terminal.options.theme = terminalTheme();
    });
    this.#observer = new ResizeObserver(() => this.fit());
    this.#observer.observe(this.element);
    this.#reconnect = new Reconnect(systemClock, () => void this.#connect());
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
  readonly getView = (): TerminalView => this.#view;

  /** To be called once the element is in the page: xterm.js measures its font there. */
  shown(): void {
    if (!this.#opened) {
      this.#opened = true;
      this.#terminal.open(this.element);
    }
    this.fit();
  }

  fit(): void {
    if (this.#opened && this.element.clientWidth > 0) this.#fit.fit();
  }

  focus(): void {
    this.#terminal.focus();
  }

  /** Connects now. The serial console connects again by itself whenever it breaks; SSH asks first. */
  connect(user = ''): void {
    this.#wanted = true;
    this.#user = user;
    this.#reconnect.hurry();
  }

  disconnect(text = ''): void {
    this.#wanted = false;
    this.#attempt++;
    this.#reconnect.stop();
    this.#stream?.close();
    this.#stream = null;
    if (this.#view.phase !== 'idle') this.#set({ phase: 'ended', text });
  }

  setScreenReader(on: boolean): void {
    this.#terminal.options.screenReaderMode = on;
  }

  copy(): void {
    if (this.#terminal.hasSelection()) copyText(this.#terminal.getSelection());
  }

  async paste(): Promise<void> {
    const answer = await shell('shell.readText', {});
    if (answer.ok && answer.value !== '') this.#terminal.paste(answer.value);
  }

  clear(): void {
    this.#terminal.clear();
  }

  destroy(): void {
    this.disconnect();
    this.#stopTheme();
    this.#observer.disconnect();
    this.#listeners.clear();
    this.#terminal.dispose();
    this.element.remove();
  }

  async #connect(): Promise<void> {
    const attempt = ++this.#attempt;
    this.#stream?.close();
    this.#stream = null;
    this.#set({ phase: 'connecting' });
    const { cols, rows } = this.#terminal;
    const answer = await openPort(
      bridge,
      this.kind === 'serial'
        ? { kind: 'serial', guest: this.#guest }
        : { kind: 'ssh', guest: this.#guest, user: this.#user, columns: cols, rows },
    );
    if (attempt !== this.#attempt) {
      if (answer.ok) answer.value.close();
      return;
    }
    if (!answer.ok) {
      this.#lost(answer.error.message);
      return;
    }
    this.#stream = new ByteStream(answer.value, {
      open: () => {
        // The engine sends what scrolled by before, so the screen begins anew.
        this.#terminal.reset();
        this.#reconnect.connected();
        this.#set({ phase: 'open', text: '' });
        this.#stream?.resize(this.#terminal.cols, this.#terminal.rows);
      },
      data: (bytes) => new Promise((written) => this.#terminal.write(bytes, written)),
      closed: (reason) => {
        if (attempt === this.#attempt) this.#lost(reason);
      },
    });
  }

  #lost(text: string): void {
    this.#stream = null;
    this.#set({ phase: 'ended', text });
    if (this.#wanted && this.kind === 'serial') this.#reconnect.lost();
  }

  #send(text: string): void {
    this.#stream?.send(new TextEncoder().encode(text));
  }

  /** False keeps the key from the guest. */
  #shortcut(event: KeyboardEvent): boolean {
    if (!event.ctrlKey || !event.shiftKey || event.altKey || event.metaKey) return true;
    if (!['KeyC', 'KeyV', 'Escape'].includes(event.code)) return true;
    event.preventDefault();
    event.stopPropagation();
    if (event.type !== 'keydown') return false;
    if (event.code === 'KeyC') this.copy();
    else if (event.code === 'KeyV') void this.paste();
    else this.element.closest('.terminal')?.querySelector<HTMLElement>('[data-terminal-exit] button')?.focus();
    return false;
  }

  #set(change: Partial<TerminalView>): void {
    this.#view = { ...this.#view, ...change };
    for (const listener of [...this.#listeners]) listener();
  }
}

const kept = new Map<GuestId, TerminalSession>();

/** The SSH session of a guest; it stays while the window does. */
export function sshSession(guest: GuestId): TerminalSession {
  let session = kept.get(guest);
  if (!session) {
    session = new TerminalSession(guest, 'ssh');
    kept.set(guest, session);
  }
  return session;
}
