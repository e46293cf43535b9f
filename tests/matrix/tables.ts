/** What runs of the matrix found: a line of JSON each, for the next run to go on from, and tables, for people. */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';

export type MatrixRow = {
  /** The hash of the client and of the workloads that it was found with. */
  sources: string;
  device: string;
  jpeg: string;
  zlib: string;
  streaming: string;
  workload: string;
  compression: string;
  /** PSNR of the worst look, null when each was exact. */
  ratioDb: number | null;
  /** PSNR of the screen itself when it is packed once as the server packs JPEG, the smallest for which that was asked; null where 38 dB were had. */
  jpegDb: number | null;
  /** What was wrong, or nothing. */
  fault: string;
  /** Messages of the display channel by name. */
  messages: Record<string, number>;
  /** Pictures by packing. */
  pictures: Record<string, number>;
  /** Pictures of videos that were left out. */
  dropped: number;
  /** How long the workload took, with all clients. */
  seconds: number;
};

/** The rows in the file that were found with the same sources, of each the last. A line that was cut short is none. */
export function readRows(file: string, sources: string): MatrixRow[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  const rows = lines.map((line) => JSON.parse(line) as MatrixRow).filter((row) => row.sources === sources);
  return [...new Map(rows.map((row) => [`${serverOf(row)} ${row.workload} ${row.compression}`, row])).values()];
}

export const appendRows = (file: string, rows: readonly MatrixRow[]) =>
  appendFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));

/** As Markdown: how exact each combination was, and what the server said meanwhile. */
export function tablesOf(device: string, rows: readonly MatrixRow[]): string {
  const servers = [...new Set(rows.map(serverOf))];
  const lines = [`## ${device}`, '', 'Exact: 0 pixels differ each time that the guest was still. Otherwise the smallest PSNR in dB.', ''];
  const minutes = [...Map.groupBy(rows, (row) => `${serverOf(row)} ${row.workload}`).values()]
    .map(([row]) => (row?.seconds ?? 0) / 60)
    .reduce((sum, each) => sum + each, 0);
  lines.push(`It took ${Math.round(minutes)} minutes.`, '');
  lines.push(`| workload | compression | ${servers.join(' | ')} |`, `| --- | --- |${servers.map(() => ' --- |').join('')}`);
  for (const [workload, ofWorkload] of groups(rows, (row) => row.workload))
    for (const [compression, ofBoth] of groups(ofWorkload, (row) => row.compression)) {
      const cells = servers.map((server) => {
        const row = ofBoth.find((candidate) => serverOf(candidate) === server);
        if (!row) return '';
        const figure =
          row.ratioDb === null ? 'exact' : `${row.ratioDb.toFixed(1)}${row.jpegDb === null ? '' : ` (JPEG ${row.jpegDb.toFixed(1)})`}`;
        return row.fault ? `**${figure}: ${row.fault.replaceAll(/\s+/g, ' ')}**` : figure;
      });
      lines.push(`| ${workload} | ${compression} | ${cells.join(' | ')} |`);
    }
  lines.push(
    '',
    'What the server said, all clients and options together:',
    '',
    '| workload | messages | pictures |',
    '| --- | --- | --- |',
  );
  for (const [workload, ofWorkload] of groups(rows, (row) => row.workload)) {
    const dropped = ofWorkload.reduce((sum, row) => sum + row.dropped, 0);
    const messages = listed(ofWorkload.map((row) => row.messages));
    lines.push(
      `| ${workload} | ${messages}${dropped > 0 ? `, ${dropped} pictures dropped` : ''} | ${listed(ofWorkload.map((row) => row.pictures))} |`,
    );
  }
  return `${lines.join('\n')}\n`;
}

const serverOf = ({ jpeg, zlib, streaming }: MatrixRow) => `jpeg ${jpeg}, zlib ${zlib}, video ${streaming}`;

function groups(rows: readonly MatrixRow[], key: (row: MatrixRow) => string): [string, MatrixRow[]][] {
  return [...Map.groupBy(rows, key)];
}

function listed(all: readonly Record<string, number>[]): string {
  const sums = new Map<string, number>();
  for (const each of all) for (const [name, count] of Object.entries(each)) sums.set(name, (sums.get(name) ?? 0) + count);
  return [...sums].map(([name, count]) => `${count} ${name}`).join(', ');
}
