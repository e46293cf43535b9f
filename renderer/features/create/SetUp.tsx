import { Eye, EyeOff } from 'lucide-react';
import { useId, useState } from 'react';
import type { SetupOffer } from '../../../contract/answers.ts';
import type { FieldNote } from '../../../contract/guest-creation.ts';
import { notesFor } from '../../parts/field-notes.ts';
import { IconButton } from '../../ui/Button.tsx';
import { Disclosure } from '../../ui/feedback.tsx';
import { ComboBox } from '../../ui/Select.tsx';
import { TextField } from '../../ui/TextField.tsx';
import { Switch } from '../../ui/toggles.tsx';
import { setupWords as w } from '../../words/setup.ts';
import { type SetupDraft, shownHostname } from './setup-draft.ts';

type Props = {
  offer: SetupOffer;
  /** Null: the person answers the installer. */
  draft: SetupDraft | null;
  guestName: string;
  /** Shown at a field only once something was typed in it, or creation was tried. */
  notes: readonly FieldNote[];
  onSwitch: (on: boolean) => void;
  onChange: (change: Partial<SetupDraft>) => void;
};

const zones = Intl.supportedValuesOf('timeZone').map((id) => ({ id, label: id }));
const layouts = 'be br ch cz de dk es fi fr gb gr hu it nl no pl pt ru se sk tr us'.split(' ').map((id) => ({ id, label: id }));

/** What a new system should know so that nobody has to answer its installer. */
export function SetUp({ offer, draft, guestName, notes, onSwitch, onChange }: Props) {
  const titleId = useId();
  const windows = offer.format === 'autounattend';
  return (
    <section className="create-group" aria-labelledby={titleId}>
      <h2 id={titleId}>{w.title}</h2>
      <Switch label={w.switch} description={w.texts[offer.format]} value={draft !== null} onChange={onSwitch} />
      {draft && (
        <>
          <div className="create-grid">
            <TextField
              label={w.user}
              value={draft.userName}
              onChange={(userName) => onChange({ userName })}
              notes={typed(draft.userName, notesFor(notes, 'setup.user.name'))}
              direction="ltr"
            />
            <TextField
              label={w.fullName}
              value={draft.fullName}
              onChange={(fullName) => onChange({ fullName })}
              notes={notesFor(notes, 'setup.user.fullName')}
              description={w.optional}
            />
            <Password
              value={draft.password}
              onChange={(password) => onChange({ password })}
              notes={typed(draft.userName, notesFor(notes, 'setup.user.password'))}
              description={windows ? w.passwordNoteWindows : w.passwordNote}
            />
            <TextField
              label={w.hostname}
              value={shownHostname(draft, guestName, offer.format)}
              onChange={(hostname) => onChange({ hostname })}
              notes={notesFor(notes, 'setup.hostname')}
              direction="ltr"
            />
            {!windows && (
              <div className="create-wide">
                <TextField
                  label={w.sshKeys}
                  multiline
                  mono
                  direction="ltr"
                  rows={2}
                  value={draft.sshKeys}
                  onChange={(sshKeys) => onChange({ sshKeys })}
                  notes={notesFor(notes, 'setup.user.sshKeys')}
                  description={w.sshKeysNote}
                />
              </div>
            )}
          </div>
          <Disclosure title={windows ? w.regionWindows : w.region}>
            <div className="create-grid">
              <TextField
                label={w.locale}
                value={draft.locale}
                onChange={(locale) => onChange({ locale })}
                notes={notesFor(notes, 'setup.locale')}
                direction="ltr"
              />
              <ComboBox
                label={w.timeZone}
                value={draft.timeZone}
                options={zones}
                onChange={(timeZone) => onChange({ timeZone })}
                notes={notesFor(notes, 'setup.timeZone')}
              />
              <ComboBox
                label={w.keyboard}
                value={draft.layout}
                options={layouts}
                onChange={(layout) => onChange({ layout })}
                notes={notesFor(notes, 'setup.keyboard.layout')}
              />
              <TextField
                label={w.variant}
                value={draft.variant}
                onChange={(variant) => onChange({ variant })}
                notes={notesFor(notes, 'setup.keyboard.variant')}
                description={w.optional}
                direction="ltr"
              />
              {!windows && (
                <div className="create-wide">
                  <TextField
                    label={w.packages}
                    value={draft.packages}
                    onChange={(packages) => onChange({ packages })}
                    notes={notesFor(notes, 'setup.packages')}
                    description={w.packagesNote}
                    direction="ltr"
                  />
                </div>
              )}
            </div>
          </Disclosure>
          {notesFor(notes, 'setup.firmware').map((line) => (
            <p key={line.text} className={`field-note field-note-${line.severity}`}>
              {line.text}
            </p>
          ))}
        </>
      )}
    </section>
  );
}

/** An empty form has no mistakes yet; the button says what is missing. */
function typed<Note>(begun: string, notes: readonly Note[]): readonly Note[] {
  return begun === '' ? [] : notes;
}

function Password({
  value,
  onChange,
  notes,
  description,
}: Pick<Parameters<typeof TextField>[0], 'value' | 'onChange' | 'notes' | 'description'>) {
  const [shown, setShown] = useState(false);
  return (
    <TextField
      label={w.password}
      value={value}
      onChange={onChange}
      secret={!shown}
      direction="ltr"
      {...(notes ? { notes } : {})}
      description={description}
      end={
        <IconButton
          icon={shown ? EyeOff : Eye}
          label={shown ? w.hidePassword : w.showPassword}
          pressed={shown}
          onPress={() => setShown(!shown)}
        />
      }
    />
  );
}
