import { Check, Info, OctagonAlert, X } from 'lucide-react';
import { UNSTABLE_Toast as Toast, UNSTABLE_ToastContent as ToastContent, UNSTABLE_ToastRegion as ToastRegion } from 'react-aria-components';
import { toastQueue } from '../state/toasts.ts';
import { Button, IconButton } from '../ui/Button.tsx';
import { words } from '../words/en.ts';
import './Toasts.css';

const icons = { info: Info, ok: Check, problem: OctagonAlert };

/** Short messages in the corner; F6 moves the focus to them. */
export function Toasts() {
  return (
    <ToastRegion queue={toastQueue} className="toasts" aria-label={words.app.notifications}>
      {({ toast }) => {
        const { tone, title, text, action } = toast.content;
        const Icon = icons[tone];
        const button = action && (
          <Button
            slot={null}
            onPress={() => {
              action.run();
              toastQueue.close(toast.key);
            }}
          >
            {action.label}
          </Button>
        );
        return (
          <Toast toast={toast} className={`toast toast-${tone}`}>
            <Icon size={16} aria-hidden="true" />
            <ToastContent className="toast-words">
              <span className="toast-title">{title}</span>
              {text && <span className="muted toast-text">{text}</span>}
              {text && button}
            </ToastContent>
            {!text && button}
            <IconButton icon={X} label={words.common.close} slot="close" />
          </Toast>
        );
      }}
    </ToastRegion>
  );
}
