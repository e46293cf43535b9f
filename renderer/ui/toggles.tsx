import type { LucideIcon } from 'lucide-react';
import { Check, Minus } from 'lucide-react';
import type { ReactNode } from 'react';
import {
  Checkbox as AriaCheckbox,
  RadioGroup as AriaRadioGroup,
  Switch as AriaSwitch,
  Label,
  Radio,
  ToggleButton,
  ToggleButtonGroup,
} from 'react-aria-components';
import { WithTooltip } from './Tooltip.tsx';
import './fields.css';

type ToggleProps = {
  label: string;
  value: boolean;
  onChange: (value: boolean) => void;
  description?: ReactNode;
  disabled?: boolean;
};

/** On or off, at once. */
export function Switch({ label, value, onChange, description, disabled = false }: ToggleProps) {
  return (
    <AriaSwitch className="switch" isSelected={value} onChange={onChange} isDisabled={disabled}>
      <span className="switch-track" aria-hidden="true" />
      <span className="control-words">
        {label}
        {description && <span className="field-notes">{description}</span>}
      </span>
    </AriaSwitch>
  );
}

/** Chosen or not, to be sent with a form. */
export function Checkbox({ label, value, onChange, description, disabled = false }: ToggleProps) {
  return (
    <AriaCheckbox className="checkbox" isSelected={value} onChange={onChange} isDisabled={disabled}>
      <CheckboxBox />
      <span className="control-words">
        {label}
        {description && <span className="field-notes">{description}</span>}
      </span>
    </AriaCheckbox>
  );
}

/** The box by which a row of a list is selected. */
export function SelectionCheckbox({ className = '' }: { className?: string }) {
  return (
    <AriaCheckbox slot="selection" className={`checkbox ${className}`}>
      {({ isIndeterminate }) => <CheckboxBox mixed={isIndeterminate} />}
    </AriaCheckbox>
  );
}

function CheckboxBox({ mixed = false }: { mixed?: boolean }) {
  const Icon = mixed ? Minus : Check;
  return (
    <span className="checkbox-box" aria-hidden="true">
      <Icon size={12} strokeWidth={3} />
    </span>
  );
}

type RadioOption<Id extends string> = { id: Id; label: string; description?: string };

type RadioProps<Id extends string> = {
  label: string;
  value: Id;
  onChange: (value: Id) => void;
  options: readonly RadioOption<Id>[];
};

/** One of a few, each with its words. */
export function RadioGroup<Id extends string>({ label, value, onChange, options }: RadioProps<Id>) {
  return (
    <AriaRadioGroup
      className="radio-group"
      value={value}
      onChange={(id) => {
        const chosen = options.find((option) => option.id === id);
        if (chosen) onChange(chosen.id);
      }}
    >
      <Label className="field-label">{label}</Label>
      {options.map((option) => (
        <Radio key={option.id} value={option.id} className="radio">
          <span className="radio-dot" aria-hidden="true" />
          <span className="control-words">
            {option.label}
            {option.description && <span className="field-notes">{option.description}</span>}
          </span>
        </Radio>
      ))}
    </AriaRadioGroup>
  );
}

type SegmentedProps<Id extends string> = {
  label: string;
  value: Id;
  onChange: (value: Id) => void;
  options: readonly { id: Id; label: string; icon?: LucideIcon }[];
};

/** One of two or three, side by side. Options with an icon show only that; their label is the tooltip. */
export function Segmented<Id extends string>({ label, value, onChange, options }: SegmentedProps<Id>) {
  return (
    <ToggleButtonGroup
      className="segmented"
      aria-label={label}
      selectionMode="single"
      disallowEmptySelection
      selectedKeys={[value]}
      onSelectionChange={(keys) => {
        const chosen = options.find((option) => keys.has(option.id));
        if (chosen) onChange(chosen.id);
      }}
    >
      {options.map(({ id, label: text, icon: Icon }) =>
        Icon ? (
          <WithTooltip key={id} text={text}>
            <ToggleButton id={id} className="segment segment-icon" aria-label={text}>
              <Icon size={16} aria-hidden="true" />
            </ToggleButton>
          </WithTooltip>
        ) : (
          <ToggleButton key={id} id={id} className="segment">
            {text}
          </ToggleButton>
        ),
      )}
    </ToggleButtonGroup>
  );
}
