import { Trash2 } from 'lucide-react';
import type { ReactNode } from 'react';
import { notesFor } from '../../parts/field-notes.ts';
import { Button } from '../../ui/Button.tsx';
import type { FieldCommon } from '../../ui/TextField.tsx';
import { Switch } from '../../ui/toggles.tsx';
import { words } from '../../words/en.ts';
import { type Mark, markOf } from './draft.ts';
import type { Editor } from './use-editor.ts';

/** When a change takes effect, in a word; why not at once, in a sentence behind it. */
export function TimingMark({ mark }: { mark: Mark }) {
  const text = mark.kind === 'waits' ? words.hardware.waits : words.hardware.marks[mark.kind];
  return (
    <>
      <span className={`timing timing-${mark.kind}`}>{text}</span>
      {mark.why && <span className="timing-why"> {mark.why}</span>}
    </>
  );
}

/** What a field of the editor has besides its value: notes, its mark, and whether it can be used. */
export function fieldProps(editor: Editor, path: string, note?: ReactNode): Pick<FieldCommon, 'notes' | 'description' | 'disabled'> {
  return {
    notes: notesFor(editor.notes, path),
    description: described(editor, path, note),
    disabled: editor.denied !== null,
  };
}

function described(editor: Editor, path: string, note: ReactNode): ReactNode {
  const mark = markOf(path, editor.planned, editor.pending);
  if (!mark) return note;
  return (
    <>
      <TimingMark mark={mark} />
      {note && !mark.why && <> {note}</>}
    </>
  );
}

type SwitchProps = { editor: Editor; path: string; label: string; value: boolean; onChange: (on: boolean) => void; note?: string };

/** A switch with the notes of its field, for which it has no place of its own. */
export function SwitchField({ editor, path, label, value, onChange, note }: SwitchProps) {
  const notes = notesFor(editor.notes, path);
  const below = described(editor, path, note);
  return (
    <Switch
      label={label}
      value={value}
      onChange={onChange}
      disabled={editor.denied !== null}
      description={
        notes.length > 0 || below ? (
          <>
            {notes.map((line) => (
              <span key={line.text} className={`field-note field-note-${line.severity}`}>
                {line.text}
              </span>
            ))}
            {below && <span>{below}</span>}
          </>
        ) : undefined
      }
    />
  );
}

export function optionsOf<Id extends string>(labels: Readonly<Record<Id, string>>) {
  return (Object.keys(labels) as Id[]).map((id) => ({ id, label: labels[id] }));
}

/** A titled part of a form, in columns where there is room. */
export function FieldGroup({ title, children }: { title?: string; children: ReactNode }) {
  return (
    <section className="hardware-group">
      {title && <h3>{title}</h3>}
      <div className="hardware-grid">{children}</div>
    </section>
  );
}

export function RemoveButton({ editor, onRemove }: { editor: Editor; onRemove: () => Promise<boolean> }) {
  return (
    <div className="hardware-remove">
      <Button icon={Trash2} reason={editor.denied} busy={editor.busy} onPress={() => void onRemove()} placement="top">
        {words.hardware.removeDevice}
      </Button>
    </div>
  );
}
