import { useEffect, useMemo } from 'react';
import { cpuCount } from '../../contract/guest-spec.ts';
import type { Guest } from '../../contract/guest-state.ts';
import { watchGuest } from '../state/engine-feed.ts';
import { samplesKept } from '../state/engine-state.ts';
import { useSamples } from '../state/store.ts';
import { Sparkline } from '../ui/Sparkline.tsx';
import { words } from '../words/en.ts';
import { formatPercent } from '../words/format.ts';
import './GuestSparkline.css';

/** The processor load of a running guest over the last two minutes, and its number now. Asks for samples while it is shown. */
export function GuestSparkline({ guest, width = 84, height = 20 }: { guest: Guest; width?: number; height?: number }) {
  const samples = useSamples(guest.id);
  useEffect(() => watchGuest(guest.id), [guest.id]);
  const values = useMemo(() => (samples ?? []).map((sample) => sample.cpuCores), [samples]);
  const cpus = cpuCount(guest.spec.cpu);
  const now = values.at(-1);
  return (
    <span className="guest-sparkline">
      <Sparkline values={values} capacity={samplesKept} top={cpus} label={words.library.cpuNow} width={width} height={height} />
      <span className="small muted guest-sparkline-now">{now === undefined ? '' : formatPercent(now / cpus)}</span>
    </span>
  );
}
