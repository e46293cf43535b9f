import { Minus, Plus } from 'lucide-react';
import { type KeyboardEvent, useEffect, useState } from 'react';
import { Button, Group, Input, Label, TextField } from 'react-aria-components';
import { type FieldCommon, FieldNotes, hasProblem } from './TextField.tsx';
import './fields.css';

type Props = FieldCommon & {
  value: number;
  onChange: (value: number) => void;
  min: number;
  max: number;
  /** How far the arrow keys and the two buttons go. Any whole number can be typed. */
  step?: number;
  /** "MiB": stands behind the label. */
  unit?: string;
  /** `typing`: every digit counts, for forms that are checked as they are filled in. `leaving`: a value counts when it is whole. */
  commit?: 'typing' | 'leaving';
};

/** A whole number, by typing or by steps. */
export function NumberField({ label, value, onChange, min, max, step = 1, unit, commit = 'typing', ...rest }: Props) {
  const [text, setText] = useState(String(value));
  useEffect(() => {
    // What is half typed stays; what came from elsewhere shows.
    setText((before) => (Number(before) === value && before !== '' ? before : String(value)));
  }, [value]);
  const parse = (typed: string) => (/^\d{1,9}$/.test(typed) ? Number(typed) : null);
  const clamp = (next: number) => Math.min(max, Math.max(min, next));
  const type = (typed: string) => {
    const digits = typed.replace(/\D/g, '').slice(0, 9);
    setText(digits);
    const number = parse(digits);
    if (commit === 'typing' && number !== null && number !== value) onChange(number);
  };
  const leave = () => {
    const number = parse(text);
    const next = number === null ? value : clamp(number);
    setText(String(next));
    if (next !== value) onChange(next);
  };
  const go = (by: number) => {
    const next = clamp((parse(text) ?? value) + by);
    setText(String(next));
    if (next !== value) onChange(next);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const by = { ArrowUp: step, ArrowDown: -step, PageUp: step * 4, PageDown: -step * 4 }[event.key];
    if (by !== undefined) {
      event.preventDefault();
      go(by);
    } else if (event.key === 'Enter' && commit === 'leaving') leave();
  };
  return (
    <TextField
      className="field"
      value={text}
      onChange={type}
      isInvalid={hasProblem(rest.notes)}
      {...(rest.disabled ? { isDisabled: true } : {})}
      {...(rest.hideLabel ? { 'aria-label': label } : {})}
    >
      {!rest.hideLabel && <Label className="field-label">{unit ? `${label} (${unit})` : label}</Label>}
      <Group className="number-group" isInvalid={hasProblem(rest.notes)}>
        <Input
          className="input"
          inputMode="numeric"
          autoComplete="off"
          role="spinbutton"
          aria-valuenow={value}
          aria-valuemin={min}
          aria-valuemax={max}
          onKeyDown={onKeyDown}
          onBlur={leave}
        />
        {/* For the pointer; the arrow keys do the same. */}
        <span className="number-steps" aria-hidden="true">
          <Button className="number-step" slot={null} excludeFromTabOrder preventFocusOnPress onPress={() => go(-step)}>
            <Minus size={16} />
          </Button>
          <Button className="number-step" slot={null} excludeFromTabOrder preventFocusOnPress onPress={() => go(step)}>
            <Plus size={16} />
          </Button>
        </span>
      </Group>
      <FieldNotes description={rest.description} notes={rest.notes} />
    </TextField>
  );
}
