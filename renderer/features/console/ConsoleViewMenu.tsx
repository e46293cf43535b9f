import { RotateCcwSquare, RotateCwSquare, ZoomIn, ZoomOut } from 'lucide-react';
import type { Guest } from '../../../contract/guest-state.ts';
import { largestZoom, type Rotation, type ViewChoice, zoomBy } from '../../console/pointer/geometry.ts';
import type { SessionView } from '../../console/session.ts';
import { call } from '../../state/bridge.ts';
import { useSettings } from '../../state/store.ts';
import { showErrorToast } from '../../state/toasts.ts';
import { IconButton } from '../../ui/Button.tsx';
import { MenuItem, MenuSection, MenuTrigger } from '../../ui/Menu.tsx';
import { consoleWords } from '../../words/console.ts';
import { formatPercent } from '../../words/format.ts';
import { DesktopLookMenu } from './DesktopLookMenu.tsx';
import { useDesktopLook } from './use-desktop-look.ts';

type Props = { guest: Guest; view: SessionView | null; choice: ViewChoice; onChoose: (change: Partial<ViewChoice>) => void };

const modes = ['fit', 'whole', 'exact'] as const;

/** How large the guest is shown, which way up, whether it follows the window's size, and how its desktop looks. */
export function ConsoleViewMenu({ guest, view, choice, onChoose }: Props) {
  const [look, setLook] = useDesktopLook(guest.id, view);
  const settings = useSettings();
  const resize = view?.capabilities?.resizeGuest;
  const setResize = async (consoleResizeGuest: boolean) => {
    const answer = await call('settings.set', { consoleResizeGuest });
    if (!answer.ok) showErrorToast(answer.error);
  };
  const turn = (by: number) => onChoose({ rotation: ((choice.rotation + by + 360) % 360) as Rotation });
  return (
    <MenuTrigger
      label={consoleWords.scale}
      placement="bottom end"
      button={<IconButton icon={ZoomIn} label={consoleWords.scale} aria-haspopup="menu" />}
    >
      <MenuSection
        label={consoleWords.scale}
        choose="single"
        selected={[choice.mode]}
        onSelect={(chosen) => onChoose({ mode: modes.find((mode) => chosen.has(mode)) ?? 'fit', zoom: 1 })}
      >
        {modes.map((mode) => (
          <MenuItem key={mode} id={mode} note={consoleWords.scaleNotes[mode]}>
            {consoleWords.scales[mode]}
          </MenuItem>
        ))}
      </MenuSection>
      <MenuSection title={choice.zoom === 1 ? consoleWords.zoom : consoleWords.zoomed(formatPercent(choice.zoom))}>
        <MenuItem
          id="zoomIn"
          icon={ZoomIn}
          keys={consoleWords.zoomKeys}
          reason={choice.zoom < largestZoom ? null : consoleWords.zoomLargest}
          onAction={() => onChoose({ zoom: zoomBy(choice.zoom, 1) })}
        >
          {consoleWords.zoomIn}
        </MenuItem>
        <MenuItem
          id="zoomOut"
          icon={ZoomOut}
          reason={choice.zoom > 1 ? null : consoleWords.zoomNone}
          onAction={() => onChoose({ zoom: zoomBy(choice.zoom, -1) })}
        >
          {consoleWords.zoomOut}
        </MenuItem>
        <MenuItem id="zoomOff" reason={choice.zoom > 1 ? null : consoleWords.zoomNone} onAction={() => onChoose({ zoom: 1 })}>
          {consoleWords.zoomOff}
        </MenuItem>
      </MenuSection>
      <MenuSection title={choice.rotation === 0 ? consoleWords.turn : consoleWords.turned(choice.rotation)}>
        <MenuItem id="right" icon={RotateCwSquare} onAction={() => turn(90)}>
          {consoleWords.turnRight}
        </MenuItem>
        <MenuItem id="left" icon={RotateCcwSquare} onAction={() => turn(-90)}>
          {consoleWords.turnLeft}
        </MenuItem>
      </MenuSection>
      <MenuSection
        label={consoleWords.resizeGuest}
        choose="multiple"
        selected={settings.consoleResizeGuest ? ['resize'] : []}
        onSelect={(chosen) => void setResize(chosen.has('resize'))}
      >
        <MenuItem id="resize" {...(resize && !resize.possible ? { note: resize.reason } : {})}>
          {consoleWords.resizeGuest}
        </MenuItem>
      </MenuSection>
      <DesktopLookMenu look={look} view={view} onChange={setLook} />
    </MenuTrigger>
  );
}
