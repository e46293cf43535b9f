import { FlaskConical, ImageOff, PackageOpen, Trash2, Undo2 } from 'lucide-react';
import { useState } from 'react';
import { useLocation } from 'wouter';
import type { GuesthouseError } from '../../../contract/errors.ts';
import type { GuestSnapshot } from '../../../contract/guest-snapshot.ts';
import { snapshotNameMaxLength } from '../../../contract/guest-snapshot.ts';
import { ErrorPanel } from '../../parts/ErrorPanel.tsx';
import { TimeText } from '../../parts/TimeText.tsx';
import { call } from '../../state/bridge.ts';
import { showErrorToast, showToast } from '../../state/toasts.ts';
import { useCall } from '../../state/use-call.ts';
import { Button } from '../../ui/Button.tsx';
import { TextField } from '../../ui/TextField.tsx';
import { words } from '../../words/en.ts';
import { formatBytes } from '../../words/format.ts';

const w = words.snapshots;

type Props = { snapshot: GuestSnapshot; onRevert: () => void; onOpen: () => void; onExport: () => void; onChanged: () => void };

/** What one snapshot kept, and what can be done with it. */
export function SnapshotDetails({ snapshot, onRevert, onOpen, onExport, onChanged }: Props) {
  const [, navigate] = useLocation();
  const [name, setName] = useState(snapshot.name);
  const [note, setNote] = useState(snapshot.note);
  const [error, setError] = useState<GuesthouseError | null>(null);
  const making = snapshot.state === 'making' ? w.stillMaking : null;
  const keep = async (change: { name?: string; note?: string }) => {
    const answer = await call('snapshot.edit', { snapshot: snapshot.id, ...change });
    setError(answer.ok ? null : answer.error);
    if (answer.ok) onChanged();
  };
  const openSnapshot = async () => {
    // Only then there is something to choose.
    if (snapshot.withMemory) return onOpen();
    const answer = await call('snapshot.open', { snapshot: snapshot.id });
    setError(answer.ok ? null : answer.error);
    if (answer.ok) navigate(`/guests/${answer.value.guest.id}`);
  };
  const keepName = () => {
    const wanted = name.trim();
    if (wanted === '' || wanted.length > snapshotNameMaxLength) setName(snapshot.name);
    else if (wanted !== snapshot.name) void keep({ name: wanted });
  };
  return (
    <section className="snapshots-details" aria-label={snapshot.name}>
      <Picture snapshot={snapshot} />
      <div className="row snapshots-verbs">
        <Button icon={Undo2} kind="primary" reason={making} onPress={onRevert}>
          {w.goBack}
        </Button>
        <Button icon={FlaskConical} reason={making} onPress={() => void openSnapshot()}>
          {snapshot.withMemory ? w.openAsk : w.open}
        </Button>
        <Button icon={PackageOpen} reason={making ?? (snapshot.disks.length === 0 ? w.noDisks : null)} onPress={onExport}>
          {w.export}
        </Button>
        <Button icon={Trash2} reason={making} onPress={() => void deleteSnapshot(snapshot)}>
          {w.delete}
        </Button>
      </div>
      {error && <ErrorPanel error={error} onDismiss={() => setError(null)} />}
      <TextField label={w.name} value={name} onChange={setName} onBlur={keepName} disabled={making !== null} />
      <TextField
        label={w.note}
        value={note}
        onChange={setNote}
        onBlur={() => note !== snapshot.note && void keep({ note })}
        placeholder={w.notePlaceholder}
        multiline
        rows={3}
        disabled={making !== null}
      />
      <dl className="snapshots-facts">
        <dt>{w.made}</dt>
        <dd>
          <TimeText at={snapshot.createdAt} />
          {w.reasons[snapshot.reason] && `, ${w.reasons[snapshot.reason]}`}
        </dd>
        <dt>{w.guestWas}</dt>
        <dd>{guestWas(snapshot)}</dd>
        <dt>{w.memory}</dt>
        <dd>{snapshot.withMemory ? w.memoryYes : w.memoryNo}</dd>
        <dt>{w.disks}</dt>
        <dd>
          {snapshot.disks.length === 0
            ? words.common.none
            : snapshot.disks.map(({ id, sizeBytes }) => (
                <div key={id}>
                  {id} · {formatBytes(sizeBytes)}
                </div>
              ))}
        </dd>
        <dt>{w.size}</dt>
        <dd>{w.sizeNote(formatBytes(snapshot.sizeBytes))}</dd>
      </dl>
    </section>
  );
}

function guestWas({ guestWas: was, quiesced, withMemory }: GuestSnapshot): string {
  if (was === 'off' || withMemory) return w.states[was];
  return `${w.states[was]}, ${quiesced ? w.quiesced : w.notQuiesced}`;
}

function Picture({ snapshot }: { snapshot: GuestSnapshot }) {
  const { value } = useCall('snapshot.thumbnail', snapshot.hasThumbnail ? { snapshot: snapshot.id } : null);
  return (
    <div className="snapshots-picture">
      {value?.pngBase64 ? (
        <img src={`data:image/png;base64,${value.pngBase64}`} alt={w.pictureOf(snapshot.name)} draggable={false} />
      ) : (
        <span className="snapshots-no-picture muted small">
          <ImageOff size={20} aria-hidden="true" />
          {w.noPicture}
        </span>
      )}
    </div>
  );
}

/** At once, with the way back in the message. */
async function deleteSnapshot({ id, name }: GuestSnapshot): Promise<void> {
  const answer = await call('snapshot.delete', { snapshot: id });
  if (!answer.ok) return showErrorToast(answer.error);
  showToast({
    tone: 'ok',
    title: w.deleted(name),
    action: {
      label: words.common.undo,
      run: () => void call('snapshot.restore', { snapshot: id }).then((back) => !back.ok && showErrorToast(back.error)),
    },
  });
}
