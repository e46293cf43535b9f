/** The tray: which guests run, with the two things one wants of them. Desktops without a tray simply have none. */
import { Menu, type MenuItemConstructorOptions, Tray } from 'electron';
import { guestCan } from '../../contract/guest-can.ts';
import type { Guest } from '../../contract/guest-state.ts';
import type { GuestId } from '../../contract/ids.ts';
import { trayIcon } from './icon.ts';
import type { LibraryMirror } from './library-mirror.ts';

export type TrayActions = {
  show: () => void;
  open: (guest: GuestId) => void;
  shutdown: (guest: GuestId) => void;
  quit: () => void;
};

const longestName = 60;

/** The tray's menu for these guests. Pure. */
export function trayTemplate(running: readonly Guest[], actions: TrayActions): MenuItemConstructorOptions[] {
  const guests = running.map(
    (guest): MenuItemConstructorOptions => ({
      label: guest.spec.name.length > longestName ? `${guest.spec.name.slice(0, longestName - 1)}…` : guest.spec.name,
      submenu: [
        { label: 'Open', click: () => actions.open(guest.id) },
        { label: 'Shut down', enabled: guestCan(guest.state, 'shutdown').kind === 'allowed', click: () => actions.shutdown(guest.id) },
      ],
    }),
  );
  return [
    { label: 'Open Guesthouse', click: actions.show },
    { type: 'separator' },
    ...(guests.length > 0 ? guests : [{ label: 'No guest is running', enabled: false }]),
    { type: 'separator' },
    { label: 'Quit', click: actions.quit },
  ];
}

export function showTray(mirror: LibraryMirror, actions: TrayActions, log: (line: string) => void): void {
  let tray: Tray;
  try {
    tray = new Tray(trayIcon());
  } catch (error) {
    log(`this desktop has no tray: ${String(error)}`);
    return;
  }
  let shown = '';
  const refresh = () => {
    const { running } = mirror;
    // Guests change often (a measurement, an address), and a menu that is replaced while it is open closes.
    const now = JSON.stringify(running.map(({ id, spec, state }) => [id, spec.name, state.status]));
    if (now === shown) return;
    shown = now;
    tray.setToolTip(running.length === 1 ? 'Guesthouse: 1 guest is running' : `Guesthouse: ${running.length} guests are running`);
    tray.setContextMenu(Menu.buildFromTemplate(trayTemplate(running, actions)));
  };
  tray.on('click', actions.show);
  mirror.listen((message) => {
    if (message.type === 'snapshot' || message.type === 'guest') refresh();
  });
  refresh();
}
