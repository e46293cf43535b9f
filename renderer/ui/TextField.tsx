import type { ReactNode } from 'react';
import { TextField as AriaTextField, Input, Label, Text, TextArea } from 'react-aria-components';
import './fields.css';

export type FieldNoteLine = { severity: 'problem' | 'warning'; text: string };

export type FieldCommon = {
  label: string;
  /** Keeps the label for screen readers only. */
  hideLabel?: boolean;
  /** A line below the field that is always there. */
  description?: ReactNode;
  /** What does not fit, shown below the field. */
  notes?: readonly FieldNoteLine[];
  disabled?: boolean;
};

type TextFieldProps = FieldCommon & {
  value: string;
  onChange: (value: string) => void;
  onBlur?: () => void;
  placeholder?: string;
  autoFocus?: boolean;
  multiline?: boolean;
  rows?: number;
  /** What is typed is not shown. */
  secret?: boolean;
  /** Set for paths, addresses and code. */
  mono?: boolean;
  /** Text in the person's own language: its direction follows what is typed. */
  direction?: 'auto' | 'ltr';
  /** Something at the end of the field's line, a Browse button. */
  end?: ReactNode;
};

/** A line (or several) of text. */
export function TextField(props: TextFieldProps) {
  const { label, value, onChange, onBlur, placeholder, autoFocus, multiline, rows = 4, mono, direction = 'auto', end } = props;
  const input = {
    className: mono ? 'input mono' : 'input',
    dir: direction,
    spellCheck: multiline === true && !mono,
    ...(placeholder === undefined ? {} : { placeholder }),
  };
  return (
    <AriaTextField
      className="field"
      value={value}
      onChange={onChange}
      isInvalid={hasProblem(props.notes)}
      {...(props.secret === undefined ? {} : { type: props.secret ? 'password' : 'text', autoComplete: 'new-password' })}
      {...(onBlur ? { onBlur } : {})}
      {...(autoFocus ? { autoFocus } : {})}
      {...(props.disabled ? { isDisabled: true } : {})}
      {...(props.hideLabel ? { 'aria-label': label } : {})}
    >
      {!props.hideLabel && <Label className="field-label">{label}</Label>}
      <div className="field-line">
        {multiline ? <TextArea rows={rows} {...input} /> : <Input {...input} />}
        {end}
      </div>
      <FieldNotes description={props.description} notes={props.notes} />
    </AriaTextField>
  );
}

export function hasProblem(notes: readonly FieldNoteLine[] | undefined): boolean {
  return notes?.some((note) => note.severity === 'problem') ?? false;
}

/** What stands below a field; part of its description for screen readers. */
export function FieldNotes({ description, notes }: { description: ReactNode; notes: readonly FieldNoteLine[] | undefined }) {
  if (!description && !notes?.length) return null;
  return (
    <Text slot="description" className="field-notes">
      {notes?.map((note) => (
        <span key={note.text} className={`field-note field-note-${note.severity}`}>
          {note.text}
        </span>
      ))}
      {description && <span>{description}</span>}
    </Text>
  );
}
