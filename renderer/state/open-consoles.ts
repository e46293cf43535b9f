/**
 * Which guests' consoles are open in this window. They are the tabs above the content; their connections outlive the page that shows them,
 * because each is drawn once into an element of its own (`app/ConsoleHosts.tsx`) that the guest page takes in while its Console tab is
 * visible.
 */
import { create } from 'zustand';
import type { GuestId } from '../../contract/ids.ts';
import { shell } from './bridge.ts';

type OpenConsoles = {
  /** In the order of the tabs. */
  guestIds: readonly GuestId[];
  /** The one that is visible now, or null. */
  active: GuestId | null;
};

export const useOpenConsoles = create<OpenConsoles>()(() => ({ guestIds: [], active: null }));

/** Opens the console of a guest in this window; one that is open stays as it is. */
export function openConsole(id: GuestId): void {
  useOpenConsoles.setState(({ guestIds }) => (guestIds.includes(id) ? {} : { guestIds: [...guestIds, id] }));
}

/** Closes the console of a guest and ends its connection; the guest goes on. */
export function closeConsole(id: GuestId): void {
  useOpenConsoles.setState(({ guestIds, active }) => ({
    guestIds: guestIds.filter((other) => other !== id),
    active: active === id ? null : active,
  }));
}

/** Moves the console of a guest into a window of its own. */
export async function detachConsole(id: GuestId): Promise<void> {
  const answer = await shell('shell.detachConsole', { guest: id });
  if (answer.ok) closeConsole(id);
}

/** Says which console is on the screen; called by the slot that shows it. */
export function setActiveConsole(id: GuestId | null): void {
  useOpenConsoles.setState({ active: id });
}

const elements = new Map<GuestId, HTMLElement>();

/** The element into which a guest's console is drawn, wherever it is put. */
export function consoleElement(id: GuestId): HTMLElement {
  let element = elements.get(id);
  if (!element) {
    element = document.createElement('div');
    element.className = 'console-host';
    elements.set(id, element);
  }
  return element;
}

/** Forgets the element of a console that was closed. */
export function dropConsoleElement(id: GuestId): void {
  elements.get(id)?.remove();
  elements.delete(id);
}
