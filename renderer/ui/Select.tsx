import { ChevronDown } from 'lucide-react';
import {
  ComboBox as AriaComboBox,
  Select as AriaSelect,
  Button,
  Input,
  Label,
  ListBox,
  ListBoxItem,
  Popover,
  SelectValue,
  Text,
} from 'react-aria-components';
import { type FieldCommon, FieldNotes, hasProblem } from './TextField.tsx';
import './fields.css';
import './Menu.css';

export type Option<Id extends string> = { id: Id; label: string; note?: string };

type SelectProps<Id extends string> = FieldCommon & {
  value: Id;
  onChange: (value: Id) => void;
  options: readonly Option<Id>[];
};

/** One of a few. */
export function Select<Id extends string>({ label, value, onChange, options, ...rest }: SelectProps<Id>) {
  return (
    <AriaSelect
      className="field"
      value={value}
      onChange={(key) => {
        const chosen = options.find((option) => option.id === key);
        if (chosen) onChange(chosen.id);
      }}
      isInvalid={hasProblem(rest.notes)}
      {...(rest.disabled ? { isDisabled: true } : {})}
      {...(rest.hideLabel ? { 'aria-label': label } : {})}
    >
      {!rest.hideLabel && <Label className="field-label">{label}</Label>}
      <Button className="select-button">
        <SelectValue className="select-value" />
        <ChevronDown size={16} aria-hidden="true" />
      </Button>
      <FieldNotes description={rest.description} notes={rest.notes} />
      <Popover className="popover select-popover">
        <ListBox className="menu">{options.map(optionItem)}</ListBox>
      </Popover>
    </AriaSelect>
  );
}

type ComboProps = FieldCommon & {
  value: string;
  onChange: (value: string) => void;
  options: readonly Option<string>[];
  mono?: boolean;
};

/** One of many, found by typing; what is not on the list can be typed too. */
export function ComboBox({ label, value, onChange, options, mono, ...rest }: ComboProps) {
  return (
    <AriaComboBox
      className="field"
      inputValue={value}
      onInputChange={onChange}
      allowsCustomValue
      menuTrigger="focus"
      isInvalid={hasProblem(rest.notes)}
      {...(rest.disabled ? { isDisabled: true } : {})}
      {...(rest.hideLabel ? { 'aria-label': label } : {})}
    >
      {!rest.hideLabel && <Label className="field-label">{label}</Label>}
      <div className="combo-group">
        <Input className={mono ? 'input mono' : 'input'} />
        <Button className="combo-button">
          <ChevronDown size={16} aria-hidden="true" />
        </Button>
      </div>
      <FieldNotes description={rest.description} notes={rest.notes} />
      <Popover className="popover select-popover">
        <ListBox className="menu">{options.map(optionItem)}</ListBox>
      </Popover>
    </AriaComboBox>
  );
}

function optionItem({ id, label, note }: Option<string>) {
  return (
    <ListBoxItem key={id} id={id} textValue={label} className="menu-item">
      <span className="menu-words">
        <Text slot="label">{label}</Text>
        {note && (
          <Text slot="description" className="menu-note">
            {note}
          </Text>
        )}
      </span>
    </ListBoxItem>
  );
}
