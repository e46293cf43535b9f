import { useEffect, useRef, useState } from 'react';
import type { GuesthouseError } from '../../../contract/errors.ts';
import { Recorder } from '../../console/recorder.ts';
import type { SessionView } from '../../console/session.ts';
import { RecordedSound } from '../../console/sound/recorded-sound.ts';
import { shell } from '../../state/bridge.ts';
import { tellRecorded } from '../../state/recordings.ts';
import { showErrorToast, showToast } from '../../state/toasts.ts';
import { consoleWords } from '../../words/console.ts';
import { fileNameFor } from './file-name.ts';
import type { UsedMonitors } from './use-monitors.ts';

export type Recording = {
  /** Why none can be begun now. */
  reason: string | null;
  /** Since when, as `performance.now()` says it; null while none is made. */
  since: number | null;
  begin(): void;
  end(): void;
};

/** The monitors that are recorded, side by side. */
type Recorded = Pick<UsedMonitors, 'whole' | 'main' | 'beside'>;

/**
 * A recording of what is to be seen and, where `hasSound`, heard of the guest, into a file that the user chooses. It ends with the console's tab or
 * window at the latest.
 */
export function useRecording(name: string, monitors: Recorded, hasSound: boolean): Recording {
  const [since, setSince] = useState<number | null>(null);
  const recorder = useRef<Recorder | null>(null);
  const asking = useRef(false);
  /** The console was closed: nothing is begun any more. */
  const gone = useRef(false);
  useEffect(() => {
    gone.current = false;
    return () => {
      gone.current = true;
      recorder.current?.stop();
    };
  }, []);
  const latest = useRef(monitors);
  latest.current = monitors;
  const pictures = () => picturesOf(latest.current);
  const sound = useRef<RecordedSound | null>(null);
  const live = monitors.whole?.console ?? null;
  useEffect(() => sound.current?.follow(live), [live]);

  const begin = async () => {
    if (asking.current || recorder.current) return;
    asking.current = true;
    const answer = await shell('shell.beginRecording', { suggestedName: fileNameFor(name, 'webm') });
    if (answer.ok && answer.value !== null && hasSound) sound.current = await RecordedSound.begin();
    asking.current = false;
    if (!answer.ok) return showErrorToast(answer.error);
    if (answer.value === null) return;
    if (gone.current) {
      // While the dialog was open.
      sound.current?.close();
      await shell('shell.finishRecording', { recording: answer.value });
      return;
    }
    sound.current?.follow(latest.current.whole?.console ?? null);
    const recording = answer.value;
    let failed: GuesthouseError | null = null;
    const finish = async (problem: string | null) => {
      recorder.current = null;
      sound.current?.close();
      sound.current = null;
      setSince(null);
      const finished = await shell('shell.finishRecording', { recording });
      const error = failed ?? (finished.ok ? null : finished.error);
      if (error) showErrorToast(error);
      else if (problem !== null) showToast({ tone: 'problem', title: consoleWords.recordFailed, text: problem });
      if (!finished.ok) return;
      if (finished.value !== null) tellRecorded(finished.value);
      else if (!error && problem === null) showToast({ tone: 'info', title: consoleWords.recordNothing });
    };
    let added = Promise.resolve();
    try {
      const handlers = {
        sources: pictures,
        piece: (bytes: Uint8Array<ArrayBuffer>) => {
          added = added.then(async () => {
            if (failed) return;
            const told = await shell('shell.addToRecording', { recording, bytes });
            if (told.ok || failed) return;
            failed = told.error;
            recorder.current?.stop();
          });
        },
        ended: (problem: string | null) => void added.then(() => finish(problem)),
      };
      recorder.current = new Recorder(handlers, sound.current?.track ?? null);
      setSince(performance.now());
    } catch (error) {
      await finish(error instanceof Error ? error.message : String(error));
    }
  };

  return {
    reason: pictures().length > 0 ? null : consoleWords.screenshotNone,
    since,
    begin: () => void begin(),
    end: () => recorder.current?.stop(),
  };
}

/** What is to be seen, from left to right. */
function picturesOf({ main, beside }: Recorded): HTMLCanvasElement[] {
  return [main, ...beside].flatMap(({ view }) => (view ? (pictureOf(view) ?? []) : []));
}

/** The live picture, or the last one. */
function pictureOf({ phase, console: live, frame }: SessionView): HTMLCanvasElement | null {
  return phase === 'connected' && live ? live.canvas : frame;
}
