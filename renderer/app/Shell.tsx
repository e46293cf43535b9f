import { Menu as MenuIcon } from 'lucide-react';
import { useCallback, useEffect, useRef, useState } from 'react';
import { useLocation } from 'wouter';
import { bridge } from '../state/bridge.ts';
import { tellNotSent } from '../state/outgoing.ts';
import { tellRecordingKept } from '../state/recordings.ts';
import { useRemembered } from '../state/remembered.ts';
import { useEngineStore } from '../state/store.ts';
import { showToast } from '../state/toasts.ts';
import { IconButton } from '../ui/Button.tsx';
import { Splitter } from '../ui/Splitter.tsx';
import { words } from '../words/en.ts';
import { CloneDialog } from './CloneDialog.tsx';
import { CommandPalette } from './CommandPalette.tsx';
import { ConsoleHosts } from './ConsoleHosts.tsx';
import { ConsoleTabs } from './ConsoleTabs.tsx';
import { EngineGate } from './EngineGate.tsx';
import { ExportDialog } from './ExportDialog.tsx';
import { FileDrop } from './FileDrop.tsx';
import { MoveDialog } from './MoveDialog.tsx';
import { QuitDialog } from './QuitDialog.tsx';
import { RebaseDialog } from './RebaseDialog.tsx';
import { Routes } from './Routes.tsx';
import { Sidebar } from './Sidebar.tsx';
import { TopBar } from './TopBar.tsx';
import { useJobToasts } from './use-job-toasts.ts';
import './Shell.css';

const acceptWidth = (stored: unknown) => (typeof stored === 'number' && stored >= 160 && stored <= 400 ? stored : null);

/** The main window: sidebar, top bar, open consoles, and the page. */
export function Shell() {
  const [width, setWidth] = useRemembered('sidebar.width', 208, acceptWidth);
  const [drawer, setDrawer] = useState(false);
  const [palette, setPalette] = useState(false);
  const [location, navigate] = useLocation();
  const fullScreen = useEngineStore((state) => state.fullScreen);
  const content = useRef<HTMLElement>(null);
  useJobToasts();

  const find = useCallback(() => {
    const field = document.querySelector<HTMLInputElement>('[data-find] input');
    if (field) field.focus();
    else setPalette(true);
  }, []);

  useEffect(
    () =>
      bridge.onShellEvent((event) => {
        if (event.type === 'navigate') navigate(event.path);
        if (event.type === 'notice')
          showToast({ tone: 'problem', title: event.text, ...(event.hint === null ? {} : { text: event.hint }) });
        if (event.type === 'recordingKept') tellRecordingKept(event);
        if (event.type === 'filesNotSent') tellNotSent(event, navigate);
        if (event.type !== 'command') return;
        if (event.command === 'palette') setPalette(true);
        if (event.command === 'new') navigate('/new');
        if (event.command === 'find') find();
        if (event.command === 'settings') navigate('/settings');
        if (event.command === 'back') history.back();
        if (event.command === 'forward') history.forward();
      }),
    [navigate, find],
  );

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      // A console that has the keyboard stops the event before it comes here.
      if (!(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
      const command = { k: () => setPalette(true), n: () => navigate('/new'), f: find, ',': () => navigate('/settings') }[
        event.key.toLowerCase()
      ];
      if (!command) return;
      event.preventDefault();
      command();
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [navigate, find]);

  const shownLocation = useRef(location);
  useEffect(() => {
    const before = shownLocation.current;
    // The first page, which "/" leads to, is not walked to by anybody.
    if (before === location || before === '/' || before === '/index.html') {
      shownLocation.current = location;
      return;
    }
    shownLocation.current = location;
    setDrawer(false);
    // What had the focus is gone with the old page: the keyboard goes on in the new one.
    if (document.activeElement === document.body) content.current?.focus();
  }, [location]);

  return (
    <div className={fullScreen ? 'shell shell-full' : 'shell'} style={{ '--sidebar': `${width}px` }}>
      <button type="button" className="skip" onClick={() => content.current?.focus()}>
        {words.app.skipToContent}
      </button>
      <nav className={drawer ? 'shell-side shell-side-open' : 'shell-side'} aria-label={words.nav.label}>
        <Sidebar />
        <Splitter label={words.app.resizeSidebar} value={width} min={160} max={400} onChange={setWidth} />
      </nav>
      {drawer && <button type="button" className="shell-scrim" aria-label={words.app.closeMenu} onClick={() => setDrawer(false)} />}
      <div className="shell-main">
        <TopBar
          menuButton={
            <IconButton
              icon={MenuIcon}
              label={drawer ? words.app.closeMenu : words.app.menu}
              aria-expanded={drawer}
              className="shell-menu"
              onPress={() => setDrawer(!drawer)}
            />
          }
          onSearch={() => setPalette(true)}
        />
        <ConsoleTabs />
        <main id="content" className="content" ref={content} tabIndex={-1}>
          <EngineGate>
            <Routes />
          </EngineGate>
        </main>
      </div>
      <ConsoleHosts />
      <CommandPalette open={palette} onClose={() => setPalette(false)} />
      <FileDrop />
      <CloneDialog />
      <RebaseDialog />
      <ExportDialog />
      <MoveDialog />
      <QuitDialog />
    </div>
  );
}
