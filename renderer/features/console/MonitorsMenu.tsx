import { Monitor } from 'lucide-react';
import type { SessionView } from '../../console/session.ts';
import { IconButton } from '../../ui/Button.tsx';
import { MenuItem, MenuSection, MenuTrigger } from '../../ui/Menu.tsx';
import { Segmented } from '../../ui/toggles.tsx';
import { consoleWords } from '../../words/console.ts';
import type { UsedMonitors } from './use-monitors.ts';

/** So many are offered at least, with the reason why a guest has fewer. */
const offered = 4;

/** How many monitors the guest has, how they are laid out, and which is shown. */
export function MonitorsMenu({ monitors, view }: { monitors: UsedMonitors; view: SessionView | null }) {
  const { main, heads, most, count, layout } = monitors;
  const resize = view?.capabilities?.resizeGuest;
  const reasonFor = (wanted: number) => {
    if (wanted > most) return consoleWords.monitorsMost(most);
    if (wanted <= heads.length || wanted === count) return null;
    return resize && !resize.possible ? resize.reason : null;
  };
  return (
    <>
      {heads.length > 1 && layout === 'tabs' && (
        <Segmented
          label={consoleWords.monitorShown}
          value={String(main.head ?? 0)}
          onChange={(head) => monitors.show(Number(head))}
          options={heads.map((head) => ({ id: String(head), label: String(head + 1) }))}
        />
      )}
      <MenuTrigger
        label={consoleWords.monitors}
        placement="bottom end"
        button={<IconButton icon={Monitor} label={consoleWords.monitors} aria-haspopup="menu" />}
      >
        <MenuSection
          title={consoleWords.monitors}
          choose="single"
          selected={[String(count)]}
          onSelect={(chosen) => {
            const wanted = Number([...chosen][0] ?? count);
            if (wanted !== count && reasonFor(wanted) === null) monitors.setCount(wanted);
          }}
        >
          {Array.from({ length: Math.max(most, offered) }, (_, index) => index + 1).map((wanted) => (
            <MenuItem key={wanted} id={String(wanted)} reason={reasonFor(wanted)}>
              {String(wanted)}
            </MenuItem>
          ))}
        </MenuSection>
        <MenuSection
          label={consoleWords.monitorLayout}
          choose="single"
          selected={[layout]}
          onSelect={(chosen) => monitors.setLayout(chosen.has('tiled') ? 'tiled' : 'tabs')}
        >
          <MenuItem id="tabs" note={consoleWords.monitorTabsNote}>
            {consoleWords.monitorTabs}
          </MenuItem>
          <MenuItem id="tiled" note={consoleWords.monitorTiledNote}>
            {consoleWords.monitorTiled}
          </MenuItem>
        </MenuSection>
      </MenuTrigger>
    </>
  );
}
