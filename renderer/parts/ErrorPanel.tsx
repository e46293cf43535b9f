import { X } from 'lucide-react';
import type { ReactNode } from 'react';
import type { GuesthouseError } from '../../contract/errors.ts';
import { copyText } from '../state/bridge.ts';
import { IconButton } from '../ui/Button.tsx';
import { CopyText, Notice } from '../ui/feedback.tsx';
import { words } from '../words/en.ts';
import { ProgramDetails } from './ProgramText.tsx';

type Props = {
  error: GuesthouseError;
  /** What was tried: "Could not start". */
  title?: string;
  actions?: ReactNode;
  onDismiss?: () => void;
};

/** An error where it arose: what happened, to what, what to do, the code to copy, and what the tool said on demand. */
export function ErrorPanel({ error, title, actions, onDismiss }: Props) {
  return (
    <Notice tone="problem" role="alert" title={title ?? error.message} {...(actions ? { actions } : {})}>
      {title && <p className="selectable">{error.message}</p>}
      {error.hint && <p className="muted selectable">{error.hint}</p>}
      <div className="row row-wrap small muted">
        <CopyText text={error.code} copyLabel={words.common.copyCode} copiedLabel={words.common.copied} onCopy={copyText} />
        {onDismiss && <IconButton icon={X} label={words.common.dismiss} onPress={onDismiss} />}
      </div>
      {error.detail && <ProgramDetails text={error.detail} />}
    </Notice>
  );
}
