import { useEffect, useState } from 'react';
import { formatExactTime, formatRelativeTime } from '../words/format.ts';

/** "3 minutes ago", kept true while it is shown, with the exact time on hover. */
export function TimeText({ at }: { at: string }) {
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => tick((before) => before + 1), 30_000);
    return () => clearInterval(timer);
  }, []);
  return (
    <time dateTime={at} title={formatExactTime(at)}>
      {formatRelativeTime(at)}
    </time>
  );
}
