import { useEffect, useId, useRef, useState } from 'react';
import { useLocation } from 'wouter';
import type { GuestId } from '../../../contract/ids.ts';
import type { ViewChoice } from '../../console/pointer/geometry.ts';
import { ConsoleScreen, type ScreenOptions } from '../../console/screen.ts';
import { bridge, shell } from '../../state/bridge.ts';
import { useConsoleMark } from '../../state/console-marks.ts';
import { detachConsole } from '../../state/open-consoles.ts';
import { useConnection, useEngineStore, useGuest, useSettings } from '../../state/store.ts';
import { consoleWords } from '../../words/console.ts';
import { absenceOf } from './absence.ts';
import { ConnectionPanel } from './ConnectionPanel.tsx';
import { ConsoleAbsence } from './ConsoleAbsence.tsx';
import { ConsoleDropTarget, useConsoleDrop } from './ConsoleDrop.tsx';
import { ConsoleStrip } from './ConsoleStrip.tsx';
import { ConsoleToolbar } from './ConsoleToolbar.tsx';
import { FileTransfers } from './FileTransfers.tsx';
import { KioskExit } from './KioskExit.tsx';
import { RecordMark } from './RecordButton.tsx';
import { useClipboard } from './use-clipboard.ts';
import { type UsedConsole, useConsole } from './use-console.ts';
import { useFiles } from './use-files.ts';
import { useFullScreenKeys } from './use-full-screen-keys.ts';
import { useKiosk } from './use-kiosk.ts';
import { useMonitors } from './use-monitors.ts';
import { useRecording } from './use-recording.ts';
import { useViewChoice } from './use-view-choice.ts';
import './console.css';
import './console-window.css';
import './files.css';

type Props = { guestId: GuestId; visible: boolean };

/** The console of one guest. `visible` is false while its tab is not on the screen; the connection goes on. */
export function ConsolePane({ guestId, visible }: Props) {
  const guest = useGuest(guestId);
  const used = useConsole(guestId, guest);
  const { session, elsewhere, takeOver } = used;
  const monitors = useMonitors(guestId, guest, used.view);
  const { view, head } = monitors.main;
  const connection = useConnection();
  const [, navigate] = useLocation();
  const settings = useSettings();
  const fullScreen = useEngineStore((state) => state.fullScreen);
  const [host, setHost] = useState<HTMLDivElement | null>(null);
  const helpId = useId();
  const [grabbed, setGrabbed] = useState(false);
  const [scale, setScale] = useState(1);
  const { choice, choose } = useViewChoice(guestId, settings.consoleScale);
  const [kiosk, setKiosk] = useKiosk(fullScreen);
  const [panelOpen, setPanelOpen] = useState(false);
  const [announcement, setAnnouncement] = useState('');
  const name = guest?.spec.name ?? '';
  const recording = useRecording(name, monitors, guest?.spec.sound !== 'none');
  const isRecording = recording.since !== null;
  useConsoleMark(guestId, 'records', isRecording);
  const wasRecording = useRef(false);
  useEffect(() => {
    if (isRecording !== wasRecording.current)
      setAnnouncement(isRecording ? consoleWords.announceRecording(name) : consoleWords.announceRecorded);
    wasRecording.current = isRecording;
  }, [isRecording, name]);
  const toGuest = {
    onGrab: (on: boolean) => {
      setGrabbed(on);
      setAnnouncement(on ? consoleWords.announceGrabbed(name) : consoleWords.announceReleased);
    },
    onRelease: () => {
      const pane = host?.closest('.console');
      const next = pane?.querySelector<HTMLElement>('.console-kiosk-leave') ?? pane?.querySelector<HTMLElement>('.console-grab');
      next?.focus();
    },
  };
  const screen = useScreen(host, { session, view }, visible, {
    ...toGuest,
    onScale: setScale,
    onZoom: (zoom) => choose({ zoom }),
  });
  const { mode, rotation, zoom } = choice;
  useEffect(() => screen?.setView({ mode, rotation, zoom }), [screen, mode, rotation, zoom]);
  useResizing(screen, settings.consoleResizeGuest && visible, head);
  useEffect(() => {
    screen?.element.setAttribute('role', 'application');
    screen?.element.setAttribute('aria-label', head === null ? consoleWords.screen(name) : consoleWords.monitor(head + 1, name));
    screen?.element.setAttribute('aria-describedby', helpId);
  }, [screen, head, name, helpId]);
  useClipboard(used.clipboard, used.view?.console ?? null, guest?.spec.clipboard ?? 'off', grabbed && visible);
  const files = useFiles(guestId, guest, used.view, visible);
  const drop = useConsoleDrop(files, visible && used.view?.phase === 'connected');
  // A kiosk has one way out: there every key is the guest's.
  const localKeys = (!kiosk && guest?.spec.keyboard.localKeys) || noKeys;
  useEffect(() => screen?.setLocalKeys(localKeys), [screen, localKeys]);
  useKeyboardGrab(grabbed, localKeys);
  const pointerLocked = usePointerLock(screen);
  useFullScreenKeys(fullScreen && visible && grabbed, localKeys);
  if (!guest) return null;

  const absence = absenceOf({ guest, connection, phase: view?.phase ?? 'waiting', end: view?.end ?? null, elsewhere });
  const inOwnWindow = bridge.info.window.kind === 'console';
  const noPicture = view?.phase !== 'connected' && !view?.frame;
  return (
    <section
      className={`console${fullScreen ? ' console-full' : ''}${kiosk ? ' console-kiosk' : ''}${absence ? ' console-absent' : ''}`}
      hidden={!visible}
      {...drop.handlers}
    >
      <div className="console-bar">
        <ConsoleToolbar
          guest={guest}
          view={view}
          monitors={monitors}
          files={files}
          inOwnWindow={inOwnWindow}
          fullScreen={fullScreen}
          recording={recording}
          choice={choice}
          onChoose={choose}
          panelOpen={panelOpen}
          onPanel={setPanelOpen}
          onKiosk={() => setKiosk(true)}
          onChord={(codes) => {
            screen?.chord(codes);
            // After the menu has closed and given the focus back to its button.
            requestAnimationFrame(() => requestAnimationFrame(() => screen?.focus()));
          }}
          onFullScreen={(on) => void shell('shell.setFullScreen', { on })}
          onDetach={() => {
            // The page of this tab has nothing to show any more.
            navigate(`/guests/${guestId}/overview`);
            void detachConsole(guestId);
          }}
        />
      </div>
      <div className="console-middle">
        <div className="console-box">
          <div className="console-tiles" data-tiles={monitors.beside.length + 1}>
            <div className="console-host-box" data-head={head ?? 0} ref={setHost} />
            {monitors.beside.map((each) => (
              <BesideMonitor
                key={each.head}
                {...each}
                session={session}
                name={name}
                visible={visible}
                helpId={helpId}
                choice={choice}
                localKeys={localKeys}
                {...toGuest}
                onZoom={(zoom) => choose({ zoom })}
              />
            ))}
          </div>
          {noPicture && <StoredPicture guestId={guestId} name={name} />}
          {absence && (
            <ConsoleAbsence guest={guest} absence={absence} session={session} alone={inOwnWindow || fullScreen} onTakeOver={takeOver} />
          )}
          <FileTransfers name={name} files={files} session={used.view} />
          {drop.over && <ConsoleDropTarget name={name} reason={files.reason} />}
        </div>
        {panelOpen && !kiosk && <ConnectionPanel guest={guest} view={monitors.whole} onClose={() => setPanelOpen(false)} />}
      </div>
      <ConsoleStrip view={view} scale={scale} grabbed={grabbed} pointerLocked={pointerLocked} onGrab={() => screen?.focus()} />
      {fullScreen && recording.since !== null && <RecordMark since={recording.since} />}
      {kiosk && <KioskExit grabbed={grabbed} onLeave={() => setKiosk(false)} />}
      {fullScreen && grabbed && !kiosk && (
        <p className="console-full-hint">{pointerLocked ? consoleWords.grabbedPointer : consoleWords.grabbed}</p>
      )}
      <p id={helpId} className="console-hidden">
        {consoleWords.help}
      </p>
      <p className="console-hidden" role="status">
        {announcement}
      </p>
    </section>
  );
}

type ScreenHandlers = Omit<ScreenOptions, 'platform'>;

type BesideProps = Omit<ScreenHandlers, 'onScale'> &
  Pick<UsedConsole, 'session' | 'view'> & {
    head: number;
    name: string;
    visible: boolean;
    helpId: string;
    choice: ViewChoice;
    localKeys: readonly string[];
  };

/** A monitor beside the first one. */
function BesideMonitor({ head, session, view, name, visible, helpId, choice, localKeys, ...handlers }: BesideProps) {
  const [host, setHost] = useState<HTMLDivElement | null>(null);
  const settings = useSettings();
  const screen = useScreen(host, { session, view }, false, { ...handlers, onScale: () => undefined });
  const { mode, rotation, zoom } = choice;
  useEffect(() => screen?.setView({ mode, rotation, zoom }), [screen, mode, rotation, zoom]);
  useEffect(() => screen?.setLocalKeys(localKeys), [screen, localKeys]);
  useResizing(screen, settings.consoleResizeGuest && visible, head);
  useEffect(() => {
    screen?.element.setAttribute('role', 'application');
    screen?.element.setAttribute('aria-label', consoleWords.monitor(head + 1, name));
    screen?.element.setAttribute('aria-describedby', helpId);
  }, [screen, head, name, helpId]);
  return <div className="console-host-box" data-head={head} ref={setHost} />;
}

/** The guest is asked for the size of the screen: at once when it comes to show another monitor. */
function useResizing(screen: ConsoleScreen | null, on: boolean, head: number | null): void {
  // biome-ignore lint/correctness/useExhaustiveDependencies: another monitor may have another size
  useEffect(() => {
    screen?.setResizeGuest(on);
    return () => screen?.setResizeGuest(false);
  }, [screen, on, head]);
}

const noKeys: readonly string[] = [];

/** Tells the shell which keys are the menu's while a console has the keyboard. */
function useKeyboardGrab(grabbed: boolean, localKeys: readonly string[]): void {
  useEffect(() => {
    if (!grabbed) return;
    void shell('shell.setKeyboardGrab', { on: true, localKeys: [...localKeys] });
    return () => void shell('shell.setKeyboardGrab', { on: false, localKeys: [] });
  }, [grabbed, localKeys]);
}

/** The screen's element in `host`, showing what the session has. */
function useScreen(
  host: HTMLDivElement | null,
  { session, view }: Pick<UsedConsole, 'session' | 'view'>,
  visible: boolean,
  handlers: ScreenHandlers,
): ConsoleScreen | null {
  const [screen, setScreen] = useState<ConsoleScreen | null>(null);
  const latest = useRef(handlers);
  latest.current = handlers;
  useEffect(() => {
    if (!session || !host) return;
    const made = new ConsoleScreen({
      platform: bridge.info.platform,
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
    if (screen && visible && connected && !isWalkedByKeyboard()) screen.focus();
  }, [screen, visible, connected]);
  return screen;
}

function isWalkedByKeyboard(): boolean {
  const focused = document.activeElement;
  return focused instanceof HTMLElement && focused.tabIndex >= 0 && focused !== document.body && focused.matches(':focus-visible');
}

function usePointerLock(screen: ConsoleScreen | null): boolean {
  const [locked, setLocked] = useState(false);
  useEffect(() => {
    const changed = () => setLocked(screen !== null && document.pointerLockElement === screen.element);
    document.addEventListener('pointerlockchange', changed);
    return () => document.removeEventListener('pointerlockchange', changed);
  }, [screen]);
  return locked;
}

/** Before this window has seen a picture of its own, the engine's last one stands in. */
function StoredPicture({ guestId, name }: { guestId: GuestId; name: string }) {
  const [failed, setFailed] = useState(false);
  if (failed) return null;
  return (
    <img
      className="console-stored"
      src={`/engine/guests/${guestId}/screen.png?maxAgeMs=3600000`}
      alt={consoleWords.lastPicture(name)}
      onError={() => setFailed(true)}
    />
  );
}
