import type { LucideIcon } from 'lucide-react';
import {
  Activity,
  Disc3,
  HardDrive,
  HeartPulse,
  History,
  Layers2,
  LayoutGrid,
  Monitor,
  Play,
  Settings,
  Star,
  Tag,
  Trash2,
} from 'lucide-react';
import type { ReactNode } from 'react';
import { Link, useLocation, useSearch } from 'wouter';
import { useShallow } from 'zustand/react/shallow';
import { isLive } from '../parts/guest-words.ts';
import { useEngineStore } from '../state/store.ts';
import { useOutdatedGuests } from '../state/use-outdated.ts';
import { cloneWords } from '../words/clone.ts';
import { words } from '../words/en.ts';
import { compareNames, formatInteger } from '../words/format.ts';
import './Sidebar.css';

/** Every place of the window. Those that would be empty for good (no tags, no favourites) are not there. */
export function Sidebar() {
  const counts = useEngineStore(
    useShallow((state) => {
      const guests = Object.values(state.guests);
      // Nothing is counted before it is known.
      if (state.engine === null) return {};
      return {
        all: guests.length,
        running: guests.filter((guest) => isLive(guest.state)).length,
        templates: guests.filter((guest) => guest.state.status === 'template').length,
        favourites: guests.filter((guest) => guest.spec.favourite).length,
        images: Object.keys(state.images).length,
      };
    }),
  );
  const outdated = useOutdatedGuests().length;
  const tags = useEngineStore(
    useShallow((state) => [...new Set(Object.values(state.guests).flatMap((guest) => guest.spec.tags))].sort(compareNames)),
  );
  return (
    <div className="sidebar">
      <Section title={words.nav.library}>
        <Place to="/library" icon={LayoutGrid} count={counts.all}>
          {words.nav.all}
        </Place>
        <Place to="/library?place=running" icon={Play} count={counts.running}>
          {words.nav.running}
        </Place>
        <Place to="/library?place=computer" icon={Monitor}>
          {words.nav.thisComputer}
        </Place>
        {(counts.templates ?? 0) > 0 && (
          <Place to="/library?place=templates" icon={Layers2} count={counts.templates}>
            {cloneWords.templates}
          </Place>
        )}
        {(counts.favourites ?? 0) > 0 && (
          <Place to="/library?place=favourites" icon={Star} count={counts.favourites}>
            {words.nav.favourites}
          </Place>
        )}
        {outdated > 0 && (
          <Place to="/library?place=outdated" icon={History} count={outdated}>
            {words.library.outdated}
          </Place>
        )}
      </Section>
      {tags.length > 0 && (
        <Section title={words.nav.tags}>
          {tags.map((tag) => (
            <Place key={tag} to={`/library?tag=${encodeURIComponent(tag)}`} icon={Tag}>
              {tag}
            </Place>
          ))}
        </Section>
      )}
      <Section>
        <Place to="/images" icon={Disc3} count={counts.images} also={['/downloads']}>
          {words.nav.images}
        </Place>
        <Place to="/activity" icon={Activity}>
          {words.nav.activity}
        </Place>
        <Place to="/storage" icon={HardDrive}>
          {words.nav.storage}
        </Place>
        <Place to="/trash" icon={Trash2}>
          {words.nav.trash}
        </Place>
      </Section>
      <Section>
        <Place to="/health" icon={HeartPulse}>
          {words.nav.health}
        </Place>
        <Place to="/settings" icon={Settings}>
          {words.nav.settings}
        </Place>
      </Section>
    </div>
  );
}

function Section({ title, children }: { title?: string; children: ReactNode }) {
  return (
    <div className="sidebar-section">
      {title && <h2 className="sidebar-title">{title}</h2>}
      <ul>{children}</ul>
    </div>
  );
}

type PlaceProps = {
  to: string;
  icon: LucideIcon;
  count?: number | undefined;
  /** Other addresses that belong to the place. */
  also?: readonly string[];
  children: string;
};

function Place({ to, icon: Icon, count, also = [], children }: PlaceProps) {
  const [path] = useLocation();
  const search = useSearch();
  const [toPath, toSearch] = to.split('?');
  // The library's places differ by one parameter; what is typed into its filters does not change where one is.
  const here = (path === toPath && (path !== '/library' || placeOf(search) === placeOf(toSearch ?? ''))) || also.includes(path);
  return (
    <li>
      <Link href={to} className={here ? 'sidebar-link sidebar-link-here' : 'sidebar-link'} {...(here ? { 'aria-current': 'page' } : {})}>
        <Icon size={16} aria-hidden="true" />
        <bdi className="ellipsis grow" title={children.length > 18 ? children : undefined}>
          {children}
        </bdi>
        {count !== undefined && <span className="sidebar-count">{formatInteger(count)}</span>}
      </Link>
    </li>
  );
}

function placeOf(search: string): string {
  const parameters = new URLSearchParams(search);
  const tag = parameters.get('tag');
  return tag === null ? (parameters.get('place') ?? 'all') : `tag:${tag}`;
}
