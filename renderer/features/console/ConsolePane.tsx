import { memo, useCallback, useDeferredValue, useEffect, useId, useRef, useState } from 'react';
import { useLocation } from 'wouter';
import type { GuestId } from '../../../contract/ids.ts';
import { bridge, shell } from '../../state/bridge.ts';
import { useConsoleMark } from '../../state/console-marks.ts';
import { detachConsole } from '../../state/open-consoles.ts';
import { useConnection, useEngineStore, useGuest, useSettings } from '../../state/store.ts';
import { consoleWords } from '../../words/console.ts';
import { absenceOf, isReachable } from './absence.ts';
import { BesideMonitor } from './BesideMonitor.tsx';
import { ConnectionPanel } from './ConnectionPanel.tsx';
import { ConsoleAbsence } from './ConsoleAbsence.tsx';
import { ConsoleDropTarget, useConsoleDrop } from './ConsoleDrop.tsx';
import { ConsoleStrip } from './ConsoleStrip.tsx';
import { ConsoleToolbar, type ConsoleToolbarProps } from './ConsoleToolbar.tsx';
import { FileTransfers } from './FileTransfers.tsx';
import { HeadWindowPane } from './HeadWindowPane.tsx';
import { KioskExit } from './KioskExit.tsx';
import { RecordMark } from './RecordButton.tsx';
import { useClipboard, useWindowFocus } from './use-clipboard.ts';
import { useConsole } from './use-console.ts';
import { useFiles } from './use-files.ts';
import { useFullScreenKeys } from './use-full-screen-keys.ts';
import { useKiosk } from './use-kiosk.ts';
import { useMonitors } from './use-monitors.ts';
import { useRecording } from './use-recording.ts';
import { useKeyboardGrab, useMonitorScreen, usePointerLock } from './use-screen.ts';
import { useRememberedSound } from './use-sound.ts';
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
  const [headsInUse, setHeadsInUse] = useState<ReadonlySet<number>>(new Set());
  const headUsed = useCallback((head: number, on: boolean) => {
    setHeadsInUse((before) => (on ? new Set([...before, head]) : new Set([...before].filter((other) => other !== head))));
  }, []);
  const inUse = (useWindowFocus() && grabbed && visible) || headsInUse.size > 0;
  const clipboardPossible = used.view?.capabilities?.clipboard.possible ?? false;
  useClipboard(used.clipboard, used.view?.console ?? null, guest?.spec.clipboard ?? 'off', inUse, clipboardPossible);
  const files = useFiles(guestId, guest, used.view, visible);
  useRememberedSound(guestId, used.view);
  const soon = useSoon(guest !== undefined && isReachable(guest) && !elsewhere && used.view?.phase !== 'connected' && !used.view?.end);
  const drop = useConsoleDrop(files, visible && used.view?.phase === 'connected');
  // A kiosk has one way out: there every key is the guest's.
  const localKeys = (!kiosk && guest?.spec.keyboard.localKeys) || noKeys;
  const about = { session, name, visible, helpId, choice, localKeys };
  const screen = useMonitorScreen({
    ...about,
    ...toGuest,
    host,
    view,
    head,
    takesFocus: visible,
    onScale: setScale,
    onZoom: (to) => choose({ zoom: to }),
  });
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
        <LaterToolbar
          soon={soon}
          {...{ guest, view, monitors, files, inOwnWindow, elsewhere, fullScreen, recording, choice, panelOpen }}
          onChoose={choose}
          onPanel={setPanelOpen}
          onKiosk={() => setKiosk(true)}
          onChord={(codes) => {
            screen?.chord(codes);
            // After the menu has closed and given the focus back to its button.
            requestAnimationFrame(() => requestAnimationFrame(() => screen?.focus()));
          }}
          onFullScreen={(on) => {
            if (monitors.spread.on) monitors.spread.end();
            else void shell('shell.setFullScreen', { on });
          }}
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
              <BesideMonitor key={each.head} {...each} {...about} {...toGuest} onZoom={(zoom) => choose({ zoom })} />
            ))}
          </div>
          {noPicture && <StoredPicture guestId={guestId} name={name} soon={soon} />}
          {absence && (
            <ConsoleAbsence guest={guest} absence={absence} session={session} alone={inOwnWindow || fullScreen} onTakeOver={takeOver} />
          )}
          <FileTransfers name={name} files={files} session={used.view} />
          {drop.over && <ConsoleDropTarget name={name} reason={files.reason} />}
        </div>
        {panelOpen && !kiosk && (
          <ConnectionPanel guest={guest} session={session} view={monitors.whole} onClose={() => setPanelOpen(false)} />
        )}
      </div>
      <ConsoleStrip
        session={session}
        view={view}
        scale={scale}
        grabbed={grabbed}
        pointerLocked={pointerLocked}
        onGrab={() => screen?.focus()}
      />
      {!elsewhere &&
        monitors.apart.map((each) => (
          <HeadWindowPane
            key={each.head}
            {...each}
            whole={monitors.whole}
            display={monitors.spread.on ? (monitors.spread.assignment.get(each.head)?.id ?? null) : null}
            guest={guest}
            session={session}
            absence={absence}
            files={files}
            choice={choice}
            localKeys={localKeys}
            onZoom={(zoom) => choose({ zoom })}
            onUse={headUsed}
            onBack={() => monitors.bringBack(each.head)}
          />
        ))}
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

const noKeys: readonly string[] = [];

/** Most consoles show something within that. What is done before is on the way of their first picture. */
const soonMs = 400;

/** Whether a first picture that `comes` may be there at any moment. */
function useSoon(comes: boolean): boolean {
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), soonMs);
    return () => clearTimeout(timer);
  }, []);
  return comes && !late;
}

/**
 * Its menus are most of what there is to draw of a pane: they come after what the guest shows, in pieces between which keys and pictures pass. So nothing
 * that has to happen at once hangs on an effect of theirs.
 */
function LaterToolbar({ soon, ...props }: ConsoleToolbarProps & { soon: boolean }) {
  const later = useDeferredValue<ConsoleToolbarProps | null>(soon ? null : props, null);
  return later && <KeptToolbar of={later} />;
}

const KeptToolbar = memo(({ of }: { of: ConsoleToolbarProps }) => <ConsoleToolbar {...of} />);

/** Before this window has seen a picture of its own, the engine's last one stands in. `soon`: its own may be there at any moment. */
function StoredPicture({ guestId, name, soon }: { guestId: GuestId; name: string; soon: boolean }) {
  const [failed, setFailed] = useState(false);
  if (failed || soon) return null;
  return (
    <img
      className="console-stored"
      src={`/engine/guests/${guestId}/screen.png?maxAgeMs=3600000`}
      alt={consoleWords.lastPicture(name)}
      onError={() => setFailed(true)}
    />
  );
}
