import type { LucideIcon } from 'lucide-react';
import {
  Activity,
  Disc3,
  Download,
  FileInput,
  FileText,
  HardDrive,
  HeartPulse,
  LayoutGrid,
  Library,
  Moon,
  PackageOpen,
  RotateCcw,
  Search,
  Settings,
  Sun,
  SunMoon,
  Table2,
  Trash2,
} from 'lucide-react';
import { type ReactNode, useMemo, useState } from 'react';
import { Autocomplete, Dialog, Header, Input, Menu, MenuItem, MenuSection, Modal, ModalOverlay, SearchField } from 'react-aria-components';
import { useLocation } from 'wouter';
import type { Settings as SettingsType } from '../../contract/settings.ts';
import { verbIcons } from '../parts/guest-menu.tsx';
import { stateWord } from '../parts/guest-words.ts';
import { OsLogo } from '../parts/OsLogo.tsx';
import { call, shell } from '../state/bridge.ts';
import { doVerb } from '../state/guest-verbs.ts';
import { useGuests } from '../state/store.ts';
import { showErrorToast } from '../state/toasts.ts';
import { words } from '../words/en.ts';
import { transferWords } from '../words/transfer.ts';
import { guestEntries, matches } from './palette-entries.ts';
import './CommandPalette.css';

type Entry = { id: string; label: string; icon: ReactNode; note?: string; run: () => void };

/** Finds a guest, a page or a command by typing; Enter goes there or does it. */
export function CommandPalette({ open, onClose }: { open: boolean; onClose: () => void }) {
  return (
    <ModalOverlay className="scrim" isOpen={open} onOpenChange={(isOpen) => !isOpen && onClose()} isDismissable>
      <Modal className="modal palette-modal">
        <Dialog className="dialog" aria-label={words.palette.title}>
          <Palette onClose={onClose} />
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}

function Palette({ onClose }: { onClose: () => void }) {
  const [query, setQuery] = useState('');
  const guests = useGuests();
  const [, navigate] = useLocation();
  const fixed = useMemo(() => fixedEntries(navigate), [navigate]);
  const found = useMemo(
    () =>
      guestEntries(Object.values(guests), query).map((entry): Entry => {
        const { guest } = entry;
        if (entry.kind === 'guest')
          return {
            id: guest.id,
            label: guest.spec.name,
            icon: <OsLogo os={guest.spec.os} size={20} />,
            note: stateWord(guest.state),
            run: () => navigate(`/guests/${guest.id}`),
          };
        const Icon = verbIcons[entry.verb];
        return {
          id: `${entry.verb}-${guest.id}`,
          label: entry.label,
          icon: <Icon size={16} aria-hidden="true" />,
          run: () => void doVerb(guest, entry.verb),
        };
      }),
    [guests, query, navigate],
  );
  const sections = [
    { title: words.palette.guests, entries: found },
    { title: words.palette.pages, entries: fixed.pages.filter((entry) => matches(entry.label, query.trim())) },
    { title: words.palette.commands, entries: fixed.commands.filter((entry) => matches(entry.label, query.trim())) },
  ].filter((section) => section.entries.length > 0);
  const run = (key: string) => {
    const entry = sections.flatMap((section) => section.entries).find((each) => each.id === key);
    onClose();
    entry?.run();
  };
  return (
    <Autocomplete inputValue={query} onInputChange={setQuery}>
      <SearchField className="palette-field" aria-label={words.palette.title} autoFocus>
        <Search size={20} aria-hidden="true" />
        <Input className="palette-input" placeholder={words.palette.placeholder} dir="auto" />
      </SearchField>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: the focus stays in the field; what scrolls must be reachable all the same */}
      <div className="palette-scroll" tabIndex={0}>
        <Menu
          className="menu palette-menu"
          aria-label={words.palette.title}
          onAction={(key) => run(String(key))}
          renderEmptyState={() => <p className="muted palette-nothing">{words.palette.nothing}</p>}
        >
          {sections.map((section) => (
            <MenuSection key={section.title} className="menu-section">
              <Header className="menu-title">{section.title}</Header>
              {section.entries.map((entry) => (
                <MenuItem key={entry.id} id={entry.id} textValue={entry.label} className="menu-item palette-item">
                  <span className="palette-icon">{entry.icon}</span>
                  <bdi className="ellipsis grow">{entry.label}</bdi>
                  {entry.note && <span className="menu-note ellipsis">{entry.note}</span>}
                </MenuItem>
              ))}
            </MenuSection>
          ))}
        </Menu>
      </div>
    </Autocomplete>
  );
}

function fixedEntries(navigate: (path: string) => void): { pages: Entry[]; commands: Entry[] } {
  const entry = (id: string, label: string, Icon: LucideIcon, run: () => void): Entry => ({
    id,
    label,
    icon: <Icon size={16} aria-hidden="true" />,
    run,
  });
  const page = (path: string, label: string, icon: LucideIcon) => entry(path, label, icon, () => navigate(path));
  const set = (change: Partial<SettingsType>) => async () => {
    const answer = await call('settings.set', change);
    if (!answer.ok) showErrorToast(answer.error);
  };
  return {
    pages: [
      page('/library', words.nav.library, LayoutGrid),
      page('/images', words.nav.images, Disc3),
      page('/downloads', words.downloads.title, Download),
      page('/storage', words.nav.storage, HardDrive),
      page('/activity', words.nav.activity, Activity),
      page('/health', words.nav.health, HeartPulse),
      page('/settings', words.nav.settings, Settings),
      page('/trash', words.nav.trash, Trash2),
    ],
    commands: [
      page('/new/iso', words.create.titles.iso, Disc3),
      page('/new/disk', words.create.titles.disk, HardDrive),
      page('/new/image', words.create.titles.image, Library),
      page('/import', transferWords.importTitle, PackageOpen),
      page('/images?import', words.top.importImage, FileInput),
      entry('cards', words.palette.cards, LayoutGrid, set({ libraryView: 'cards' })),
      entry('table', words.palette.table, Table2, set({ libraryView: 'table' })),
      entry('light', words.palette.themeLight, Sun, set({ theme: 'light' })),
      entry('dark', words.palette.themeDark, Moon, set({ theme: 'dark' })),
      entry('system', words.palette.themeSystem, SunMoon, set({ theme: 'system' })),
      entry('restart', words.engine.restart, RotateCcw, () => void shell('shell.restartEngine', {})),
      entry('logs', words.engine.openLogs, FileText, () => void shell('shell.openLogs', {})),
    ],
  };
}
