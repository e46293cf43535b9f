import { ChevronDown } from 'lucide-react';
import { useState } from 'react';
import { Link } from 'wouter';
import type { GuesthouseError, Result } from '../../../contract/errors.ts';
import { jobEnded } from '../../../contract/job.ts';
import type { StorageLocation, StoredGuest, StoredImageUse } from '../../../contract/storage.ts';
import { ErrorPanel } from '../../parts/ErrorPanel.tsx';
import { JobProgress } from '../../parts/JobProgress.tsx';
import { OsLogo } from '../../parts/OsLogo.tsx';
import { call } from '../../state/bridge.ts';
import { openMove } from '../../state/moving.ts';
import { useGuest, useImages, useJobs } from '../../state/store.ts';
import { Button } from '../../ui/Button.tsx';
import { MenuItem, MenuTrigger } from '../../ui/Menu.tsx';
import { words } from '../../words/en.ts';
import { formatBytes, formatList } from '../../words/format.ts';

const w = words.storage;
const imageWork: ReadonlySet<string> = new Set(['image.reclaim', 'image.move']);
const guestWork: ReadonlySet<string> = new Set(['guest.reclaim', 'guest.move']);

/** What one guest takes up. */
export function GuestSpace({ guest, locations }: { guest: StoredGuest; locations: readonly StorageLocation[] }) {
  const known = useGuest(guest.id);
  const [error, setError] = useState<GuesthouseError | null>(null);
  const job = useJobs().find((each) => guestWork.has(each.kind) && each.target.id === guest.id && !jobEnded.has(each.state));
  const own = guest.disks.filter((disk) => !disk.inPlace);
  const shared = own.reduce((sum, disk) => sum + disk.sharedRealBytes, 0);
  const lies = locations.find(({ id }) => id === guest.location);
  const removedBytes = guest.trashed ? 0 : guest.removedDisks.reduce((sum, { use }) => sum + use.realBytes, 0);
  const facts = [
    ...(guest.trashed ? [w.inTrash] : []),
    ...(lies ? [w.liesIn(lies.name)] : []),
    ...(lies && !lies.reachable ? [w.unreachable] : []),
    ...(own.length > 0 ? [w.upTo(formatBytes(own.reduce((sum, disk) => sum + disk.virtualBytes, 0)))] : []),
    ...(shared > 0 ? [w.shared(formatBytes(shared))] : []),
    ...(own.length < guest.disks.length ? [w.inPlace(guest.disks.length - own.length)] : []),
  ];
  const reclaim = async () => {
    const answer = await call('guest.reclaim', { guest: guest.id });
    setError(answer.ok ? null : answer.error);
  };
  return (
    <li className="storage-line">
      <div className="storage-head">
        {known && <OsLogo os={known.spec.os} size={24} />}
        <div className="grow">
          <div className="ellipsis" title={guest.name}>
            {guest.trashed ? (
              <bdi>{guest.name}</bdi>
            ) : (
              <Link href={`/guests/${guest.id}/overview`}>
                <bdi>{guest.name}</bdi>
              </Link>
            )}
          </div>
          <div className="small muted">
            {facts.join(' · ')}
            {removedBytes > 0 && (
              <>
                {facts.length > 0 && ' · '}
                <Link href={`/guests/${guest.id}/hardware`}>{w.removedDisks(guest.removedDisks.length, formatBytes(removedBytes))}</Link>
              </>
            )}
          </div>
        </div>
        <span className="storage-size">{formatBytes(guest.use.realBytes)}</span>
        {!guest.trashed && locations.length > 0 && (
          <Button kind="quiet" reason={guest.moveReason} busy={job !== undefined} onPress={() => openMove(guest)}>
            {w.moveMenu}
          </Button>
        )}
        {!guest.trashed && (
          <Button
            kind="quiet"
            reason={guest.reclaimReason}
            busy={job !== undefined}
            tooltip={known?.state.run ? w.reclaimRunning : w.reclaimOff}
            onPress={() => void reclaim()}
          >
            {w.reclaim}
          </Button>
        )}
      </div>
      {job && <JobProgress job={job} />}
      {error && <ErrorPanel error={error} onDismiss={() => setError(null)} />}
    </li>
  );
}

/** What one image takes up, and where. */
export function ImageSpace({ image, locations }: { image: StoredImageUse; locations: readonly StorageLocation[] }) {
  const known = useImages()[image.id];
  const [error, setError] = useState<GuesthouseError | null>(null);
  const job = useJobs().find((each) => imageWork.has(each.kind) && each.target.id === image.id && !jobEnded.has(each.state));
  const show = (answer: Result<unknown>) => setError(answer.ok ? null : answer.error);
  const lies = locations.find(({ id }) => id === image.location);
  const facts = [
    ...(lies ? [w.liesIn(lies.name)] : []),
    ...(image.dependants.length > 0 ? [w.neededBy(formatList(image.dependants))] : []),
  ];
  const moveTo = async (location: string | null) => show(await call('image.move', { image: image.id, location }));
  return (
    <li className="storage-line">
      <div className="storage-head">
        {known && <OsLogo os={known.os} size={24} />}
        <div className="grow">
          <div className="ellipsis" title={image.name}>
            <bdi>{image.name}</bdi>
          </div>
          {facts.length > 0 && (
            <div className="small muted ellipsis">
              <bdi>{facts.join(' · ')}</bdi>
            </div>
          )}
        </div>
        <span className="storage-size">{formatBytes(image.use.realBytes)}</span>
        {locations.length > 0 && (
          <MenuTrigger
            label={w.moveLabel(image.name)}
            placement="bottom end"
            button={
              <Button kind="quiet" endIcon={ChevronDown} busy={job !== undefined}>
                {w.move}
              </Button>
            }
          >
            <MenuItem id="home" reason={image.location === null ? w.isThere : null} onAction={() => void moveTo(null)}>
              {w.dataFolder}
            </MenuItem>
            {locations.map(({ id, name, reachable }) => (
              <MenuItem
                key={id}
                id={id}
                reason={image.location === id ? w.isThere : reachable ? null : w.unreachable}
                onAction={() => void moveTo(id)}
              >
                {name}
              </MenuItem>
            ))}
          </MenuTrigger>
        )}
        <Button
          kind="quiet"
          busy={job !== undefined}
          tooltip={w.reclaimImage}
          onPress={() => void call('image.reclaim', { image: image.id }).then(show)}
        >
          {w.reclaim}
        </Button>
      </div>
      {job && <JobProgress job={job} />}
      {error && <ErrorPanel error={error} onDismiss={() => setError(null)} />}
    </li>
  );
}
