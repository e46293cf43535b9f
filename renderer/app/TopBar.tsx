import { Disc3, Download, FileInput, FlaskConical, HardDrive, Layers2, Library, Plus, Search } from 'lucide-react';
import type { ReactNode } from 'react';
import { Button as AriaButton, Focusable } from 'react-aria-components';
import { useLocation } from 'wouter';
import { useShallow } from 'zustand/react/shallow';
import { bridge } from '../state/bridge.ts';
import { openClone } from '../state/cloning.ts';
import { useEngineStore } from '../state/store.ts';
import { Button } from '../ui/Button.tsx';
import { Keys } from '../ui/feedback.tsx';
import { MenuItem, MenuSection, MenuTrigger } from '../ui/Menu.tsx';
import { WithTooltip } from '../ui/Tooltip.tsx';
import { cloneWords } from '../words/clone.ts';
import { words } from '../words/en.ts';
import { EngineChip } from './EngineChip.tsx';
import { JobsPopover } from './JobsPopover.tsx';
import './TopBar.css';

/** Search and commands, what can be made, what is under way, and how the engine is. */
export function TopBar({ menuButton, onSearch }: { menuButton: ReactNode; onSearch: () => void }) {
  const [, navigate] = useLocation();
  const { developmentRuntime } = bridge.info;
  const templates = useEngineStore(
    useShallow((state) => Object.values(state.guests).flatMap((guest) => (guest.state.status === 'template' ? [guest.id] : []))),
  );
  return (
    <header className="top-bar">
      {menuButton}
      <AriaButton className="top-search" onPress={onSearch} aria-haspopup="dialog">
        <Search size={16} aria-hidden="true" />
        <span className="ellipsis grow">{words.top.search}</span>
        <Keys keys="Ctrl+K" />
      </AriaButton>
      <MenuTrigger
        label={words.top.newMenu}
        placement="bottom end"
        button={
          <Button kind="primary" icon={Plus}>
            {words.top.new}
          </Button>
        }
      >
        <MenuSection label={words.nav.newGuest}>
          <MenuItem id="iso" icon={Disc3} onAction={() => navigate('/new/iso')}>
            {words.top.newFromIso}
          </MenuItem>
          <MenuItem id="disk" icon={HardDrive} onAction={() => navigate('/new/disk')}>
            {words.top.newFromDisk}
          </MenuItem>
          <MenuItem id="image" icon={Library} onAction={() => navigate('/new/image')}>
            {words.top.newFromImage}
          </MenuItem>
          {templates.length > 0 && (
            <MenuItem
              id="template"
              icon={Layers2}
              onAction={() =>
                templates.length === 1 && templates[0] ? openClone({ id: templates[0] }) : navigate('/library?place=templates')
              }
            >
              {cloneWords.guestFromTemplate}
            </MenuItem>
          )}
        </MenuSection>
        <MenuSection label={words.images.import}>
          <MenuItem id="import" icon={FileInput} onAction={() => navigate('/images?import')}>
            {words.top.importImage}
          </MenuItem>
          <MenuItem id="downloads" icon={Download} onAction={() => navigate('/downloads')}>
            {words.downloads.open}
          </MenuItem>
        </MenuSection>
      </MenuTrigger>
      <JobsPopover />
      <EngineChip />
      {developmentRuntime !== null && (
        <WithTooltip text={words.top.developmentRuntimeNote(developmentRuntime)}>
          <Focusable>
            {/* biome-ignore lint/a11y/noNoninteractiveTabindex: its explanation must be reachable by keyboard */}
            <span className="top-mark" tabIndex={0} role="note">
              <FlaskConical size={16} aria-hidden="true" />
              <span className="top-mark-text">{words.app.developmentRuntime}</span>
            </span>
          </Focusable>
        </WithTooltip>
      )}
    </header>
  );
}
