import { Camera, ChevronDown, ClipboardPaste, ExternalLink, Keyboard, Maximize, Minimize, PanelTopClose, ZoomIn } from 'lucide-react';
import { guestCannot } from '../../../contract/guest-can.ts';
import type { Guest } from '../../../contract/guest-state.ts';
import type { SessionView } from '../../console/session.ts';
import { DisposableMark } from '../../parts/DisposableMark.tsx';
import { call, shell } from '../../state/bridge.ts';
import { useSettings } from '../../state/store.ts';
import { showErrorToast } from '../../state/toasts.ts';
import { Button, IconButton } from '../../ui/Button.tsx';
import { MenuItem, MenuSection, MenuTrigger, Submenu } from '../../ui/Menu.tsx';
import { consoleWords } from '../../words/console.ts';
import { ClipboardMenu } from './ClipboardMenu.tsx';
import { type Chord, systemChords, terminalChords } from './chords.ts';
import { MicrophoneButton } from './MicrophoneButton.tsx';
import { MonitorsMenu } from './MonitorsMenu.tsx';
import { SoundControl } from './SoundControl.tsx';
import type { UsedMonitors } from './use-monitors.ts';
import { useScreenshot } from './use-screenshot.ts';
import { useTypeClipboard } from './use-type-clipboard.ts';

type Props = {
  guest: Guest;
  view: SessionView | null;
  monitors: UsedMonitors;
  inOwnWindow: boolean;
  fullScreen: boolean;
  onChord: (codes: readonly string[]) => void;
  onFullScreen: (on: boolean) => void;
  onDetach: () => void;
};

export function ConsoleToolbar({ guest, view, monitors, inOwnWindow, fullScreen, onChord, onFullScreen, onDetach }: Props) {
  const settings = useSettings();
  const live = view?.phase === 'connected';
  const noKeys = live ? guestCannot(guest.state, 'type') : consoleWords.sendKeysNone;
  const typing = useTypeClipboard(guest);
  const screenshot = useScreenshot(guest, view);
  const resize = view?.capabilities?.resizeGuest;
  const set = async (change: { consoleScale?: 'fit' | 'exact'; consoleResizeGuest?: boolean }) => {
    const answer = await call('settings.set', change);
    if (!answer.ok) showErrorToast(answer.error);
  };
  return (
    <div className="console-toolbar" role="toolbar" aria-label={consoleWords.toolbar}>
      {inOwnWindow && <DisposableMark guest={guest} />}
      <MenuTrigger
        label={consoleWords.sendKeys}
        button={
          <Button kind="quiet" icon={Keyboard} endIcon={ChevronDown}>
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
      <ClipboardMenu guest={guest} view={view} />
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
      <span className="console-strip-space" />
      <MicrophoneButton guest={guest} view={monitors.whole} />
      <SoundControl guest={guest} view={monitors.whole} />
      <MonitorsMenu monitors={monitors} view={view} />
      <MenuTrigger
        label={consoleWords.scale}
        placement="bottom end"
        button={<IconButton icon={ZoomIn} label={consoleWords.scale} aria-haspopup="menu" />}
      >
        <MenuSection
          label={consoleWords.scale}
          choose="single"
          selected={[settings.consoleScale]}
          onSelect={(chosen) => void set({ consoleScale: chosen.has('exact') ? 'exact' : 'fit' })}
        >
          <MenuItem id="fit" note={consoleWords.scaleFitNote}>
            {consoleWords.scaleFit}
          </MenuItem>
          <MenuItem id="exact" note={consoleWords.scaleExactNote}>
            {consoleWords.scaleExact}
          </MenuItem>
        </MenuSection>
        <MenuSection
          label={consoleWords.resizeGuest}
          choose="multiple"
          selected={settings.consoleResizeGuest ? ['resize'] : []}
          onSelect={(chosen) => void set({ consoleResizeGuest: chosen.has('resize') })}
        >
          <MenuItem id="resize" {...(resize && !resize.possible ? { note: resize.reason } : {})}>
            {consoleWords.resizeGuest}
          </MenuItem>
        </MenuSection>
      </MenuTrigger>
      {inOwnWindow ? (
        <IconButton
          icon={PanelTopClose}
          label={consoleWords.attach}
          onPress={() => void shell('shell.attachConsole', { guest: guest.id })}
        />
      ) : (
        <IconButton icon={ExternalLink} label={consoleWords.detach} onPress={onDetach} />
      )}
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
