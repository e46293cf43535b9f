/** What a run of the matrix found, for people. */

export type MatrixRow = {
  device: string;
  jpeg: string;
  zlib: string;
  streaming: string;
  workload: string;
  compression: string;
  /** PSNR of the worst look, infinite when each was exact. */
  ratioDb: number;
  /** What was wrong, or nothing. */
  fault: string;
  /** Messages of the display channel by name. */
  messages: Record<string, number>;
  /** Pictures by packing. */
  pictures: Record<string, number>;
  /** Pictures of videos that were left out. */
  dropped: number;
};

/** As Markdown: how exact each combination was, and what the server said meanwhile. */
export function tablesOf(device: string, rows: readonly MatrixRow[]): string {
  const servers = [...new Set(rows.map(serverOf))];
  const lines = [`## ${device}`, '', 'Exact: 0 pixels differ each time that the guest was still. Otherwise the smallest PSNR in dB.', ''];
  lines.push(`| workload | compression | ${servers.join(' | ')} |`, `| --- | --- |${servers.map(() => ' --- |').join('')}`);
  for (const [workload, ofWorkload] of groups(rows, (row) => row.workload))
    for (const [compression, ofBoth] of groups(ofWorkload, (row) => row.compression)) {
      const cells = servers.map((server) => {
        const row = ofBoth.find((candidate) => serverOf(candidate) === server);
        if (!row) return '';
        const figure = row.ratioDb === Number.POSITIVE_INFINITY ? 'exact' : row.ratioDb.toFixed(1);
        return row.fault ? `**${figure}: ${row.fault}**` : figure;
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
