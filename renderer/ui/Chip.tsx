import { X } from 'lucide-react';
import { Button } from 'react-aria-components';
import './fields.css';

/** A short word that can be taken away. */
export function Chip({ label, removeLabel, onRemove }: { label: string; removeLabel?: string; onRemove?: () => void }) {
  return (
    <span className="tag">
      <bdi className="ellipsis" title={label}>
        {label}
      </bdi>
      {onRemove && (
        <Button className="tag-remove" aria-label={removeLabel ?? label} onPress={onRemove}>
          <X size={12} aria-hidden="true" />
        </Button>
      )}
    </span>
  );
}
