import { useEffect, useRef, useState } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import './Chart.css';

export type ChartSeries = {
  label: string;
  /** A token: "--chart-cpu". */
  color: `--chart-${string}`;
  /** One for each time; null where nothing was measured. */
  values: readonly (number | null)[];
};

type Props = {
  title: string;
  /** Seconds since 1970, rising. */
  times: readonly number[];
  series: readonly ChartSeries[];
  format: (value: number) => string;
  /** How a moment (in seconds since 1970) stands on the time axis. */
  formatTime: (seconds: number) => string;
  /** The value at the top when all are smaller. */
  top?: number;
  /** Sizes are marked at powers of 1024 rather than of 10. */
  binary?: boolean;
  /** The span of time that is shown, in seconds since 1970. */
  from: number;
  to: number;
  emptyText: string;
  height?: number;
};

const decimalSteps = [1, 2, 5]
  .flatMap((step) => [0.01, 0.1, 1, 10, 100, 1000].map((power) => step * power))
  .sort((one, other) => one - other);
const binarySteps = Array.from({ length: 44 }, (_, power) => 2 ** power);

/** Measurements over time with axes and units, and the values under the pointer. */
export function Chart({ title, times, series, format, formatTime, top, binary = false, from, to, emptyText, height = 132 }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const [pointed, setPointed] = useState<number | null>(null);
  const scheme = useColorScheme();
  const latest = useRef({ format, formatTime, top, from, to });
  latest.current = { format, formatTime, top, from, to };
  const shape = series.map((each) => `${each.label}${each.color}`).join();

  // biome-ignore lint/correctness/useExhaustiveDependencies: made anew only when what is drawn changes in kind; the data come below
  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const color = (token: string) => resolveColor(element, token);
    const axis = {
      stroke: color('--text-muted'),
      grid: { stroke: color('--hairline'), width: 1 },
      ticks: { show: false },
      font: '11px system-ui, sans-serif',
    };
    const made = new uPlot(
      {
        width: element.clientWidth || 300,
        height,
        padding: [8, 22, 0, 0],
        legend: { show: false },
        cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 } },
        scales: {
          x: { time: true, range: () => [latest.current.from, latest.current.to] },
          y: { range: (_plot, _low, high) => [0, Math.max(latest.current.top ?? 0, (high ?? 0) * 1.1, Number.MIN_VALUE)] },
        },
        axes: [
          { ...axis, size: 24, space: 80, values: (_plot, splits) => splits.map((value) => latest.current.formatTime(value)) },
          {
            ...axis,
            size: 64,
            space: 34,
            incrs: binary ? binarySteps : decimalSteps,
            values: (_plot, splits) => splits.map((value) => latest.current.format(value)),
          },
        ],
        series: [
          {},
          ...series.map((each) => ({
            label: each.label,
            stroke: color(each.color),
            fill: translucent(color(each.color)),
            width: 1.5,
            // A line of a moment is too short to be seen; it ends in a point.
            points: { show: true, size: 5, fill: color(each.color), filter: endsOfMoments },
          })),
        ],
        hooks: { setCursor: [(drawn) => setPointed(drawn.cursor.idx ?? null)] },
      },
      toData(times, series),
      element,
    );
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [shape, scheme, height, binary]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the span is read while drawing
  useEffect(() => plot.current?.setData(toData(times, series)), [times, series, from, to, top]);

  const at = pointed ?? times.length - 1;
  return (
    <figure
      className="chart"
      aria-label={`${title}: ${series.map((each) => `${each.label} ${say(each.values[times.length - 1], format)}`).join(', ')}`}
    >
      <figcaption className="chart-head">
        <span className="chart-title">{title}</span>
        {series.map((each) => (
          <span key={each.label} className="chart-key">
            <span className="chart-swatch" style={{ background: `var(${each.color})` }} aria-hidden="true" />
            {series.length > 1 && <span className="muted">{each.label}</span>}
            <span className="chart-value">{say(each.values[at], format)}</span>
          </span>
        ))}
      </figcaption>
      <div className="chart-place" ref={place} aria-hidden="true" />
      {times.length === 0 && <p className="chart-empty muted">{emptyText}</p>}
    </figure>
  );
}

/** A line shorter than this, in pixels of the canvas, is no line to the eye. */
const shortestLine = 4;

/** The last measurement of each run of them that is drawn too short to be seen, such as of the first second. */
function endsOfMoments(drawn: uPlot, series: number): number[] {
  const values = drawn.data[series] ?? [];
  const isThere = (at: number) => values[at] !== null && values[at] !== undefined;
  const x = (at: number) => drawn.valToPos(drawn.data[0][at] ?? 0, 'x', true);
  const ends: number[] = [];
  for (let at = 0, begun = 0; at < values.length; at += 1) {
    if (!isThere(at - 1)) begun = at;
    if (isThere(at) && !isThere(at + 1) && x(at) - x(begun) < shortestLine) ends.push(at);
  }
  return ends;
}

function say(value: number | null | undefined, format: (value: number) => string): string {
  return value === null || value === undefined ? '–' : format(value);
}

function toData(times: readonly number[], series: readonly ChartSeries[]): uPlot.AlignedData {
  return [[...times], ...series.map((each) => [...each.values])] as uPlot.AlignedData;
}

/** Canvas knows no `light-dark()`: the element's own colour is what the token means now. */
function resolveColor(element: HTMLElement, token: string): string {
  const probe = document.createElement('span');
  probe.style.color = `var(${token})`;
  element.append(probe);
  const color = getComputedStyle(probe).color;
  probe.remove();
  return color;
}

function translucent(color: string): string {
  return color.replace(/^rgb\((.*)\)$/, 'rgba($1, 0.12)');
}

/** Changes whenever the colours of the page do. */
function useColorScheme(): string {
  const [scheme, setScheme] = useState('');
  useEffect(() => {
    const dark = matchMedia('(prefers-color-scheme: dark)');
    const read = () => setScheme(`${dark.matches} ${document.documentElement.dataset.theme ?? ''}`);
    read();
    dark.addEventListener('change', read);
    const observer = new MutationObserver(read);
    observer.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] });
    return () => {
      dark.removeEventListener('change', read);
      observer.disconnect();
    };
  }, []);
  return scheme;
}
