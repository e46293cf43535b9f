import { Search, X } from 'lucide-react';
import { type KeyboardEvent, useMemo, useRef, useState } from 'react';
import { Autocomplete, Button, Input, Menu, MenuItem, SearchField } from 'react-aria-components';
import type { Facets } from '../../../contract/image-catalogue.ts';
import { parseImageQuery, suggestQuery } from '../../../contract/image-query.ts';
import { useSettled } from '../../state/use-settled.ts';
import { words } from '../../words/en.ts';

const w = words.images;
/** Who still types is not corrected. */
const problemAfterMs = 700;
const suggestionsShown = 9;

type Props = { value: string; onChange: (query: string) => void; facets: Facets | null };

/** The search, with what can follow at the caret, and what is wrong with it once the typing pauses. */
export function QuerySearch({ value, onChange, facets }: Props) {
  const [caret, setCaret] = useState<number | null>(null);
  const [isOpen, setOpen] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const { start, end, suggestions } = useMemo(() => suggestQuery(value, caret ?? value.length, facets ?? {}), [value, caret, facets]);
  const settled = useSettled(value, problemAfterMs);
  const problem = settled === value ? parseImageQuery(value).problem : null;
  const shown = isOpen ? suggestions.slice(0, suggestionsShown) : [];

  const take = (text: string) => {
    const isWhole = !/[:<>=,]$/.test(text);
    const rest = value.slice(end);
    const next = `${value.slice(0, start)}${text}${isWhole && rest === '' ? ' ' : ''}${rest}`;
    onChange(next);
    const at = start + text.length + (isWhole && rest === '' ? 1 : 0);
    setCaret(at);
    requestAnimationFrame(() => {
      input.current?.focus();
      input.current?.setSelectionRange(at, at);
    });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== 'Escape' || shown.length === 0) return;
    // The first Escape closes what is open; the next one clears the field.
    event.preventDefault();
    event.stopPropagation();
    setOpen(false);
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the keys belong to the field inside
    <div
      className="query"
      data-find=""
      onKeyDownCapture={onKeyDown}
      onBlur={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget)) setOpen(false);
      }}
    >
      <Autocomplete
        inputValue={value}
        onInputChange={(next) => {
          onChange(next);
          setCaret(input.current?.selectionStart ?? next.length);
          setOpen(true);
        }}
        disableAutoFocusFirst
      >
        <SearchField className="search" aria-label={w.searchLabel}>
          <Search size={16} aria-hidden="true" />
          <Input
            ref={input}
            className="input"
            dir="ltr"
            spellCheck={false}
            placeholder={w.searchPlaceholder}
            aria-invalid={problem !== null}
            onClick={() => setOpen(true)}
            onSelect={(event) => setCaret(event.currentTarget.selectionStart)}
          />
          <Button className="search-clear">
            <X size={16} aria-hidden="true" />
          </Button>
        </SearchField>
        {shown.length > 0 && (
          <Menu className="menu query-menu" aria-label={w.suggestions} onAction={(key) => take(String(key))}>
            {shown.map(({ text, about }) => (
              <MenuItem key={text} id={text} textValue={text} className="menu-item query-item">
                <code>{text}</code>
                <span className="menu-note">{about}</span>
              </MenuItem>
            ))}
          </Menu>
        )}
      </Autocomplete>
      {problem !== null && (
        <p className="query-problem small" role="alert">
          <span className="field-note-problem">{problem.message}</span> <span className="muted">{problem.hint}</span>
        </p>
      )}
    </div>
  );
}
