import { useEffect, useMemo, useState } from 'react';
import { cpuCount } from '../../../contract/guest-spec.ts';
import type { Guest } from '../../../contract/guest-state.ts';
import { ErrorPanel } from '../../parts/ErrorPanel.tsx';
import { watchGuest } from '../../state/engine-feed.ts';
import { useRemembered } from '../../state/remembered.ts';
import { useSamples } from '../../state/store.ts';
import { useCall } from '../../state/use-call.ts';
import { Chart } from '../../ui/Chart.tsx';
import { Segmented } from '../../ui/toggles.tsx';
import { words } from '../../words/en.ts';
import { formatBytes, formatDay, formatMinute, formatNumber, formatRate } from '../../words/format.ts';
import { chartData, mergeSamples, type Range, rangeSeconds, ranges } from './chart-data.ts';

const acceptRange = (stored: unknown) => ranges.find((range) => range === stored) ?? null;
const { charts } = words.guest;

/** Processor, memory, disk and network over time. */
export function GuestCharts({ guest }: { guest: Guest }) {
  const [range, setRange] = useRemembered<Range>('guest.range', '10m', acceptRange);
  const live = useSamples(guest.id);
  // The span moves on: every second for the short one as samples come, once a minute for the others.
  const [minute, setMinute] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setMinute((before) => before + 1), 60_000);
    return () => clearInterval(timer);
  }, []);
  useEffect(() => watchGuest(guest.id), [guest.id]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new span begins when the range, the run or the minute changes
  const since = useMemo(
    () => new Date(Date.now() - rangeSeconds[range] * 1000).toISOString(),
    [range, guest.state.run?.pid, range === '10m' ? 0 : minute],
  );
  const stored = useCall('guest.samples', { guest: guest.id, since });
  // biome-ignore lint/correctness/useExhaustiveDependencies: the clock is read anew with every sample and every minute
  const to = useMemo(() => Date.now() / 1000, [live, minute, stored.value, range]);
  const from = to - rangeSeconds[range];
  const data = useMemo(() => {
    const samples = mergeSamples(stored.value?.samples ?? [], range === '10m' ? (live ?? []) : []);
    return chartData(samples, range === '10m' ? 1 : (stored.value?.intervalSeconds ?? 60), from);
  }, [stored.value, live, range, from]);

  const time = { times: data.times, from, to, emptyText: charts.noData, formatTime: range === '30d' ? formatDay : formatMinute };
  const networkUnmeasured = data.times.length > 0 && data.receive.every((value) => value === null);
  return (
    <section className="guest-charts" aria-label={words.guest.graphs}>
      <div className="row">
        <h2 className="grow">{words.guest.graphs}</h2>
        <Segmented
          label={words.guest.range}
          value={range}
          onChange={setRange}
          options={ranges.map((id) => ({ id, label: words.guest.ranges[id] }))}
        />
      </div>
      {stored.error && <ErrorPanel error={stored.error} />}
      <div className="guest-chart-grid">
        <Chart
          {...time}
          title={charts.cpu}
          series={[{ label: charts.cpu, color: '--chart-cpu', values: data.cpu }]}
          format={formatCores}
          top={cpuCount(guest.spec.cpu)}
        />
        <Chart
          {...time}
          title={charts.memory}
          series={[{ label: charts.memory, color: '--chart-memory', values: data.memory }]}
          format={formatBytes}
          top={guest.spec.memoryMiB * 1024 * 1024}
          binary
        />
        <Chart
          {...time}
          title={charts.disk}
          series={[
            { label: charts.read, color: '--chart-read', values: data.read },
            { label: charts.write, color: '--chart-write', values: data.write },
          ]}
          format={formatRate}
          top={1024}
          binary
        />
        {networkUnmeasured ? (
          <div className="chart">
            <div className="chart-head">
              <span className="chart-title">{charts.network}</span>
            </div>
            <p className="chart-empty muted">{charts.noNetwork}</p>
          </div>
        ) : (
          <Chart
            {...time}
            title={charts.network}
            series={[
              { label: charts.receive, color: '--chart-receive', values: data.receive },
              { label: charts.send, color: '--chart-send', values: data.send },
            ]}
            format={formatRate}
            top={1024}
            binary
          />
        )}
      </div>
    </section>
  );
}

function formatCores(value: number): string {
  return `${formatNumber(value)} ${charts.cpuAxis}`;
}
