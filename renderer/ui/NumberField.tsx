import { Minus, Plus } from 'lucide-react';
import { NumberField as AriaNumberField, Button, Group, Input, Label } from 'react-aria-components';
import { type FieldCommon, FieldNotes, hasProblem } from './TextField.tsx';
import './fields.css';

type Props = FieldCommon & {
  value: number;
  onChange: (value: number) => void;
  min: number;
  max: number;
  step?: number;
  /** "MiB": stands in the field behind the number. */
  unit?: string;
};

/** A whole number, by typing or by steps. Typed digits count at once, so that a form is checked as it is typed. */
export function NumberField({ label, value, onChange, min, max, step = 1, unit, ...rest }: Props) {
  return (
    <AriaNumberField
      className="field"
      value={value}
      onChange={(next) => Number.isFinite(next) && onChange(next)}
      minValue={min}
      maxValue={max}
      {...(step === 1 ? {} : { step, isWheelDisabled: true })}
      isInvalid={hasProblem(rest.notes)}
      formatOptions={{ useGrouping: false, maximumFractionDigits: 0 }}
      {...(rest.disabled ? { isDisabled: true } : {})}
      {...(rest.hideLabel ? { 'aria-label': label } : {})}
    >
      {!rest.hideLabel && <Label className="field-label">{unit ? `${label} (${unit})` : label}</Label>}
      <Group className="number-group">
        <Input className="input" />
        <Button slot="decrement" className="number-step">
          <Minus size={16} aria-hidden="true" />
        </Button>
        <Button slot="increment" className="number-step">
          <Plus size={16} aria-hidden="true" />
        </Button>
      </Group>
      <FieldNotes description={rest.description} notes={rest.notes} />
    </AriaNumberField>
  );
}
