import { useEffect, useRef, useState } from 'react';
import type { HeadWindow } from '../../../contract/shell.ts';
import type { ViewChoice } from '../../console/pointer/geometry.ts';
import { ConsoleScreen, type ScreenOptions } from '../../console/screen.ts';
import type { ConsoleSession } from '../../console/session.ts';
import { bridge, shell } from '../../state/bridge.ts';
import { useSettings } from '../../state/store.ts';
import { consoleWords } from '../../words/console.ts';
import type { UsedConsole } from './use-console.ts';

export type MonitorScreen = Omit<ScreenOptions, 'platform' | 'window' | 'together'> &
  Pick<UsedConsole, 'session' | 'view'> & {
    /** Where it is put, in this window or another one. */
    host: HTMLElement | null;
    /** Null for a guest that has no others. */
    head: number | null;
    /** The guest's name. */
    name: string;
    visible: boolean;
    /** It has the focus as soon as there is a picture. */
    takesFocus: boolean;
    /** Of the element that says how to use it. */
    helpId: string;
    choice: ViewChoice;
    localKeys: readonly string[];
  };

/** The screen of one monitor in `host`, as the choices are. */
export function useMonitorScreen(monitor: MonitorScreen): ConsoleScreen | null {
  const { head, name, visible, helpId, choice, localKeys } = monitor;
  const settings = useSettings();
  const screen = useScreen(monitor);
  const { mode, rotation, zoom } = choice;
  useEffect(() => screen?.setView({ mode, rotation, zoom }), [screen, mode, rotation, zoom]);
  useEffect(() => screen?.setLocalKeys(localKeys), [screen, localKeys]);
  // At once when it comes to show another monitor, which may have another size.
  const resizes = settings.consoleResizeGuest && visible;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the monitor says when to ask
  useEffect(() => {
    screen?.setResizeGuest(resizes);
    return () => screen?.setResizeGuest(false);
  }, [screen, resizes, head]);
  useEffect(() => {
    screen?.element.setAttribute('role', 'application');
    screen?.element.setAttribute('aria-label', head === null ? consoleWords.screen(name) : consoleWords.monitor(head + 1, name));
    screen?.element.setAttribute('aria-describedby', helpId);
  }, [screen, head, name, helpId]);
  return screen;
}

/** The screen's element in `host`, showing what the session has. */
function useScreen({ host, session, view, takesFocus, ...handlers }: MonitorScreen): ConsoleScreen | null {
  const [screen, setScreen] = useState<ConsoleScreen | null>(null);
  const latest = useRef(handlers);
  latest.current = handlers;
  useEffect(() => {
    const shownIn = host?.ownerDocument.defaultView;
    if (!session || !host || !shownIn) return;
    const made = new ConsoleScreen({
      window: shownIn,
      platform: bridge.info.platform,
      together: screensOf(session),
      onGrab: (on) => latest.current.onGrab(on),
      onRelease: () => latest.current.onRelease(),
      onScale: (scale) => latest.current.onScale(scale),
      onZoom: (zoom) => latest.current.onZoom(zoom),
    });
    host.append(made.element);
    setScreen(made);
    return () => {
      setScreen(null);
      made.destroy();
    };
  }, [session, host]);
  const live = view?.console ?? null;
  const phase = view?.phase;
  const frame = view?.frame ?? null;
  const size = view?.size ?? null;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the phase and the size say when to look at the console again
  useEffect(() => screen?.show(live, frame), [screen, live, frame, phase, size]);
  const connected = phase === 'connected';
  useEffect(() => {
    // Somebody who walks the window by keyboard must not lose it to the guest unasked.
    if (screen && takesFocus && connected && !isWalkedByKeyboard(screen.element.ownerDocument)) screen.focus();
  }, [screen, takesFocus, connected]);
  return screen;
}

const screens = new WeakMap<ConsoleSession, Set<ConsoleScreen>>();
function screensOf(session: ConsoleSession): Set<ConsoleScreen> {
  const known = screens.get(session) ?? new Set();
  screens.set(session, known);
  return known;
}

function isWalkedByKeyboard({ activeElement, body }: Document): boolean {
  // Not asked by its class: what is in another window is an HTMLElement of that one.
  const focused = activeElement as HTMLElement | null;
  return focused !== null && focused !== body && focused.tabIndex >= 0 && focused.matches(':focus-visible');
}

/** Tells the shell which keys are the menu's while a console has the keyboard, in this window or in that of a monitor. */
export function useKeyboardGrab(grabbed: boolean, localKeys: readonly string[], head: HeadWindow | null = null): void {
  const { guest, head: number } = head ?? {};
  useEffect(() => {
    if (!grabbed) return;
    const window = guest === undefined || number === undefined ? null : { guest, head: number };
    void shell('shell.setKeyboardGrab', { on: true, localKeys: [...localKeys], window });
    return () => void shell('shell.setKeyboardGrab', { on: false, localKeys: [], window });
  }, [grabbed, localKeys, guest, number]);
}

export function usePointerLock(screen: ConsoleScreen | null): boolean {
  const [locked, setLocked] = useState(false);
  useEffect(() => {
    if (!screen) return;
    const { ownerDocument } = screen.element;
    const changed = () => setLocked(ownerDocument.pointerLockElement === screen.element);
    ownerDocument.addEventListener('pointerlockchange', changed);
    return () => ownerDocument.removeEventListener('pointerlockchange', changed);
  }, [screen]);
  return locked;
}
