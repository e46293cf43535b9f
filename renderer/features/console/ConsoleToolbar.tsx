import {
  Activity,
  Camera,
  ChevronDown,
  ClipboardPaste,
  ExternalLink,
  Keyboard,
  Maximize,
  Minimize,
  MonitorPlay,
  PanelTopClose,
} from 'lucide-react';
import { useState } from 'react';
import { guestCannot } from '../../../contract/guest-can.ts';
import type { Guest } from '../../../contract/guest-state.ts';
import type { ViewChoice } from '../../console/pointer/geometry.ts';
import type { SessionView } from '../../console/session.ts';
import { DisposableMark } from '../../parts/DisposableMark.tsx';
import { shell } from '../../state/bridge.ts';
import { Button, IconButton } from '../../ui/Button.tsx';
import { MenuItem, MenuSection, MenuTrigger, Submenu } from '../../ui/Menu.tsx';
import { Toolbar } from '../../ui/Toolbar.tsx';
import { consoleWords } from '../../words/console.ts';
import { filesWords } from '../../words/files.ts';
import { ClipboardMenu } from './ClipboardMenu.tsx';
import { ConsoleViewMenu } from './ConsoleViewMenu.tsx';
import { asianChords, type Chord, chordOf, powerChords, superChords, sysRqChords, systemChords, terminalChords } from './chords.ts';
import { FilesMenu } from './FilesMenu.tsx';
import { FoldersMenu } from './FoldersMenu.tsx';
import { GuestKeyboardDialog } from './GuestKeyboardDialog.tsx';
import { MicrophoneButton } from './MicrophoneButton.tsx';
import { MonitorsMenu } from './MonitorsMenu.tsx';
import { RecordButton } from './RecordButton.tsx';
import { SoundControl } from './SoundControl.tsx';
import type { UsedFiles } from './use-files.ts';
import type { UsedMonitors } from './use-monitors.ts';
import type { Recording } from './use-recording.ts';
import { useScreenshot } from './use-screenshot.ts';
import { useTypeClipboard } from './use-type-clipboard.ts';

export type ConsoleToolbarProps = {
  guest: Guest;
  view: SessionView | null;
  monitors: UsedMonitors;
  files: UsedFiles;
  inOwnWindow: boolean;
  /** Another window shows it. */
  elsewhere: boolean;
  fullScreen: boolean;
  onChord: (codes: readonly string[]) => void;
  choice: ViewChoice;
  onChoose: (change: Partial<ViewChoice>) => void;
  recording: Recording;
  onFullScreen: (on: boolean) => void;
  onKiosk: () => void;
  panelOpen: boolean;
  onPanel: (open: boolean) => void;
  onDetach: () => void;
};

export function ConsoleToolbar(props: ConsoleToolbarProps) {
  const {
    guest,
    view,
    monitors,
    files,
    inOwnWindow,
    elsewhere,
    fullScreen,
    onChord,
    recording,
    choice,
    onChoose,
    onFullScreen,
    onKiosk,
    panelOpen,
    onPanel,
    onDetach,
  } = props;
  const live = view?.phase === 'connected';
  const noKeys = live ? guestCannot(guest.state, 'type') : consoleWords.sendKeysNone;
  const typing = useTypeClipboard(guest);
  const [editsKeyboard, setEditsKeyboard] = useState(false);
  const screenshot = useScreenshot(guest, view);
  const moving = files.view.pendingCount > 0 ? filesWords.staysHere : null;
  return (
    <Toolbar className="console-toolbar" label={consoleWords.toolbar}>
      {inOwnWindow && <DisposableMark guest={guest} />}
      <MenuTrigger
        label={consoleWords.sendKeys}
        button={
          <Button kind="quiet" className="console-send-keys" icon={Keyboard} endIcon={ChevronDown}>
            {consoleWords.sendKeys}
          </Button>
        }
      >
        <MenuSection label={consoleWords.sendKeys}>{systemChords.map((chord) => chordItem(chord, noKeys, onChord))}</MenuSection>
        {moreChords.map(({ id, label, chords }) => (
          <Submenu key={id} item={<MenuItem id={id}>{label}</MenuItem>} label={label}>
            {chords.map((chord) => chordItem(chord, noKeys, onChord))}
          </Submenu>
        ))}
        {guest.spec.keyboard.localKeys.length > 0 && (
          <MenuSection title={consoleWords.keptHere}>
            {guest.spec.keyboard.localKeys.map((combination) => chordItem(chordOf(combination), noKeys, onChord))}
          </MenuSection>
        )}
        <MenuSection label={consoleWords.keyboard.open}>
          <MenuItem id="keyboard" onAction={() => setEditsKeyboard(true)}>
            {consoleWords.keyboard.open}
          </MenuItem>
        </MenuSection>
      </MenuTrigger>
      {editsKeyboard && <GuestKeyboardDialog guest={guest} onClose={() => setEditsKeyboard(false)} />}
      <IconButton
        icon={ClipboardPaste}
        label={typing.busy ? consoleWords.typing : consoleWords.typeClipboard}
        reason={guestCannot(guest.state, 'type')}
        busy={typing.busy}
        onPress={typing.type}
      />
      <ClipboardMenu guest={guest} view={monitors.whole} />
      <FilesMenu guest={guest} files={files} />
      <FoldersMenu guest={guest} view={monitors.whole} />
      <MenuTrigger
        label={consoleWords.screenshot}
        button={<IconButton icon={Camera} label={consoleWords.screenshot} aria-haspopup="menu" />}
      >
        <MenuItem id="save" reason={screenshot.reason} onAction={screenshot.save}>
          {consoleWords.screenshotSave}
        </MenuItem>
        <MenuItem id="copy" reason={screenshot.reason} onAction={screenshot.copy}>
          {consoleWords.screenshotCopy}
        </MenuItem>
      </MenuTrigger>
      <RecordButton recording={recording} />
      <span className="console-strip-space" />
      <MicrophoneButton guest={guest} view={monitors.whole} elsewhere={elsewhere} />
      <SoundControl guest={guest} view={monitors.whole} />
      <IconButton icon={Activity} label={consoleWords.panel.open} pressed={panelOpen} onPress={() => onPanel(!panelOpen)} />
      <MonitorsMenu monitors={monitors} view={view} />
      <ConsoleViewMenu guest={guest} view={view} choice={choice} onChoose={onChoose} />
      {inOwnWindow ? (
        <IconButton
          icon={PanelTopClose}
          label={consoleWords.attach}
          reason={moving}
          onPress={() => void shell('shell.attachConsole', { guest: guest.id })}
        />
      ) : (
        <IconButton icon={ExternalLink} label={consoleWords.detach} reason={moving} onPress={onDetach} />
      )}
      <IconButton icon={MonitorPlay} label={consoleWords.kiosk} onPress={onKiosk} />
      <IconButton
        icon={fullScreen ? Minimize : Maximize}
        label={fullScreen ? consoleWords.leaveFullScreen : consoleWords.fullScreen}
        onPress={() => onFullScreen(!fullScreen)}
      />
    </Toolbar>
  );
}

const moreChords = [
  { id: 'super', label: consoleWords.superKeys, chords: superChords },
  { id: 'terminals', label: consoleWords.switchTerminal, chords: terminalChords },
  { id: 'sysrq', label: consoleWords.sysRq, chords: sysRqChords },
  { id: 'power', label: consoleWords.powerKeys, chords: powerChords },
  { id: 'asian', label: consoleWords.asianKeys, chords: asianChords },
];

function chordItem({ keys, codes }: Chord, reason: string | null, onChord: (codes: readonly string[]) => void) {
  return (
    <MenuItem key={keys} id={keys} reason={reason} onAction={() => onChord(codes)}>
      {keys}
    </MenuItem>
  );
}
