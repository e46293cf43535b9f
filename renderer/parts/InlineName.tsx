import { type KeyboardEvent, useEffect, useRef, useState } from 'react';
import { guestNameProblem } from '../../contract/guest-spec.ts';
import type { Guest } from '../../contract/guest-state.ts';
import { renameGuest } from '../state/guest-verbs.ts';
import { words } from '../words/en.ts';
import './InlineName.css';

/** The name of a guest as a field in its place: Enter keeps it, Escape forgets it, and what does not fit is said below. */
export function InlineName({ guest, onDone }: { guest: Guest; onDone: () => void }) {
  const [name, setName] = useState(guest.spec.name);
  const [refused, setRefused] = useState<string | null>(null);
  const input = useRef<HTMLInputElement>(null);
  const settled = useRef(false);
  const problem = guestNameProblem(name) ?? refused;

  useEffect(() => {
    input.current?.focus();
    input.current?.select();
  }, []);

  const keep = async () => {
    if (settled.current || guestNameProblem(name) !== null) return;
    settled.current = true;
    const reason = await renameGuest(guest, name);
    if (reason === null) return onDone();
    settled.current = false;
    setRefused(reason);
    input.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    // The list around must not take letters and arrows for its own.
    event.stopPropagation();
    if (event.key === 'Enter') void keep();
    if (event.key === 'Escape') {
      settled.current = true;
      onDone();
    }
  };
  return (
    <span className="inline-name">
      <input
        ref={input}
        className="input"
        dir="auto"
        aria-label={words.library.renameLabel}
        aria-invalid={problem !== null}
        aria-errormessage={problem === null ? undefined : `${guest.id}-name-problem`}
        value={name}
        onChange={(event) => {
          setName(event.target.value);
          setRefused(null);
        }}
        onKeyDown={onKeyDown}
        onKeyUp={(event) => event.stopPropagation()}
        onPointerDown={(event) => event.stopPropagation()}
        onBlur={() => {
          if (guestNameProblem(name) === null) void keep();
          else onDone();
        }}
      />
      {problem !== null && (
        <span className="inline-name-problem" id={`${guest.id}-name-problem`} role="alert">
          {problem}
        </span>
      )}
    </span>
  );
}
