import { useEffect, useState } from 'react';
import type { ShellEvent } from '../../contract/shell.ts';
import { bridge, shell } from '../state/bridge.ts';
import { Button } from '../ui/Button.tsx';
import { Dialog } from '../ui/Dialog.tsx';
import { Notice, ProgressBar } from '../ui/feedback.tsx';
import { Checkbox, RadioGroup } from '../ui/toggles.tsx';
import { words } from '../words/en.ts';
import { formatList } from '../words/format.ts';

type Fate = 'keep-running' | 'suspend' | 'shutdown';
type Quitting = Extract<ShellEvent, { type: 'quitting' }>['progress'];

/** Asks what becomes of running guests when the app is closed, then shows what it still waits for. */
export function QuitDialog() {
  const [running, setRunning] = useState<string[] | null>(null);
  const [progress, setProgress] = useState<Quitting>(null);
  useEffect(
    () =>
      bridge.onShellEvent((event) => {
        if (event.type === 'askQuit') setRunning(event.running);
        if (event.type === 'quitting') setProgress(event.progress);
      }),
    [],
  );
  const stay = () => {
    setRunning(null);
    setProgress(null);
    void shell('shell.quit', { guests: 'cancel', remember: false });
  };
  if (progress) return <QuitProgress progress={progress} onStay={stay} />;
  if (!running) return null;
  return (
    <AskQuit
      running={running}
      onStay={stay}
      onQuit={(guests, remember) => {
        setRunning(null);
        void shell('shell.quit', { guests, remember });
      }}
    />
  );
}

function AskQuit({ running, onStay, onQuit }: { running: string[]; onStay: () => void; onQuit: (fate: Fate, remember: boolean) => void }) {
  const [fate, setFate] = useState<Fate>('keep-running');
  const [remember, setRemember] = useState(false);
  return (
    <Dialog
      open
      title={words.quit.title(running.length)}
      onClose={onStay}
      closeLabel={words.common.close}
      actions={
        <>
          <Button onPress={onStay}>{words.common.cancel}</Button>
          <Button kind="primary" autoFocus onPress={() => onQuit(fate, remember)}>
            {words.quit.quit}
          </Button>
        </>
      }
    >
      <div className="stack">
        <p className="muted">
          <bdi>{formatList(running)}</bdi>
        </p>
        <p>{words.quit.text}</p>
        <RadioGroup
          label={words.quit.question}
          value={fate}
          onChange={setFate}
          options={[
            { id: 'keep-running', label: words.quit.keep, description: words.quit.keepNote },
            { id: 'suspend', label: words.quit.suspend, description: words.quit.suspendNote },
            { id: 'shutdown', label: words.quit.shutdown, description: words.quit.shutdownNote },
          ]}
        />
        <Checkbox label={words.quit.remember} value={remember} onChange={setRemember} />
      </div>
    </Dialog>
  );
}

function QuitProgress({ progress, onStay }: { progress: NonNullable<Quitting>; onStay: () => void }) {
  const title = progress.guests === 'suspend' ? words.quit.waitingSuspend : words.quit.waitingShutdown;
  return (
    <Dialog
      open
      title={title}
      onClose={onStay}
      closeLabel={words.common.close}
      role="alertdialog"
      actions={<Button onPress={onStay}>{words.quit.stay}</Button>}
    >
      <div className="stack">
        {progress.failed ? (
          <Notice tone="problem" role="alert" title={progress.failed} />
        ) : (
          <>
            <p>{words.quit.waitingFor(formatList(progress.waitingFor))}</p>
            <ProgressBar label={title} value={null} />
          </>
        )}
      </div>
    </Dialog>
  );
}
