import type { StoragePurpose, StorageReport } from '../../../contract/storage.ts';
import { words } from '../../words/en.ts';
import { formatBytes } from '../../words/format.ts';

const w = words.storage;

/** Parts of the bar, each with the colour that means it everywhere on this page. */
const drawn: readonly StoragePurpose[] = ['guests', 'layers', 'images', 'trash', 'downloads'];
const small: readonly StoragePurpose[] = ['backups', 'database', 'cache', 'logs', 'other'];

/** The disk as one bar: what is ours by purpose, what is others', what is free; and the same in words. */
export function SpaceBar({ report }: { report: StorageReport }) {
  const realOf = (purpose: StoragePurpose) => report.purposes.find((row) => row.purpose === purpose)?.use.realBytes ?? 0;
  const rest = small.reduce((sum, purpose) => sum + realOf(purpose), 0);
  const parts = [
    ...drawn.map((purpose) => ({
      id: purpose as string,
      label: w.purposes[purpose],
      note: w.purposeNotes[purpose],
      bytes: realOf(purpose),
    })),
    { id: 'other', label: w.purposes.other, note: null, bytes: rest },
  ];
  const ours = parts.reduce((sum, part) => sum + part.bytes, 0);
  const elsewhere = Math.max(0, report.totalBytes - report.freeBytes - ours);
  const width = (bytes: number) => `${(bytes / Math.max(1, report.totalBytes)) * 100}%`;
  const said = w.ofTotal(formatBytes(report.freeBytes), formatBytes(report.totalBytes));
  return (
    <div className="stack">
      <div className="space-bar" role="img" aria-label={`${w.barLabel}: ${said}`}>
        {parts.map(({ id, label, bytes }) =>
          bytes > 0 ? (
            <span key={id} className={`space-part space-${id}`} style={{ width: width(bytes) }} title={`${label}: ${formatBytes(bytes)}`} />
          ) : null,
        )}
        <span
          className="space-part space-elsewhere"
          style={{ width: width(elsewhere) }}
          title={`${w.elsewhere}: ${formatBytes(elsewhere)}`}
        />
      </div>
      <p>
        {said}. <span className="muted">{w.keptFree(formatBytes(report.keepFreeBytes))}</span>
      </p>
      <dl className="space-legend">
        {parts.map(({ id, label, note, bytes }) => {
          const row = report.purposes.find((each) => each.purpose === id);
          return (
            <div key={id} {...(note ? { title: note } : {})}>
              <dt>
                <span className={`space-key space-${id}`} aria-hidden="true" />
                {label}
              </dt>
              <dd title={row ? w.holds(formatBytes(row.use.realBytes), formatBytes(row.use.apparentBytes)) : undefined}>
                {formatBytes(bytes)}
              </dd>
            </div>
          );
        })}
      </dl>
    </div>
  );
}
