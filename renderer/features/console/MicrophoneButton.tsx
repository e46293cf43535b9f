import { Mic, MicOff } from 'lucide-react';
import { useEffect, useState } from 'react';
import type { Guest } from '../../../contract/guest-state.ts';
import type { SessionView } from '../../console/session.ts';
import { shell } from '../../state/bridge.ts';
import { useConsoleMark } from '../../state/console-marks.ts';
import { showErrorToast } from '../../state/toasts.ts';
import { IconButton } from '../../ui/Button.tsx';
import { consoleWords } from '../../words/console.ts';

type Props = { guest: Guest; view: SessionView | null; elsewhere: boolean };

/**
 * Lets the guest hear the microphone, or not any more. Off whenever a console is opened, and when it has been `elsewhere`, in another window: what
 * listens is not remembered. A guest without a sound card has no such button.
 */
export function MicrophoneButton({ guest, view, elsewhere }: Props) {
  const [allowed, setAllowed] = useState(false);
  const [busy, setBusy] = useState(false);
  const live = view?.console ?? null;
  useEffect(() => live?.setMicrophone(allowed), [live, allowed]);
  // A window that shows another guest's console, or none, gives it back.
  useEffect(() => () => void shell('shell.setMicrophone', { guest: guest.id, on: false }), [guest.id]);
  useEffect(() => {
    if (!elsewhere) return;
    setAllowed(false);
    void shell('shell.setMicrophone', { guest: guest.id, on: false });
  }, [guest.id, elsewhere]);
  useConsoleMark(guest.id, 'hears', view?.microphone === 'heard');
  if (!view?.sound) return null;
  const toggle = async () => {
    setBusy(true);
    // What is open is closed before it is given back.
    if (allowed) setAllowed(false);
    const answer = await shell('shell.setMicrophone', { guest: guest.id, on: !allowed });
    setBusy(false);
    if (answer.ok) setAllowed(answer.value);
    else showErrorToast(answer.error);
  };
  return (
    <IconButton
      icon={allowed ? Mic : MicOff}
      label={consoleWords.microphones[view.microphone]}
      pressed={allowed}
      busy={busy}
      className={view.microphone === 'wanted' ? 'console-microphone-wanted' : ''}
      onPress={() => void toggle()}
    />
  );
}
