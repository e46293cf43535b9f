/** One measured figure, always beside something it is compared with. */
export type Figure = {
  what: string;
  value: number;
  unit: 'ms' | 'MiB' | '% of a core' | 'frames/s' | 'MiB/s' | 'Mpixel/s';
  /** A peer, or a limit of this machine, measured in the same run; null where the comparison is with the aim alone. */
  beside: { what: string; value: number } | null;
  /** The most (or, with `atLeast`, the least) that `value`, or its ratio to `beside`, should be. */
  aim: { kind: 'value' | 'ratio'; limit: number; atLeast?: true } | null;
};

/** A measurement: a name for the command line and what it takes; throws `Skipped` when this machine cannot do it. */
export type Measure = {
  name: string;
  about: string;
  run(log: (line: string) => void): Promise<Figure[]>;
};

export class Skipped extends Error {
  override name = 'Skipped';
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The nearest-rank quantile; `share` 0 to 1. @throws RangeError without values */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const value = sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))];
  if (value === undefined) throw new RangeError('no values');
  return value;
}

/** Runs `action` and says how many milliseconds it took. */
export async function timed(action: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await action();
  return performance.now() - begun;
}

export function ratio(figure: Figure): number | null {
  return figure.beside && figure.beside.value > 0 ? figure.value / figure.beside.value : null;
}

/** Whether the aim was met; null without an aim or without what it needs. */
export function met({ value, aim, ...figure }: Figure): boolean | null {
  if (!aim) return null;
  const measured = aim.kind === 'value' ? value : ratio({ value, aim, ...figure });
  if (measured === null) return null;
  return aim.atLeast ? measured >= aim.limit : measured <= aim.limit;
}

/** The figures as a Markdown table. */
export function figuresTable(figures: readonly Figure[]): string {
  const rows = figures.map((figure) => {
    const times = ratio(figure);
    const verdict = met(figure);
    return [
      figure.what,
      `${round(figure.value)} ${figure.unit}`,
      figure.beside ? `${figure.beside.what}: ${round(figure.beside.value)} ${figure.unit}` : '',
      times === null ? '' : `${times.toFixed(2)}×`,
      aimText(figure),
      verdict === null ? '' : verdict ? 'met' : 'missed',
    ];
  });
  const head = ['what', 'measured', 'beside', 'ratio', 'aim', ''];
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

function aimText({ aim, unit }: Figure): string {
  if (!aim) return '';
  return `${aim.atLeast ? '≥' : '≤'} ${aim.limit}${aim.kind === 'ratio' ? '×' : ` ${unit}`}`;
}

function round(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 1 ? value.toFixed(1) : value.toFixed(2);
}
