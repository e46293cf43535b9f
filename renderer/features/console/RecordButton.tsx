import { CircleDot, CircleStop } from 'lucide-react';
import { useEffect, useState } from 'react';
import { Button, IconButton } from '../../ui/Button.tsx';
import { consoleWords } from '../../words/console.ts';
import type { Recording } from './use-recording.ts';

/** Begins a recording; while one is made, says for how long and ends it. */
export function RecordButton({ recording }: { recording: Recording }) {
  if (recording.since === null)
    return <IconButton icon={CircleDot} label={consoleWords.record} reason={recording.reason} onPress={recording.begin} />;
  return (
    <Button kind="quiet" icon={CircleStop} className="console-recording" tooltip={consoleWords.recordStop} onPress={recording.end}>
      <span className="console-hidden">{consoleWords.recordStop}</span>
      <RecordedTime since={recording.since} />
    </Button>
  );
}

/** A dot and the time, for where there is no toolbar to be seen. */
export function RecordMark({ since }: { since: number }) {
  return (
    <span className="console-record-mark" role="img" aria-label={consoleWords.recording}>
      <RecordedTime since={since} />
    </span>
  );
}

function RecordedTime({ since }: { since: number }) {
  const [seconds, setSeconds] = useState(() => Math.floor((performance.now() - since) / 1000));
  useEffect(() => {
    const timer = setInterval(() => setSeconds(Math.floor((performance.now() - since) / 1000)), 500);
    return () => clearInterval(timer);
  }, [since]);
  return (
    <span className="console-recorded" aria-hidden="true">
      {consoleWords.recorded(Math.floor(seconds / 60), seconds % 60)}
    </span>
  );
}
