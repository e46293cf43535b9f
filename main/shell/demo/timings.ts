/** The demo's table: what took how long. */

export class Timings {
  readonly #rows: [label: string, text: string][] = [];
  readonly #began: number;

  /** `began`: when everything began, as `performance.now()` counts. */
  constructor(began = 0) {
    this.#began = began;
  }

  /** Does the work and remembers how long it took, also when it fails. */
  async measure<T>(label: string, work: () => Promise<T>): Promise<T> {
    const began = performance.now();
    try {
      return await work();
    } finally {
      this.add(label, performance.now() - began);
    }
  }

  add(label: string, durationMs: number): void {
    this.#rows.push([label, formatDuration(durationMs)]);
  }

  format(): string {
    const rows = [...this.#rows, ['total', formatDuration(performance.now() - this.#began)] as const];
    const labelWidth = Math.max(...rows.map(([label]) => label.length));
    const textWidth = Math.max(...rows.map(([, text]) => text.length));
    return rows.map(([label, text]) => `${label.padEnd(labelWidth)}  ${text.padStart(textWidth)}`).join('\n');
  }
}

function formatDuration(durationMs: number): string {
  return durationMs < 1000 ? `${durationMs.toFixed(0)} ms` : `${(durationMs / 1000).toFixed(2)} s `;
}
