import { X } from 'lucide-react';
import type { ReactNode } from 'react';
import { IconButton } from '../ui/Button.tsx';
import './SelectionBar.css';

/** What can be done to all that is selected in a list, floating above its end. */
export function SelectionBar({
  label,
  count,
  clearLabel,
  onClear,
  children,
}: {
  label: string;
  /** "3 images selected" */
  count: string;
  clearLabel: string;
  onClear: () => void;
  children: ReactNode;
}) {
  return (
    <div className="selection-place">
      <div className="selection" role="toolbar" aria-label={label}>
        <span className="selection-count" role="status">
          {count}
        </span>
        {children}
        <IconButton icon={X} label={clearLabel} placement="top" onPress={onClear} />
      </div>
    </div>
  );
}
