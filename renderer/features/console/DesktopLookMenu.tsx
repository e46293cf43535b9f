import type { DesktopLook } from '../../console/console.ts';
import type { SessionView } from '../../console/session.ts';
import { MenuItem, MenuSection, Submenu } from '../../ui/Menu.tsx';
import { consoleWords } from '../../words/console.ts';

const w = consoleWords.desktop;
const depths = ['guest', '16', '24', '32'] as const;

type Props = { look: DesktopLook; view: SessionView | null; onChange: (look: DesktopLook) => void };

/** What the guest's agent takes off its desktop, so that there is less to draw; kept for each guest. */
export function DesktopLookMenu({ look, view, onChange }: Props) {
  const possible = view?.phase === 'connected' ? view.capabilities?.desktopLook : undefined;
  const reason = !possible ? w.notLive : possible.possible ? null : possible.reason;
  const chosen = Object.entries({
    noWallpaper: !look.wallpaper,
    noAnimations: !look.animations,
    noFontSmoothing: !look.fontSmoothing,
  } satisfies Record<string, boolean>).flatMap(([id, on]) => (on ? [id] : []));
  // A line whose menu would do nothing says why; it opens none.
  if (reason !== null)
    return (
      <MenuItem id="desktop" reason={reason}>
        {w.title}
      </MenuItem>
    );
  return (
    <Submenu item={<MenuItem id="desktop">{w.title}</MenuItem>} label={w.title}>
      <MenuSection
        title={w.plain}
        choose="multiple"
        selected={chosen}
        onSelect={(ids) =>
          onChange({
            ...look,
            wallpaper: !ids.has('noWallpaper'),
            animations: !ids.has('noAnimations'),
            fontSmoothing: !ids.has('noFontSmoothing'),
          })
        }
      >
        <MenuItem id="noWallpaper">{w.noWallpaper}</MenuItem>
        <MenuItem id="noAnimations">{w.noAnimations}</MenuItem>
        <MenuItem id="noFontSmoothing">{w.noFontSmoothing}</MenuItem>
      </MenuSection>
      <MenuSection
        title={w.depth}
        choose="single"
        selected={[look.depth === null ? 'guest' : String(look.depth)]}
        onSelect={(ids) => {
          const id = depths.find((each) => ids.has(each)) ?? 'guest';
          onChange({ ...look, depth: id === 'guest' ? null : (Number(id) as 16 | 24 | 32) });
        }}
      >
        {depths.map((id) => (
          <MenuItem key={id} id={id}>
            {w.depths[id]}
          </MenuItem>
        ))}
      </MenuSection>
    </Submenu>
  );
}
