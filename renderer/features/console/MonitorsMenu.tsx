import { Maximize, Monitor } from 'lucide-react';
import type { PhysicalDisplay } from '../../../contract/shell.ts';
import type { SessionView } from '../../console/session.ts';
import { IconButton } from '../../ui/Button.tsx';
import { MenuItem, MenuSection, MenuTrigger, Submenu } from '../../ui/Menu.tsx';
import { Segmented } from '../../ui/toggles.tsx';
import { consoleWords } from '../../words/console.ts';
import type { UsedMonitors } from './use-monitors.ts';

/** A guest that can have so many is not told how to have more. */
const enough = 4;

/** From the left to the right they have numbers; pixels are what people know of them. */
function displayName({ label, width, height, scale }: PhysicalDisplay, index: number): string {
  const number = consoleWords.displayNumber(index + 1);
  return consoleWords.display(label === '' ? number : `${number}: ${label}`, Math.round(width * scale), Math.round(height * scale));
}

/** Unlike those of the counts: a menu knows its items by them. */
const apartId = (head: number) => `apart-${head}`;

/** How many monitors the guest has, how they are laid out, and which is shown. */
export function MonitorsMenu({ monitors, view }: { monitors: UsedMonitors; view: SessionView | null }) {
  const { main, heads, here, most, count, layout, spread } = monitors;
  const { displays } = spread;
  const apart = heads.filter((head) => !here.includes(head));
  const resize = view?.capabilities?.resizeGuest;
  const reasonFor = (wanted: number) => {
    if (wanted > most) return consoleWords.monitorsMost(most);
    if (wanted <= heads.length || wanted === count) return null;
    return resize && !resize.possible ? resize.reason : null;
  };
  const counts = Array.from({ length: Math.max(most, enough) }, (_, index) => index + 1);
  const whyNotMore = counts.map(reasonFor).find((reason) => reason !== null) ?? null;
  return (
    <>
      {here.length > 1 && layout === 'tabs' && (
        <Segmented
          label={consoleWords.monitorShown}
          value={String(main.head ?? 0)}
          onChange={(head) => monitors.show(Number(head))}
          options={here.map((head) => ({ id: String(head), label: String(head + 1) }))}
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
            const wanted = counts.find((each) => chosen.has(String(each))) ?? count;
            if (wanted !== count && reasonFor(wanted) === null) monitors.setCount(wanted);
          }}
        >
          {counts
            .filter((wanted) => reasonFor(wanted) === null)
            .map((wanted) => (
              <MenuItem key={wanted} id={String(wanted)}>
                {consoleWords.monitorCount(wanted)}
              </MenuItem>
            ))}
          {whyNotMore !== null && (
            <MenuItem id="more" reason={whyNotMore}>
              {consoleWords.monitorsMore}
            </MenuItem>
          )}
        </MenuSection>
        {most > 1 && (
          <MenuSection
            label={consoleWords.monitorLayout}
            choose="single"
            selected={[layout]}
            onSelect={(chosen) => monitors.setLayout(chosen.has('tiled') ? 'tiled' : 'tabs')}
          >
            <MenuItem id="tabs">{consoleWords.monitorTabs}</MenuItem>
            <MenuItem id="tiled">{consoleWords.monitorTiled}</MenuItem>
          </MenuSection>
        )}
        {heads.length > 1 && (
          <MenuSection label={consoleWords.monitorApart}>
            <Submenu item={<MenuItem id="apart">{consoleWords.monitorApart}</MenuItem>} label={consoleWords.monitorApart}>
              <MenuSection
                label={consoleWords.monitorApart}
                choose="multiple"
                selected={apart.map(apartId)}
                onSelect={(chosen) => {
                  const wanted = heads.filter((head) => chosen.has(apartId(head)));
                  if (wanted.length < heads.length) monitors.setApart(wanted);
                }}
              >
                {heads.map((head) => (
                  <MenuItem
                    key={head}
                    id={apartId(head)}
                    reason={here.length === 1 && here[0] === head ? consoleWords.monitorApartLast : null}
                  >
                    {consoleWords.monitorApartNumber(head + 1)}
                  </MenuItem>
                ))}
              </MenuSection>
              <MenuSection label={consoleWords.monitorApart}>
                {apart.length < heads.length - 1 && (
                  <MenuItem id="all-apart" note={consoleWords.monitorApartAllNote} onAction={() => monitors.setApart(heads.slice(1))}>
                    {consoleWords.monitorApartAll}
                  </MenuItem>
                )}
                {apart.length > 0 && (
                  <MenuItem id="none-apart" onAction={() => monitors.setApart([])}>
                    {consoleWords.monitorApartNone}
                  </MenuItem>
                )}
              </MenuSection>
            </Submenu>
          </MenuSection>
        )}
        {most > 1 && (
          <MenuSection label={consoleWords.displays}>
            <MenuItem
              id="spread"
              icon={Maximize}
              reason={displays.length < 2 ? consoleWords.spreadOneDisplay : null}
              {...(displays.length < 2 ? {} : { note: consoleWords.spreadNote(spread.assignment.size) })}
              onAction={spread.begin}
            >
              {consoleWords.spread}
            </MenuItem>
            {displays.length > 1 &&
              [...spread.assignment].map(([head, its]) => (
                <Submenu
                  key={head}
                  item={<MenuItem id={`display-of-${head}`}>{consoleWords.displayOf(head + 1)}</MenuItem>}
                  label={consoleWords.displayOf(head + 1)}
                >
                  <MenuSection
                    label={consoleWords.displays}
                    choose="single"
                    selected={[its.id]}
                    onSelect={(chosen) => {
                      const display = displays.find(({ id }) => chosen.has(id));
                      if (display && display.id !== its.id) spread.assign(head, display);
                    }}
                  >
                    {displays.map((display, index) => (
                      <MenuItem key={display.id} id={display.id}>
                        {displayName(display, index)}
                      </MenuItem>
                    ))}
                  </MenuSection>
                </Submenu>
              ))}
          </MenuSection>
        )}
      </MenuTrigger>
    </>
  );
}
