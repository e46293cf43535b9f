import { Star } from 'lucide-react';
import { Link } from 'wouter';
import type { Guest } from '../../../contract/guest-state.ts';
import { InlineName } from '../../parts/InlineName.tsx';
import { OsLogo } from '../../parts/OsLogo.tsx';
import { TroubleButton } from '../../parts/TroubleButton.tsx';
import { words } from '../../words/en.ts';

/** A guest's name as a link to it, or as a field while it is renamed, with what belongs beside it. */
export function GuestName({ guest, renaming, onRenamed }: { guest: Guest; renaming: boolean; onRenamed: () => void }) {
  const { spec } = guest;
  return (
    <>
      <OsLogo os={spec.os} size={20} />
      {renaming ? (
        <InlineName guest={guest} onDone={onRenamed} />
      ) : (
        <Link href={`/guests/${guest.id}`} className="card-name ellipsis" title={spec.name}>
          <bdi>{spec.name}</bdi>
        </Link>
      )}
      {spec.favourite && <Star size={16} className="card-star" aria-label={words.guest.favourite} />}
      <TroubleButton guest={guest} />
    </>
  );
}
