import { ArrowRight } from 'lucide-react';
import { useMemo, useState } from 'react';
import type { CallInput } from '../../contract/calls.ts';
import type { RebaseMove } from '../../contract/guest-clone.ts';
import type { GuestId } from '../../contract/ids.ts';
import { ErrorPanel } from '../parts/ErrorPanel.tsx';
import { JobProgress } from '../parts/JobProgress.tsx';
import { closeRebase, type Moving, rebaseGuests, useRebasing } from '../state/rebasing.ts';
import { useGuests, useImages, useJob } from '../state/store.ts';
import { useCall } from '../state/use-call.ts';
import { useSettled } from '../state/use-settled.ts';
import { Button } from '../ui/Button.tsx';
import { Dialog } from '../ui/Dialog.tsx';
import { Skeleton } from '../ui/feedback.tsx';
import { Checkbox } from '../ui/toggles.tsx';
import { cloneWords } from '../words/clone.ts';
import { words } from '../words/en.ts';
import './RebaseDialog.css';

const w = cloneWords;
/** Guests and images change in bursts. */
const quietMs = 300;

/** The dialog that `state/rebasing.ts` opened, when there is one. */
export function RebaseDialog() {
  const about = useRebasing((state) => state.about);
  return about ? <OpenDialog key={JSON.stringify(about)} about={about} /> : null;
}

/** Guests that could build upon another version, those that can chosen. Once begun, each shows its job; those that cannot say why. */
function OpenDialog({ about }: { about: CallInput<'guest.planRebase'> }) {
  const [left, setLeft] = useState<ReadonlySet<GuestId>>(new Set());
  const [begun, setBegun] = useState<readonly RebaseMove[] | null>(null);
  const [moving, setMoving] = useState<ReadonlyMap<GuestId, Moving>>(new Map());
  const guests = useGuests();
  const images = useImages();
  const known = useMemo(() => ({ guests, images }), [guests, images]);
  const plan = useCall('guest.planRebase', about, useSettled(known, quietMs));
  const moves = plan.value ?? [];
  const chosen = moves.filter(({ guest, problem }) => problem === null && !left.has(guest));
  const start = () => {
    setBegun(chosen);
    void rebaseGuests(chosen, (guest, now) => setMoving((before) => new Map(before).set(guest, now)));
  };
  const actions = begun ? (
    <Button onPress={closeRebase}>{words.common.close}</Button>
  ) : (
    <>
      <Button onPress={closeRebase}>{words.common.cancel}</Button>
      <Button kind="primary" reason={chosen.length === 0 ? w.rebaseNone : null} onPress={start}>
        {w.rebaseSubmit(chosen.length)}
      </Button>
    </>
  );
  return (
    <Dialog open title={w.rebaseTitle} onClose={closeRebase} closeLabel={words.common.close} width="wide" actions={actions}>
      <div className="stack">
        <p className="muted">{w.rebaseNote}</p>
        {begun ? (
          <ul className="rebase" aria-label={w.rebaseTitle}>
            {begun.map((move) => (
              <li key={move.guest}>
                <Moved move={move} moving={moving.get(move.guest)} />
              </li>
            ))}
          </ul>
        ) : plan.error ? (
          <ErrorPanel error={plan.error} />
        ) : !plan.value ? (
          <Skeleton height={96} />
        ) : moves.length === 0 ? (
          <p>{w.rebaseNothing}</p>
        ) : (
          <ul className="rebase" aria-label={w.rebaseTitle}>
            {moves.map((move) => (
              <li key={move.guest}>
                <Checkbox
                  label={move.name}
                  description={<Way move={move} />}
                  value={move.problem === null && !left.has(move.guest)}
                  disabled={move.problem !== null}
                  onChange={(isTaken) =>
                    setLeft((before) => new Set(isTaken ? [...before].filter((id) => id !== move.guest) : [...before, move.guest]))
                  }
                />
              </li>
            ))}
          </ul>
        )}
      </div>
    </Dialog>
  );
}

/** From which version to which, and why not. */
function Way({ move: { from, to, problem } }: { move: RebaseMove }) {
  return (
    <>
      <span className="rebase-way">
        <bdi>{versionOf(from)}</bdi>
        <ArrowRight size={14} aria-label={w.rebaseTo} />
        <bdi>{versionOf(to)}</bdi>
      </span>
      {problem && (
        <span className="rebase-problem">
          {problem.message} {problem.hint}
        </span>
      )}
    </>
  );
}

function versionOf({ imageName, series }: RebaseMove['from' | 'to']): string {
  return series ? words.images.seriesLine(series.name, series.version) : imageName;
}

function Moved({ move, moving }: { move: RebaseMove; moving: Moving | undefined }) {
  const job = useJob(moving && 'job' in moving ? moving.job : null);
  if (moving && 'error' in moving) return <ErrorPanel error={moving.error} title={move.name} />;
  return job ? <JobProgress job={job} /> : <bdi>{move.name}</bdi>;
}
