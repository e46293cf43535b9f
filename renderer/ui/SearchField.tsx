import { Search, X } from 'lucide-react';
import type { Ref } from 'react';
import { SearchField as AriaSearchField, Button, Input } from 'react-aria-components';
import './fields.css';

type Props = {
  label: string;
  value: string;
  onChange: (value: string) => void;
  placeholder?: string;
  inputRef?: Ref<HTMLInputElement>;
  className?: string;
};

/** Text to look for; Escape clears it. */
export function SearchField({ label, value, onChange, placeholder, inputRef, className = '' }: Props) {
  return (
    <AriaSearchField className={`search ${className}`} aria-label={label} value={value} onChange={onChange}>
      <Search size={16} aria-hidden="true" />
      <Input
        className="input"
        dir="auto"
        {...(placeholder === undefined ? {} : { placeholder })}
        {...(inputRef === undefined ? {} : { ref: inputRef })}
      />
      <Button className="search-clear">
        <X size={16} aria-hidden="true" />
      </Button>
    </AriaSearchField>
  );
}
