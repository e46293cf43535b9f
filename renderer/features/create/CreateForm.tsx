import { type FormEvent, useEffect, useMemo, useRef, useState } from 'react';
import { useLocation } from 'wouter';
import type { GuesthouseError } from '../../../contract/errors.ts';
import type { CreateChoices } from '../../../contract/guest-creation.ts';
import { cpuCount, type GuestSpec } from '../../../contract/guest-spec.ts';
import type { GuestId } from '../../../contract/ids.ts';
import type { Job } from '../../../contract/job.ts';
import { ErrorPanel } from '../../parts/ErrorPanel.tsx';
import { notesFor } from '../../parts/field-notes.ts';
import { MediumSummary } from '../../parts/MediumSummary.tsx';
import { PlaceSelect } from '../../parts/PlaceSelect.tsx';
import { call } from '../../state/bridge.ts';
import { startWhenCreated } from '../../state/start-when-created.ts';
import { useImages, useSettings } from '../../state/store.ts';
import { useCall } from '../../state/use-call.ts';
import { useSettled } from '../../state/use-settled.ts';
import { Button } from '../../ui/Button.tsx';
import { Disclosure, Skeleton } from '../../ui/feedback.tsx';
import { NumberField } from '../../ui/NumberField.tsx';
import { TagsField } from '../../ui/TagsField.tsx';
import { TextField } from '../../ui/TextField.tsx';
import { Switch } from '../../ui/toggles.tsx';
import { words } from '../../words/en.ts';
import { formatMiB } from '../../words/format.ts';
import { Creating } from './Creating.tsx';
import { buildSource, checkChoices, firstProblem, type SourceDraft, type SourceKind, shownHardware } from './create-choices.ts';
import { MoreHardware } from './MoreHardware.tsx';
import { SetUp } from './SetUp.tsx';
import { SourceFields } from './SourceFields.tsx';
import { checkSetup, type SetupDraft, usualSetup } from './setup-draft.ts';

const w = words.create;

type Props = { kind: SourceKind; path: string; imageId: string | null };

/** Everything that can be said about a new guest. The engine plans with every change; what it says stands at the fields. */
export function CreateForm({ kind, path, imageId }: Props) {
  const images = useImages();
  const [draft, setDraft] = useState<SourceDraft>(() => ({
    kind,
    path,
    inPlace: false,
    imageId: (imageId === null ? Object.values(images).find((image) => image.builtIn) : images[imageId])?.id ?? null,
  }));
  const [choices, setChoices] = useState<CreateChoices>({});
  const [setup, setSetup] = useState<SetupDraft | null>(null);
  const [startAfter, setStartAfter] = useState(true);
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState<GuesthouseError | null>(null);
  const [created, setCreated] = useState<{ guest: GuestId; name: string; job: Job } | null>(null);
  const [, navigate] = useLocation();

  const checked = useMemo(() => checkChoices(choices), [choices]);
  const source = buildSource(draft);
  const question = useMemo(() => (source ? JSON.stringify({ source, choices: checked.valid }) : null), [source, checked]);
  const settled = useSettled(question, 200);
  const plan = useCall('guest.plan', settled === null ? null : JSON.parse(settled));
  const { value: host } = useCall('host.report', {});
  const { value: places } = useCall('storage.places', {});
  const defaultPlace = useSettings().guestLocation;

  // A plan without a spec (a name that is taken) must not empty the form.
  const lastSpec = useRef<GuestSpec | null>(null);
  const spec = plan.value?.spec ?? lastSpec.current;
  useEffect(() => {
    if (plan.value?.spec) lastSpec.current = plan.value.spec;
  }, [plan.value]);

  const shown = shownHardware(choices, spec);
  const offer = plan.value?.setup ?? null;
  const answered = offer && setup ? checkSetup(setup, shown.name, offer.format, spec) : null;
  const notes = [...checked.notes, ...(plan.value?.notes ?? []), ...(answered?.notes ?? [])];
  const set = (change: CreateChoices) => setChoices((before) => ({ ...before, ...change }));
  const diskGiB = choices.diskGiB === undefined ? (plan.value?.diskGiB ?? null) : choices.diskGiB;

  const reason =
    source === null
      ? draft.kind === 'image'
        ? w.reasonNoImage
        : w.reasonNoFile
      : (plan.error?.message ?? firstProblem(notes) ?? (plan.loading || settled !== question ? w.reasonChecking : null));

  const create = async (event?: FormEvent) => {
    event?.preventDefault();
    if (reason !== null || busy || source === null) return;
    setBusy(true);
    const answer = await call('guest.create', { source, choices: checked.valid, ...(answered?.form ? { setup: answered.form } : {}) });
    setBusy(false);
    if (!answer.ok) return setRefused(answer.error);
    const { guest, job } = answer.value;
    if (startAfter) startWhenCreated(guest.id);
    setRefused(null);
    setCreated({ guest: guest.id, name: guest.spec.name, job });
  };

  if (created)
    return (
      <Creating
        {...created}
        onDone={() => navigate(`/guests/${created.guest}${startAfter ? '/console' : '/overview'}`, { replace: true })}
        onBack={() => setCreated(null)}
      />
    );

  return (
    <form className="create-form" onSubmit={(event) => void create(event)}>
      <div className="create-scroll">
        <div className="create-fields">
          <SourceFields draft={draft} onChange={setDraft} notes={notes} />
          <MediumSummary medium={plan.value?.medium ?? null} loading={plan.loading && source !== null} error={plan.error} />
          {refused && <ErrorPanel error={refused} onDismiss={() => setRefused(null)} />}
          {source !== null && !spec && plan.loading && <Skeleton height={160} round />}
          {spec && (
            <>
              <section className="create-group">
                <h2>{w.basics}</h2>
                <div className="create-grid">
                  <div className="create-wide">
                    <TextField label={w.name} value={shown.name} onChange={(name) => set({ name })} notes={notesFor(notes, 'name')} />
                  </div>
                  <NumberField
                    label={w.memory}
                    unit="MiB"
                    value={shown.memoryMiB}
                    min={16}
                    max={16_777_216}
                    step={256}
                    onChange={(memoryMiB) => set({ memoryMiB })}
                    notes={notesFor(notes, 'memoryMiB')}
                    {...(host ? { description: w.memoryNote(formatMiB(host.memoryFreeMiB)) } : {})}
                  />
                  <NumberField
                    label={w.cpus}
                    value={cpuCount(shown.cpu)}
                    min={1}
                    max={256}
                    onChange={(cores) => set({ cpu: { ...choices.cpu, sockets: 1, cores, threads: 1 } })}
                    notes={notesFor(notes, 'cpu')}
                    {...(host ? { description: w.cpusNote(host.cpus) } : {})}
                  />
                  {!(kind === 'disk' && draft.inPlace) && diskGiB !== null && (
                    <NumberField
                      label={w.diskSize}
                      unit="GiB"
                      value={diskGiB}
                      min={1}
                      max={65_536}
                      onChange={(size) => set({ diskGiB: size })}
                      notes={notesFor(notes, 'diskGiB')}
                      description={kind === 'iso' ? w.diskSizeNote : w.diskGrowNote}
                    />
                  )}
                  {typeof plan.value?.sharesImage === 'boolean' && (
                    <Switch
                      label={w.shareImage}
                      description={plan.value.sharesImage ? w.shareImageNote : w.copyImageNote}
                      value={choices.shareImage ?? plan.value.sharesImage}
                      onChange={(shareImage) => set({ shareImage })}
                    />
                  )}
                  {places && places.locations.length > 0 && (
                    <PlaceSelect
                      label={words.storage.place}
                      places={places}
                      value={choices.location === undefined ? defaultPlace : choices.location}
                      onChange={(location) => set({ location })}
                      notes={notesFor(notes, 'location')}
                    />
                  )}
                  {kind === 'iso' && (
                    <Switch
                      label={w.noDisk}
                      description={w.noDiskNote}
                      value={diskGiB === null}
                      onChange={(none) => {
                        if (none) return set({ diskGiB: null });
                        const { diskGiB: _none, ...rest } = choices;
                        setChoices(rest);
                      }}
                    />
                  )}
                </div>
              </section>
              {offer && (
                <SetUp
                  offer={offer}
                  draft={setup}
                  guestName={shown.name}
                  notes={notes}
                  onSwitch={(on) => setSetup(on ? usualSetup(navigator.language, Intl.DateTimeFormat().resolvedOptions().timeZone) : null)}
                  onChange={(change) => setSetup((before) => before && { ...before, ...change })}
                />
              )}
              <Disclosure title={w.notesTags}>
                <div className="stack">
                  <TextField label={words.guest.notes} multiline rows={3} value={shown.notes} onChange={(text) => set({ notes: text })} />
                  <TagsField
                    label={words.guest.tags}
                    value={shown.tags}
                    maxLength={40}
                    placeholder={words.guest.addTag}
                    removeLabel={words.common.remove}
                    onChange={(tags) => set({ tags })}
                  />
                </div>
              </Disclosure>
              <Disclosure title={w.moreHardware}>
                <MoreHardware
                  shown={shown}
                  notes={notes}
                  host={host}
                  hasDisk={diskGiB !== null || kind !== 'iso'}
                  changed={Object.keys(choices).length > 0}
                  onChange={set}
                  onReset={() => setChoices(choices.name === undefined ? {} : { name: choices.name })}
                />
              </Disclosure>
              <OtherNotes notes={notes} />
            </>
          )}
        </div>
      </div>
      <footer className="create-footer">
        <Switch label={w.startAfter} value={startAfter} onChange={setStartAfter} />
        <Button kind="primary" type="submit" reason={reason} busy={busy} placement="top">
          {startAfter ? w.createAndStart : w.create}
        </Button>
      </footer>
    </form>
  );
}

const fieldPaths =
  /^(setup\.|choices\.|source\.)?(hostname|user|locale|keyboard|timeZone|packages|name|memoryMiB|cpu|diskGiB|shareImage|path|imageId|machine|accelerator|firmware|tpm|clock|hypervEnlightenments|display|sound|watchdog|extraArguments|diskBus|diskCache|nicModel|network|forwards|location)\b/;

/** Notes on what has no field of its own, so that none is lost. */
function OtherNotes({ notes }: { notes: Parameters<typeof notesFor>[0] }) {
  const others = notes.filter((note) => !fieldPaths.test(note.path));
  if (others.length === 0) return null;
  return (
    <ul className="field-notes">
      {others.map((note) => (
        <li key={note.path + note.message} className={`field-note-${note.severity}`}>
          {note.message} {note.hint}
        </li>
      ))}
    </ul>
  );
}
