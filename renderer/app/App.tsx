import { I18nProvider } from 'react-aria-components';
import type { GuestId } from '../../contract/ids.ts';
import { bridge } from '../state/bridge.ts';
import { AskDialog } from './AskDialog.tsx';
import { ConsoleWindow } from './ConsoleWindow.tsx';
import { Shell } from './Shell.tsx';
import { Toasts } from './Toasts.tsx';

/** The whole page: the main window, or the window of one console. */
export function App() {
  const { window: shown } = bridge.info;
  return (
    <I18nProvider locale="en">
      {shown.kind === 'console' ? <ConsoleWindow guestId={shown.guest as GuestId} /> : <Shell />}
      <AskDialog />
      <Toasts />
    </I18nProvider>
  );
}
