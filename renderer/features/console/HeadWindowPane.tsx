import { Camera, CircleDot, CircleStop, Maximize, Minimize, PanelTopClose, SquareAsterisk } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import type { Guest } from '../../../contract/guest-state.ts';
import { headWindowName } from '../../../contract/shell.ts';
import type { SessionView } from '../../console/session.ts';
import { shell } from '../../state/bridge.ts';
import { useEngineStore } from '../../state/store.ts';
import { PlainIconButton } from '../../ui/Button.tsx';
import { consoleWords } from '../../words/console.ts';
import type { Absence } from './absence.ts';
import { ConsoleDropTarget, useConsoleDrop } from './ConsoleDrop.tsx';
import { ConsoleStrip } from './ConsoleStrip.tsx';
import { systemChords } from './chords.ts';
import { HeadWindow } from './HeadWindow.tsx';
import { RecordMark } from './RecordButton.tsx';
import { useWindowFocus } from './use-clipboard.ts';
import type { UsedFiles } from './use-files.ts';
import { useFullScreenKeys } from './use-full-screen-keys.ts';
import { useRecording } from './use-recording.ts';
import { type MonitorScreen, useKeyboardGrab, useMonitorScreen, usePointerLock } from './use-screen.ts';
import { useScreenshot } from './use-screenshot.ts';

type Props = Pick<MonitorScreen, 'session' | 'choice' | 'localKeys' | 'onZoom'> & {
  guest: Guest;
  head: number;
  /** Null while the monitor is gone. */
  view: SessionView | null;
  /** The display on which it is full screen; null where it is a window. */
  display: string | null;
  /** The connection that all monitors have in common. */
  whole: SessionView | null;
  absence: Absence | null;
  files: UsedFiles;
  /** Somebody uses it: it has the keyboard, and its window the focus. */
  onUse: (head: number, inUse: boolean) => void;
  /** The monitor is to be shown in the window of the others again. */
  onBack: () => void;
};

/** A monitor of a guest in a window of its own, with what concerns it alone; everything else is in the window of the connection. */
export function HeadWindowPane(props: Props) {
  const { guest, head, onBack } = props;
  return (
    <HeadWindow id={{ guest: guest.id, head }} title={consoleWords.monitorTitle(head + 1, guest.spec.name)} onGone={onBack}>
      <Inside {...props} />
    </HeadWindow>
  );
}

function Inside({ guest, head, view, whole, display, absence, files, session, choice, localKeys, onZoom, onUse, onBack }: Props) {
  const [host, setHost] = useState<HTMLDivElement | null>(null);
  const [grabbed, setGrabbed] = useState(false);
  const [scale, setScale] = useState(1);
  const shownIn = host?.ownerDocument.defaultView ?? null;
  const id = { guest: guest.id, head };
  const { name } = guest.spec;
  const fullScreen = useEngineStore((state) => state.fullHeads.has(headWindowName(id)));
  const helpId = 'head-help';
  const screen = useMonitorScreen({
    host,
    session,
    view,
    head,
    name,
    visible: true,
    takesFocus: true,
    helpId,
    choice,
    localKeys,
    onGrab: setGrabbed,
    onRelease: () => host?.closest('.console')?.querySelector<HTMLElement>('.console-grab')?.focus(),
    onScale: setScale,
    onZoom,
  });
  const displays = useEngineStore((state) => state.displays);
  const isPlaced = useRef(false);
  // biome-ignore lint/correctness/useExhaustiveDependencies: after every change of the displays, since windows may have been moved
  useEffect(() => {
    if (!shownIn || (display === null && !isPlaced.current)) return;
    isPlaced.current = display !== null;
    void shell('shell.setFullScreen', { on: display !== null, window: id, display });
  }, [shownIn, display, displays]);
  const pointerLocked = usePointerLock(screen);
  const inUse = useWindowFocus(shownIn) && grabbed;
  useEffect(() => {
    onUse(head, inUse);
    return () => onUse(head, false);
  }, [onUse, head, inUse]);
  useKeyboardGrab(grabbed, localKeys, id);
  useFullScreenKeys(fullScreen && grabbed, localKeys, shownIn);
  const screenshot = useScreenshot(guest, view);
  const recording = useRecording(name, { whole, main: { head, view }, beside: [] }, guest.spec.sound !== 'none');
  const live = view?.phase === 'connected';
  const drop = useConsoleDrop(files, live);
  const [attention] = systemChords;
  return (
    <section
      className={`console${fullScreen ? ' console-full' : ''}${absence || !view ? ' console-absent' : ''}`}
      aria-label={name}
      {...drop.handlers}
    >
      <div className="console-bar">
        <div className="console-toolbar" role="toolbar" aria-label={consoleWords.toolbar}>
          <strong className="console-head-name ellipsis">{consoleWords.monitorTitle(head + 1, name)}</strong>
          {attention && (
            <PlainIconButton
              icon={SquareAsterisk}
              label={consoleWords.sendChord(attention.keys)}
              reason={live ? null : consoleWords.sendKeysNone}
              onPress={() => {
                screen?.chord(attention.codes);
                screen?.focus();
              }}
            />
          )}
          <PlainIconButton icon={Camera} label={consoleWords.screenshotSave} reason={screenshot.reason} onPress={screenshot.save} />
          <PlainIconButton
            icon={recording.since === null ? CircleDot : CircleStop}
            label={recording.since === null ? consoleWords.record : consoleWords.recordStop}
            reason={recording.since === null ? recording.reason : null}
            pressed={recording.since !== null}
            onPress={recording.since === null ? recording.begin : recording.end}
          />
          <PlainIconButton icon={PanelTopClose} label={consoleWords.monitorBack} onPress={onBack} />
          <PlainIconButton
            icon={fullScreen ? Minimize : Maximize}
            label={fullScreen ? consoleWords.leaveFullScreen : consoleWords.fullScreen}
            onPress={() => void shell('shell.setFullScreen', { on: !fullScreen, window: id })}
          />
        </div>
      </div>
      <div className="console-middle">
        <div className="console-box">
          <div className="console-tiles" data-tiles={1}>
            <div className="console-host-box" data-head={head} ref={setHost} />
          </div>
          {(absence || !view) && (
            <div className="console-absence">
              <div className="console-absence-card" role="status">
                <h2>
                  <bdi>{absence?.title ?? consoleWords.monitorGone(head + 1)}</bdi>
                </h2>
              </div>
            </div>
          )}
          {drop.over && <ConsoleDropTarget name={name} reason={files.reason} />}
        </div>
      </div>
      <ConsoleStrip
        session={session}
        view={view}
        scale={scale}
        grabbed={grabbed}
        pointerLocked={pointerLocked}
        onGrab={() => screen?.focus()}
      />
      {recording.since !== null && <RecordMark since={recording.since} />}
      {fullScreen && grabbed && <p className="console-full-hint">{pointerLocked ? consoleWords.grabbedPointer : consoleWords.grabbed}</p>}
      <p id={helpId} className="console-hidden">
        {consoleWords.help}
      </p>
    </section>
  );
}
