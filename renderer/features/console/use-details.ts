import { useEffect, useState } from 'react';
import { type Console, type ConsoleDetails, type ConsoleStats, noStats } from '../../console/console.ts';
import { between, type Recent } from './why-slow.ts';

/** How long "lately" is, in looks of a second each. */
const lately = 10;

export type DetailsNow = { stats: ConsoleStats; details: ConsoleDetails; recent: Recent };

/** The exact figures of a console, each second anew; null until the first have come. */
export function useDetails(live: Console | null): DetailsNow | null {
  const [now, setNow] = useState<DetailsNow | null>(null);
  useEffect(() => {
    setNow(null);
    let stats = noStats;
    const looks: ConsoleDetails[] = [];
    return live?.listen((event) => {
      if (event.kind === 'stats') stats = event.stats;
      if (event.kind !== 'details') return;
      looks.push(event.details);
      if (looks.length > lately) looks.shift();
      const recent = between(looks[0] ?? event.details, event.details);
      setNow({ stats, details: event.details, recent });
    });
  }, [live]);
  return now;
}
