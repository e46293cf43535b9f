import { ClipboardPaste, Copy, Ear, Eraser, Plug, Unplug } from 'lucide-react';
import { useEffect, useRef, useState, useSyncExternalStore } from 'react';
import type { Guest } from '../../../contract/guest-state.ts';
import type { GuestId } from '../../../contract/ids.ts';
import { useRemembered } from '../../state/remembered.ts';
import { useConnection, useGuest } from '../../state/store.ts';
import { Button, IconButton } from '../../ui/Button.tsx';
import { Notice } from '../../ui/feedback.tsx';
import { TextField } from '../../ui/TextField.tsx';
import { Segmented } from '../../ui/toggles.tsx';
import { consoleWords } from '../../words/console.ts';
import { sshReason } from './ssh-reason.ts';
import { sshSession, type TerminalKind, TerminalSession } from './terminal-session.ts';
import './terminal.css';

const words = consoleWords.terminal;
const acceptFlag = (stored: unknown) => (typeof stored === 'boolean' ? stored : null);
const acceptUser = (stored: unknown) => (typeof stored === 'string' && userPattern.test(stored) ? stored : null);
const userPattern = /^[a-z_][a-z0-9_-]{0,31}$/;

/** The serial console, and ssh where an address or a port forward is known. */
export function TerminalTab({ guestId }: { guestId: GuestId }) {
  const guest = useGuest(guestId);
  const [kind, setKind] = useState<TerminalKind>('serial');
  if (!guest) return null;
  return (
    <section className="terminal" aria-label={words.label(guest.spec.name)}>
      <TerminalView key={kind} guest={guest} kind={kind} onKind={setKind} />
    </section>
  );
}

type ViewProps = { guest: Guest; kind: TerminalKind; onKind: (kind: TerminalKind) => void };

function TerminalView({ guest, kind, onKind }: ViewProps) {
  const session = useTerminal(guest.id, kind);
  const view = useSyncExternalStore(session?.subscribe ?? subscribeToNothing, () => session?.getView() ?? null);
  const [reader, setReader] = useRemembered('terminal.screenReader', false, acceptFlag);
  useEffect(() => session?.setScreenReader(reader), [session, reader]);
  const live = view?.phase === 'open';
  const reason = kind === 'ssh' ? sshReason(guest) : serialReason(guest);
  useSerialConnection(session, kind, reason);
  return (
    <>
      <div className="terminal-bar" role="toolbar" aria-label={words.kind} data-terminal-exit>
        <Segmented
          label={words.kind}
          value={kind}
          onChange={onKind}
          options={[
            { id: 'serial', label: words.serial },
            { id: 'ssh', label: words.ssh },
          ]}
        />
        {kind === 'ssh' && session && <SshBar session={session} reason={reason} live={live} guestId={guest.id} />}
        <span className="terminal-space" />
        <IconButton
          icon={Copy}
          label={words.copy}
          hint="Ctrl+Shift+C"
          reason={view?.selection ? null : words.copyNone}
          onPress={() => session?.copy()}
        />
        <IconButton
          icon={ClipboardPaste}
          label={words.paste}
          hint="Ctrl+Shift+V"
          reason={live ? null : (reason ?? view?.text ?? '')}
          onPress={() => void session?.paste()}
        />
        <IconButton icon={Eraser} label={words.clear} onPress={() => session?.clear()} />
        <IconButton icon={Ear} label={words.screenReader} pressed={reader} onPress={() => setReader(!reader)} />
      </div>
      {reason !== null && !live && <Notice tone="info" title={reason} />}
      {reason === null && view?.phase === 'ended' && view.text !== '' && <Notice tone="warning" role="status" title={view.text} />}
      <TerminalHost session={session} dimmed={!live} />
      <p className="terminal-help">{words.keys}</p>
    </>
  );
}

const subscribeToNothing = () => () => undefined;

/** A serial terminal lasts as long as it is looked at: the engine keeps what scrolls by. An SSH session goes on. */
function useTerminal(guestId: GuestId, kind: TerminalKind): TerminalSession | null {
  const [session, setSession] = useState<TerminalSession | null>(null);
  useEffect(() => {
    if (kind === 'ssh') {
      setSession(sshSession(guestId));
      return;
    }
    const made = new TerminalSession(guestId, 'serial');
    setSession(made);
    return () => made.destroy();
  }, [guestId, kind]);
  return session;
}

function useSerialConnection(session: TerminalSession | null, kind: TerminalKind, reason: string | null): void {
  const engineConnected = useConnection().state === 'connected';
  useEffect(() => {
    if (!session || kind !== 'serial') return;
    if (reason === null && engineConnected) session.connect();
    else session.disconnect();
  }, [session, kind, reason, engineConnected]);
}

function serialReason({ spec, state }: Guest): string | null {
  if (!spec.serial) return words.noSerial(spec.name);
  return state.run ? null : words.notRunning(spec.name);
}

function TerminalHost({ session, dimmed }: { session: TerminalSession | null; dimmed: boolean }) {
  const host = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!session || !host.current) return;
    host.current.append(session.element);
    session.shown();
    // Somebody who walks the window by keyboard goes on in the toolbar and enters the terminal when they like.
    if (!document.activeElement?.matches(':focus-visible')) session.focus();
    return () => session.element.remove();
  }, [session]);
  return <div ref={host} className={dimmed ? 'terminal-host terminal-dimmed' : 'terminal-host'} />;
}

type SshBarProps = { session: TerminalSession; reason: string | null; live: boolean; guestId: GuestId };

function SshBar({ session, reason, live, guestId }: SshBarProps) {
  const [user, setUser] = useRemembered(`ssh.user.${guestId}`, 'root', acceptUser);
  const [typed, setTyped] = useState(user);
  const wrong = userPattern.test(typed) ? null : words.userInvalid;
  if (live)
    return (
      <Button icon={Unplug} onPress={() => session.disconnect()}>
        {words.disconnect}
      </Button>
    );
  const connect = () => {
    setUser(typed);
    session.connect(typed);
    session.focus();
  };
  return (
    <form
      className="row"
      onSubmit={(event) => {
        event.preventDefault();
        if (reason === null && wrong === null) connect();
      }}
    >
      <TextField label={words.user} hideLabel value={typed} onChange={setTyped} placeholder={words.user} mono direction="ltr" />
      <Button icon={Plug} reason={reason ?? wrong} onPress={connect}>
        {words.connect}
      </Button>
    </form>
  );
}
