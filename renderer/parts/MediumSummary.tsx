import type { GuesthouseError } from '../../contract/errors.ts';
import type { ImportReport } from '../../contract/image.ts';
import { Skeleton } from '../ui/feedback.tsx';
import { words } from '../words/en.ts';
import { formatBytes, formatList } from '../words/format.ts';
import { ErrorPanel } from './ErrorPanel.tsx';
import { OsLogo } from './OsLogo.tsx';
import './MediumSummary.css';

const w = words.create;

/** What a file turned out to be, and how that is known. */
export function MediumSummary({
  medium,
  loading,
  error,
}: {
  medium: ImportReport | null;
  loading: boolean;
  error: GuesthouseError | null;
}) {
  if (error) return <ErrorPanel error={error} />;
  if (!medium)
    return loading ? (
      <div className="medium" role="status" aria-label={w.reading}>
        <Skeleton width={40} height={40} round />
        <div className="stack grow">
          <Skeleton width="60%" />
          <Skeleton width="40%" />
        </div>
      </div>
    ) : null;
  const boots = [medium.bootable.bios ? words.guest.firmwares.bios : '', medium.bootable.uefi ? words.guest.firmwares.uefi : ''].filter(
    Boolean,
  );
  const facts = w.mediumFacts(medium.format, formatBytes(medium.fileSizeBytes), formatBytes(medium.virtualSizeBytes));
  return (
    <div className="medium selectable" role="status">
      <OsLogo os={medium.os} size={40} />
      <div className="grow">
        <div>{medium.recognisedBy === null ? w.notRecognised : w.recognised(medium.os.name, medium.recognisedBy)}</div>
        <div className="small muted">
          {facts}
          {boots.length > 0 && ` · ${w.bootsOn(formatList(boots))}`}
          {medium.label && (
            <>
              {' '}
              · <bdi>{medium.label}</bdi>
            </>
          )}
        </div>
        {medium.disks && (
          <ul className="small medium-disks" aria-label={w.becomesImages(medium.disks.length)}>
            {medium.disks.map(({ file, name, virtualSizeBytes }) => (
              <li key={file}>
                <bdi>{name}</bdi> <span className="muted">{w.diskOf(file, formatBytes(virtualSizeBytes))}</span>
              </li>
            ))}
          </ul>
        )}
        {medium.notes.map((note) => (
          <div key={note} className="small medium-note">
            {note}
          </div>
        ))}
      </div>
    </div>
  );
}
