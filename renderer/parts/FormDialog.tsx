import type { ReactNode } from 'react';
import { Button } from '../ui/Button.tsx';
import { Dialog } from '../ui/Dialog.tsx';
import { words } from '../words/en.ts';

/**
 * A dialog that asks for something and does it: by its button, or by Enter in a field, and once however often either is pressed.
 * `reason` says why it cannot be done yet.
 */
export function FormDialog({
  title,
  submitLabel,
  reason,
  busy = false,
  width,
  onSubmit,
  onClose,
  children,
}: {
  title: string;
  submitLabel: string;
  reason: string | null;
  busy?: boolean;
  width?: 'wide';
  onSubmit: () => Promise<void>;
  onClose: () => void;
  children: ReactNode;
}) {
  return (
    <Dialog
      open
      title={title}
      onClose={onClose}
      closeLabel={words.common.close}
      {...(width ? { width } : {})}
      actions={
        <>
          <Button onPress={onClose}>{words.common.cancel}</Button>
          <Button kind="primary" reason={reason} busy={busy} onPress={() => void onSubmit()}>
            {submitLabel}
          </Button>
        </>
      }
    >
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          if (reason === null && !busy) void onSubmit();
        }}
      >
        {children}
      </form>
    </Dialog>
  );
}
