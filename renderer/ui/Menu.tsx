import type { LucideIcon } from 'lucide-react';
import { Check, ChevronRight } from 'lucide-react';
import { type ReactElement, type ReactNode, useEffect, useRef } from 'react';
import {
  Menu as AriaMenu,
  MenuItem as AriaMenuItem,
  MenuSection as AriaMenuSection,
  MenuTrigger as AriaMenuTrigger,
  Header,
  Popover,
  type PopoverProps,
  type Selection,
  SubmenuTrigger,
} from 'react-aria-components';
import './Menu.css';

type ItemProps = {
  id?: string;
  icon?: LucideIcon;
  children: string;
  /** Why it cannot be chosen now; shown below the words. The item stays reachable by keyboard. */
  reason?: string | null;
  /** A second line. */
  note?: string;
  /** A keyboard shortcut, for the eye. */
  keys?: string;
  danger?: boolean;
  onAction?: () => void;
};

/** One line of a menu. */
export function MenuItem({ id, icon: Icon, children, reason = null, note, keys, danger = false, onAction }: ItemProps) {
  const below = reason ?? note;
  return (
    <AriaMenuItem
      {...(id === undefined ? {} : { id })}
      textValue={children}
      className={`menu-item${danger ? ' menu-item-danger' : ''}${reason === null ? '' : ' menu-item-blocked'}`}
      {...(reason === null
        ? {}
        : { render: (props) => ('href' in props ? <a {...props} aria-disabled /> : <div {...props} aria-disabled />) })}
      {...(onAction && reason === null ? { onAction } : {})}
      shouldCloseOnSelect={reason === null}
    >
      {({ hasSubmenu, isSelected, selectionMode }) => (
        <>
          <span className="menu-icon">
            {selectionMode !== 'none'
              ? isSelected && <Check size={16} aria-hidden="true" />
              : Icon && <Icon size={16} aria-hidden="true" />}
          </span>
          <span className="menu-words">
            <bdi>{children}</bdi>
            {below && <span className="menu-note">{below}</span>}
          </span>
          {keys && <kbd className="menu-keys">{keys}</kbd>}
          {hasSubmenu && <ChevronRight size={16} aria-hidden="true" />}
        </>
      )}
    </AriaMenuItem>
  );
}

type SectionProps = {
  title?: string;
  /** Makes the lines of the section choices of one or many. */
  choose?: 'single' | 'multiple';
  selected?: Iterable<string>;
  onSelect?: (selected: Set<string>) => void;
  /** Needed when there is no title. */
  label?: string;
  children: ReactNode;
};

/** A group of lines, with a title, and with check marks when `choose` is given. */
export function MenuSection({ title, label, choose, selected, onSelect, children }: SectionProps) {
  return (
    <AriaMenuSection
      className="menu-section"
      {...(title === undefined ? { 'aria-label': label ?? '' } : {})}
      {...(choose ? { selectionMode: choose, disallowEmptySelection: choose === 'single' } : {})}
      {...(selected ? { selectedKeys: selected } : {})}
      {...(onSelect ? { onSelectionChange: (keys: Selection) => onSelect(new Set([...keys].map(String))) } : {})}
    >
      {title !== undefined && <Header className="menu-title">{title}</Header>}
      {children}
    </AriaMenuSection>
  );
}

/** What opens at a button: the button first, then the lines. */
export function MenuTrigger({ button, label, children, placement = 'bottom start' }: MenuTriggerProps) {
  return (
    <AriaMenuTrigger>
      {button}
      <Popover className="popover menu-popover" placement={placement} offset={4}>
        <AriaMenu className="menu" aria-label={label}>
          {children}
        </AriaMenu>
      </Popover>
    </AriaMenuTrigger>
  );
}

type MenuTriggerProps = {
  button: ReactElement;
  label: string;
  children: ReactNode;
  placement?: NonNullable<PopoverProps['placement']>;
};

/** A line that opens a menu beside it. */
export function Submenu({ item, label, children }: { item: ReactElement; label: string; children: ReactNode }) {
  return (
    <SubmenuTrigger>
      {item}
      <Popover className="popover menu-popover" offset={-2}>
        <AriaMenu className="menu" aria-label={label}>
          {children}
        </AriaMenu>
      </Popover>
    </SubmenuTrigger>
  );
}

type ContextMenuProps = {
  /** Where it opens, in pixels of the window; null keeps it closed. */
  at: { x: number; y: number } | null;
  label: string;
  onClose: () => void;
  children: ReactNode;
};

/** A menu at the pointer (or at the focused item, for the menu key). */
export function ContextMenu({ at, label, onClose, children }: ContextMenuProps) {
  const anchor = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // The menu closes when the window loses focus, as every native one does.
    if (!at) return;
    window.addEventListener('blur', onClose);
    return () => window.removeEventListener('blur', onClose);
  }, [at, onClose]);
  return (
    <>
      <div ref={anchor} className="menu-anchor" style={at ? { left: at.x, top: at.y } : {}} />
      <Popover
        className="popover menu-popover"
        aria-label={label}
        triggerRef={anchor}
        isOpen={at !== null}
        onOpenChange={(open) => !open && onClose()}
        placement="bottom start"
        offset={0}
        // Moving the menu to another item needs a fresh measurement of its anchor.
        key={at ? `${at.x},${at.y}` : 'closed'}
      >
        <AriaMenu className="menu" aria-label={label} onClose={onClose} autoFocus="first">
          {children}
        </AriaMenu>
      </Popover>
    </>
  );
}
