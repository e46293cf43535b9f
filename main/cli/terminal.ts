/** What the command prints with: streams, colour, tables, JSON. One instance a run, so that tests can look at it. */
import type { GuesthouseError } from '../../contract/errors.ts';

export type Terminal = {
  json: boolean;
  /** Standard output is a terminal and NO_COLOR is not set. */
  colour: boolean;
  /** Standard error is a terminal, so that a line of it can be redrawn. */
  redraw: boolean;
  out(text: string): void;
  err(text: string): void;
};

type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow';
const codes: Record<Style, readonly [number, number]> = { bold: [1, 22], dim: [2, 22], red: [31, 39], green: [32, 39], yellow: [33, 39] };

export function styled(terminal: Terminal, style: Style, text: string): string {
  if (!terminal.colour) return text;
  const [on, off] = codes[style];
  return `\u001b[${on}m${text}\u001b[${off}m`;
}

/**
 * What people see in place of control characters: a guest's name, its serial output or an error's detail must not be
 * able to move the cursor or recolour the terminal.
 */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is being replaced
  return text.replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g, '�');
}

/** Prints `value` as JSON when asked to, else what `describe` makes of it. */
export function show<Value>(terminal: Terminal, value: Value, describe: (value: Value) => string): void {
  const text = terminal.json ? JSON.stringify(value, null, 2) : describe(value);
  if (text !== '') terminal.out(`${text}\n`);
}

/** One line of JSON, for streams of events and progress. */
export function showLine(terminal: Terminal, value: unknown): void {
  terminal.out(`${JSON.stringify(value)}\n`);
}

export type Column<Row> = { title: string; value(row: Row): string; align?: 'right' };

/** Columns separated by two spaces; the last is not padded. */
export function table<Row>(terminal: Terminal, rows: readonly Row[], columns: readonly Column<Row>[]): string {
  const cells = rows.map((row) => columns.map((column) => printable(column.value(row))));
  const widths = columns.map((column, index) => Math.max(width(column.title), ...cells.map((row) => width(row[index] ?? ''))));
  const line = (values: readonly string[]) =>
    values
      .map((value, index) => {
        const padding = ' '.repeat(Math.max(0, (widths[index] ?? 0) - width(value)));
        if (columns[index]?.align === 'right') return padding + value;
        return index === columns.length - 1 ? value : value + padding;
      })
      .join('  ')
      .trimEnd();
  const header = styled(terminal, 'bold', line(columns.map((column) => column.title)));
  return [header, ...cells.map(line)].join('\n');
}

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
const wide =
  /\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6]/u;

/** Cells that `text` takes in a terminal. */
export function width(text: string): number {
  let cells = 0;
  for (const { segment } of graphemes.segment(text)) cells += wide.test(segment) ? 2 : 1;
  return cells;
}

/** "Name: value" lines, aligned; values of null are left out. */
export function facts(entries: readonly (readonly [string, string | null])[]): string {
  const present = entries.filter((entry): entry is readonly [string, string] => entry[1] !== null);
  const longest = Math.max(0, ...present.map(([name]) => name.length));
  return present.map(([name, value]) => `${`${name}:`.padEnd(longest + 2)}${printable(value)}`).join('\n');
}

export function showError(terminal: Terminal, error: GuesthouseError): void {
  if (terminal.json) {
    terminal.err(`${JSON.stringify({ error })}\n`);
    return;
  }
  const lines = [`${styled(terminal, 'red', 'Error:')} ${printable(error.message)}`];
  if (error.hint) lines.push(printable(error.hint));
  if (error.detail) lines.push(...error.detail.split('\n').map((line) => styled(terminal, 'dim', `  ${printable(line)}`)));
  lines.push(styled(terminal, 'dim', `(${error.code})`));
  terminal.err(`${lines.join('\n')}\n`);
}
