import { X } from 'lucide-react';
import { type FormEvent, type ReactNode, useState } from 'react';
import { Dialog as AriaDialog, Heading, Modal, ModalOverlay } from 'react-aria-components';
import { Button, IconButton } from './Button.tsx';
import { TextField } from './TextField.tsx';
import './Dialog.css';

type DialogProps = {
  title: string;
  open: boolean;
  onClose: () => void;
  closeLabel: string;
  children: ReactNode;
  /** Buttons, the primary one last. */
  actions?: ReactNode;
  width?: 'narrow' | 'wide';
  role?: 'dialog' | 'alertdialog';
};

/** A modal dialog. Escape and a press outside close it. */
export function Dialog({ title, open, onClose, closeLabel, children, actions, width = 'narrow', role = 'dialog' }: DialogProps) {
  return (
    <ModalOverlay className="scrim" isOpen={open} onOpenChange={(isOpen) => !isOpen && onClose()} isDismissable={role === 'dialog'}>
      <Modal className={`modal modal-${width}`}>
        <AriaDialog className="dialog" role={role}>
          <header className="dialog-header">
            <Heading slot="title" className="dialog-title">
              {title}
            </Heading>
            <IconButton icon={X} label={closeLabel} onPress={onClose} />
          </header>
          <div className="dialog-body">{children}</div>
          {actions && <footer className="dialog-actions">{actions}</footer>}
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  );
}

type ConfirmProps = {
  open: boolean;
  title: string;
  /** What is lost. */
  children: ReactNode;
  confirmLabel: string;
  cancelLabel: string;
  closeLabel: string;
  /** When given, this text must be typed before the button works. */
  typeToConfirm?: { text: string; label: string; reason: string };
  onConfirm: () => void;
  onClose: () => void;
};

/** Asks before something that cannot be undone. */
export function ConfirmDialog({ open, ...rest }: ConfirmProps) {
  // The body is mounted only while it is open, so that what was typed is forgotten.
  return open ? <OpenConfirm {...rest} /> : null;
}

function OpenConfirm({
  title,
  children,
  confirmLabel,
  cancelLabel,
  closeLabel,
  typeToConfirm,
  onConfirm,
  onClose,
}: Omit<ConfirmProps, 'open'>) {
  const [typed, setTyped] = useState('');
  const reason = typeToConfirm && typed.trim() !== typeToConfirm.text.trim() ? typeToConfirm.reason : null;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (reason === null) onConfirm();
  };
  return (
    <Dialog
      title={title}
      open
      onClose={onClose}
      closeLabel={closeLabel}
      role="alertdialog"
      actions={
        <>
          <Button onPress={onClose} autoFocus={!typeToConfirm}>
            {cancelLabel}
          </Button>
          <Button kind="danger" reason={reason} onPress={onConfirm}>
            {confirmLabel}
          </Button>
        </>
      }
    >
      <form className="stack" onSubmit={submit}>
        {children}
        {typeToConfirm && <TextField label={typeToConfirm.label} value={typed} onChange={setTyped} autoFocus />}
      </form>
    </Dialog>
  );
}
