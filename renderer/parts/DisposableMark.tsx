import { Hourglass } from 'lucide-react';
import { Focusable } from 'react-aria-components';
import type { Guest } from '../../contract/guest-state.ts';
import { WithTooltip } from '../ui/Tooltip.tsx';
import { cloneWords } from '../words/clone.ts';
import './DisposableMark.css';

/** Says of a disposable guest that it goes when it ends; nothing of any other. `compact` shows the sign alone. */
export function DisposableMark({ guest, compact = false }: { guest: Guest; compact?: boolean }) {
  if (!guest.disposable) return null;
  return (
    <WithTooltip text={cloneWords.disposableNote}>
      <Focusable>
        <span
          className={compact ? 'disposable-mark disposable-mark-compact' : 'disposable-mark'}
          tabIndex={compact ? -1 : 0}
          role="note"
          aria-label={cloneWords.disposable}
        >
          <Hourglass size={12} aria-hidden="true" />
          {!compact && <span>{cloneWords.disposable}</span>}
        </span>
      </Focusable>
    </WithTooltip>
  );
}
