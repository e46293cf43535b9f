import { useMemo, useState } from 'react';
import type { GuesthouseError } from '../../contract/errors.ts';
import { type CloneRequest, cloneCountMax } from '../../contract/guest-clone.ts';
import type { Guest } from '../../contract/guest-state.ts';
import { ErrorPanel } from '../parts/ErrorPanel.tsx';
import { FormDialog } from '../parts/FormDialog.tsx';
import { closeClone, makeClones, useCloning } from '../state/cloning.ts';
import { useGuest } from '../state/store.ts';
import { useCall } from '../state/use-call.ts';
import { useSettled } from '../state/use-settled.ts';
import { Notice } from '../ui/feedback.tsx';
import { NumberField } from '../ui/NumberField.tsx';
import { TextField } from '../ui/TextField.tsx';
import { Checkbox, RadioGroup } from '../ui/toggles.tsx';
import { cloneWords } from '../words/clone.ts';
import { words } from '../words/en.ts';
import { formatBytes } from '../words/format.ts';
import './CloneDialog.css';

const w = cloneWords;
const namesShown = 6;

/** The dialog that `state/cloning.ts` opened, when there is one. */
export function CloneDialog() {
  const id = useCloning((state) => state.guest);
  const guest = useGuest(id ?? '');
  return guest ? <OpenDialog key={guest.id} guest={guest} /> : null;
}

/** How many clones, how their disks are made, and what tells them apart. The engine says with every change what would be made. */
function OpenDialog({ guest }: { guest: Guest }) {
  const [name, setName] = useState(`${guest.spec.name}-{n}`);
  const [count, setCount] = useState(1);
  const [share, setShare] = useState<boolean | null>(null);
  const [newIdentity, setNewIdentity] = useState<boolean | null>(null);
  const [keepTpm, setKeepTpm] = useState(false);
  const [keepSnapshot, setKeepSnapshot] = useState(false);
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState<GuesthouseError | null>(null);

  const request: CloneRequest = {
    guest: guest.id,
    name: name.trim(),
    count,
    ...(share === null ? {} : { share }),
    ...(newIdentity === null ? {} : { newIdentity }),
    ...(keepTpm ? { keepTpm } : {}),
    ...(keepSnapshot ? { keepSnapshot } : {}),
  };
  const question = JSON.stringify(request);
  const settled = useSettled(question, 150);
  const asked = useMemo(() => JSON.parse(settled) as CloneRequest, [settled]);
  const plan = useCall('guest.planClone', asked.name === '' ? null : asked);
  const error = plan.error;
  const known = plan.value;
  const isTemplate = guest.state.status === 'template';
  const reason =
    name.trim() === '' ? words.create.reasonChecking : (error?.message ?? (plan.loading || settled !== question ? w.checking : null));

  const submit = async () => {
    setBusy(true);
    const failed = await makeClones(request);
    setBusy(false);
    if (failed) setRefused(failed);
    else closeClone();
  };

  return (
    <FormDialog
      title={isTemplate ? w.templateTitle(guest.spec.name) : w.title(guest.spec.name)}
      submitLabel={w.submit(count)}
      reason={reason}
      busy={busy}
      onSubmit={submit}
      onClose={closeClone}
    >
      <div className="clone-names">
        <TextField
          label={w.name}
          value={name}
          onChange={setName}
          autoFocus
          description={w.nameNote}
          notes={error?.path === 'name' ? [{ severity: 'problem', text: error.message }] : []}
        />
        <NumberField
          label={w.count}
          value={count}
          min={1}
          max={cloneCountMax}
          onChange={(next) => setCount(Math.max(1, Math.min(next, cloneCountMax)))}
        />
      </div>
      <RadioGroup
        label={w.disks}
        value={(share ?? known?.share ?? true) ? 'share' : 'copy'}
        onChange={(way) => setShare(way === 'share')}
        options={[
          ...(known?.shareProblem ? [] : [{ id: 'share' as const, label: w.share, description: w.shareNote }]),
          ...(known?.copyProblem ? [] : [{ id: 'copy' as const, label: w.copy, description: known?.shareProblem ?? w.copyNote }]),
        ]}
      />
      <Checkbox
        label={w.identity}
        description={known?.identityProblem ?? w.identityNote}
        disabled={known !== null && known.identityProblem !== null}
        value={newIdentity ?? known?.newIdentity ?? false}
        onChange={setNewIdentity}
      />
      {known?.hasTpm && <Checkbox label={w.keepTpm} description={w.keepTpmNote} value={keepTpm} onChange={setKeepTpm} />}
      {known && known.moment !== 'off' && (
        <>
          <Checkbox label={w.keepSnapshot} description={w.keepSnapshotNote} value={keepSnapshot} onChange={setKeepSnapshot} />
          <Notice tone={known.moment === 'quiesced' ? 'info' : 'warning'} title={w.moments[known.moment].title}>
            <p className="muted">{w.moments[known.moment].text}</p>
          </Notice>
        </>
      )}
      {error && error.path !== 'name' && <ErrorPanel error={error} />}
      {refused && <ErrorPanel error={refused} onDismiss={() => setRefused(null)} />}
      {known && !error && (
        <section className="clone-preview" aria-label={w.preview}>
          <p>
            {known.names.slice(0, namesShown).map((each) => (
              <bdi key={each} className="clone-name">
                {each}
              </bdi>
            ))}
            {known.names.length > namesShown && <span className="muted">{w.more(known.names.length - namesShown)}</span>}
          </p>
          <p className="small muted">{[w.room(formatBytes(known.neededBytes)), ...known.notes].join(' ')}</p>
        </section>
      )}
    </FormDialog>
  );
}
