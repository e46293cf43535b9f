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
import { guestCannot } from '../../../contract/guest-can.ts';
import type { Guest } from '../../../contract/guest-state.ts';
import type { ViewChoice } from '../../console/pointer/geometry.ts';
import type { SessionView } from '../../console/session.ts';
import { DisposableMark } from '../../parts/DisposableMark.tsx';
import { shell } from '../../state/bridge.ts';
import { Button, IconButton } from '../../ui/Button.tsx';
import { MenuItem, MenuSection, MenuTrigger, Submenu } from '../../ui/Menu.tsx';
import { consoleWords } from '../../words/console.ts';
import { ClipboardMenu } from './ClipboardMenu.tsx';
import { ConsoleViewMenu } from './ConsoleViewMenu.tsx';
import { type Chord, systemChords, terminalChords } from './chords.ts';
import { MicrophoneButton } from './MicrophoneButton.tsx';
import { MonitorsMenu } from './MonitorsMenu.tsx';
import { RecordButton } from './RecordButton.tsx';
import { SoundControl } from './SoundControl.tsx';
import type { UsedMonitors } from './use-monitors.ts';
import type { Recording } from './use-recording.ts';
import { useScreenshot } from './use-screenshot.ts';
import { useTypeClipboard } from './use-type-clipboard.ts';

type Props = {
  guest: Guest;
  view: SessionView | null;
  monitors: UsedMonitors;
  inOwnWindow: boolean;
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

export function ConsoleToolbar(props: Props) {
  const {
    guest,
    view,
    monitors,
    inOwnWindow,
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
  const screenshot = useScreenshot(guest, view);
  return (
    <div className="console-toolbar" role="toolbar" aria-label={consoleWords.toolbar}>
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
        <Submenu item={<MenuItem id="terminals">{consoleWords.switchTerminal}</MenuItem>} label={consoleWords.switchTerminal}>
          {terminalChords.map((chord) => chordItem(chord, noKeys, onChord))}
        </Submenu>
      </MenuTrigger>
      <IconButton
        icon={ClipboardPaste}
        label={typing.busy ? consoleWords.typing : consoleWords.typeClipboard}
        reason={guestCannot(guest.state, 'type')}
        busy={typing.busy}
        onPress={typing.type}
      />
      <ClipboardMenu guest={guest} view={monitors.whole} />
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
      <MicrophoneButton guest={guest} view={monitors.whole} />
      <SoundControl guest={guest} view={monitors.whole} />
      <IconButton icon={Activity} label={consoleWords.panel.open} pressed={panelOpen} onPress={() => onPanel(!panelOpen)} />
      <MonitorsMenu monitors={monitors} view={view} />
      <ConsoleViewMenu view={view} choice={choice} onChoose={onChoose} />
      {inOwnWindow ? (
        <IconButton
          icon={PanelTopClose}
          label={consoleWords.attach}
          onPress={() => void shell('shell.attachConsole', { guest: guest.id })}
        />
      ) : (
        <IconButton icon={ExternalLink} label={consoleWords.detach} onPress={onDetach} />
      )}
      <IconButton icon={MonitorPlay} label={consoleWords.kiosk} onPress={onKiosk} />
      <IconButton
        icon={fullScreen ? Minimize : Maximize}
        label={fullScreen ? consoleWords.leaveFullScreen : consoleWords.fullScreen}
        onPress={() => onFullScreen(!fullScreen)}
      />
    </div>
  );
}

function chordItem({ keys, codes }: Chord, reason: string | null, onChord: (codes: readonly string[]) => void) {
  return (
    <MenuItem key={keys} id={keys} reason={reason} onAction={() => onChord(codes)}>
      {keys}
    </MenuItem>
  );
}
