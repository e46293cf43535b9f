import { Pencil, RotateCcw } from 'lucide-react';
import { type KeyboardEvent, type ReactNode, useEffect, useRef, useState } from 'react';
import type { GuesthouseError } from '../../../contract/errors.ts';
import { IconButton } from '../../ui/Button.tsx';
import { ComboBox, type Option, Select } from '../../ui/Select.tsx';
import { words } from '../../words/en.ts';

const w = words.images;

type Props = {
  label: string;
  /** What the pencil is called, when that is not the label. */
  editLabel?: string;
  /** As it is edited; empty when nothing is known. */
  text: string;
  /** As it is shown, when that is more than the text. */
  shown?: ReactNode;
  placeholder?: string;
  /** Choices, when it is one of a few; `choosable` lets other words be typed as well. */
  options?: readonly Option<string>[];
  choosable?: boolean;
  /** A line below. */
  note?: ReactNode;
  onSave: (text: string) => Promise<GuesthouseError | null>;
  /** Given for what a hand wrote over something that was read. */
  onAsRead?: () => void;
};

/** A fact with a pencil: edited in its place, kept by Enter or by leaving, forgotten by Escape; what does not fit is said below it. */
export function EditableFact({
  label,
  editLabel = w.editField(label),
  text,
  shown,
  placeholder,
  options,
  choosable = false,
  note,
  onSave,
  onAsRead,
}: Props) {
  const [editing, setEditing] = useState(false);
  const place = useRef<HTMLElement>(null);
  const close = () => {
    setEditing(false);
    // The field took the focus; its button has it back.
    requestAnimationFrame(() => place.current?.querySelector<HTMLElement>('.fact-edit')?.focus());
  };
  return (
    <div className="image-fact">
      <dt>{label}</dt>
      <dd ref={place}>
        {editing ? (
          <FactEditor
            label={label}
            text={text}
            onSave={onSave}
            onClose={close}
            {...(placeholder ? { placeholder } : {})}
            {...(options ? { options } : {})}
            choosable={choosable}
          />
        ) : (
          <div className="row fact-line">
            <span className="grow selectable">
              {text === '' ? <span className="faint">{w.notKnown}</span> : (shown ?? <bdi>{text}</bdi>)}
            </span>
            {onAsRead && <IconButton icon={RotateCcw} label={w.asReadNote} className="fact-edit-more" onPress={onAsRead} />}
            <IconButton icon={Pencil} label={editLabel} className="fact-edit" onPress={() => setEditing(true)} />
          </div>
        )}
        {note && <div className="small muted">{note}</div>}
      </dd>
    </div>
  );
}

type EditorProps = Pick<Props, 'label' | 'text' | 'placeholder' | 'options' | 'choosable' | 'onSave'> & { onClose: () => void };

function FactEditor({ label, text, placeholder, options, choosable, onSave, onClose }: EditorProps) {
  const [value, setValue] = useState(text);
  const [problem, setProblem] = useState<string | null>(null);
  const place = useRef<HTMLDivElement>(null);
  const settled = useRef(false);
  useEffect(() => {
    const field = place.current?.querySelector<HTMLElement>('input, button');
    field?.focus();
    if (field instanceof HTMLInputElement) field.select();
  }, []);

  const keep = async (next: string) => {
    if (settled.current) return;
    if (next.trim() === text) {
      settled.current = true;
      return onClose();
    }
    settled.current = true;
    const error = await onSave(next.trim());
    if (error === null) return onClose();
    settled.current = false;
    setProblem(problemText(error));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    event.stopPropagation();
    if (event.key === 'Enter' && (!options || choosable)) {
      event.preventDefault();
      void keep(value);
    }
    if (event.key === 'Escape') {
      settled.current = true;
      onClose();
    }
  };
  const notes = problem === null ? [] : [{ severity: 'problem' as const, text: problem }];
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the keys belong to the field inside
    <div
      ref={place}
      onKeyDown={onKeyDown}
      onBlur={(event) => {
        const stays = event.currentTarget.contains(event.relatedTarget) || event.relatedTarget?.closest('.popover');
        if (!stays && (!options || choosable)) void keep(value);
      }}
    >
      {options && !choosable ? (
        <Select label={label} hideLabel value={value} onChange={(next) => void keep(next)} options={options} notes={notes} />
      ) : options ? (
        <ComboBox label={label} hideLabel value={value} onChange={setValue} options={options} notes={notes} />
      ) : (
        <>
          <input
            className="input"
            dir="auto"
            aria-label={label}
            aria-invalid={problem !== null}
            value={value}
            placeholder={placeholder}
            onChange={(event) => {
              setValue(event.target.value);
              setProblem(null);
            }}
          />
          {problem !== null && (
            <span className="field-notes field-note-problem" role="alert">
              {problem}
            </span>
          )}
        </>
      )}
    </div>
  );
}

/** A call's complaint about a field names the field, which is in sight here; the sentence behind it is what counts. */
function problemText({ message, hint }: GuesthouseError): string {
  const [, reason = message] = /cannot be used: (.*)$/s.exec(message) ?? [];
  return hint ? `${reason} ${hint}` : reason;
}
