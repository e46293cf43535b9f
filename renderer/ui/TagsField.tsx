import { type KeyboardEvent, useId, useState } from 'react';
import { Chip } from './Chip.tsx';
import './fields.css';

type Props = {
  label: string;
  value: readonly string[];
  onChange: (value: string[]) => void;
  placeholder: string;
  removeLabel: (tag: string) => string;
  maxLength: number;
  hideLabel?: boolean;
};

/** Short words in a row, each added with Enter or a comma, the last one taken back with Backspace. */
export function TagsField({ label, value, onChange, placeholder, removeLabel, maxLength, hideLabel = false }: Props) {
  const [typed, setTyped] = useState('');
  const id = useId();
  const add = () => {
    const tag = typed.trim().slice(0, maxLength);
    setTyped('');
    if (tag !== '' && !value.includes(tag)) onChange([...value, tag]);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Enter' || event.key === ',') {
      event.preventDefault();
      add();
    } else if (event.key === 'Backspace' && typed === '') {
      const rest = value.slice(0, -1);
      if (rest.length < value.length) onChange(rest);
    }
  };
  return (
    <div className="field">
      {!hideLabel && (
        <label className="field-label" htmlFor={id}>
          {label}
        </label>
      )}
      <div className="input tags-input">
        {value.map((tag) => (
          <Chip key={tag} label={tag} removeLabel={removeLabel(tag)} onRemove={() => onChange(value.filter((other) => other !== tag))} />
        ))}
        <input
          id={id}
          className="tags-type"
          dir="auto"
          value={typed}
          placeholder={placeholder}
          maxLength={maxLength}
          onChange={(event) => setTyped(event.target.value)}
          onKeyDown={onKeyDown}
          onBlur={add}
          {...(hideLabel ? { 'aria-label': label } : {})}
        />
      </div>
    </div>
  );
}
