import { FolderOpen } from 'lucide-react';
import { shell } from '../state/bridge.ts';
import { showErrorToast } from '../state/toasts.ts';
import { Button } from '../ui/Button.tsx';
import type { FieldNoteLine } from '../ui/TextField.tsx';
import { TextField } from '../ui/TextField.tsx';
import { words } from '../words/en.ts';

type Props = {
  label: string;
  kind: 'iso' | 'disk' | 'any' | 'machine';
  value: string;
  onChange: (path: string) => void;
  notes?: readonly FieldNoteLine[];
  autoFocus?: boolean;
};

/** The path of an ISO, a disk image or a machine of another product: chosen in a dialog, dropped on the window, or typed. */
export function MediumPath({ label, kind, value, onChange, notes, autoFocus = false }: Props) {
  const browse = async () => {
    const answer = await shell('shell.chooseMedium', { kind });
    if (!answer.ok) showErrorToast(answer.error);
    else if (answer.value !== null) onChange(answer.value);
  };
  return (
    <TextField
      label={label}
      value={value}
      onChange={onChange}
      placeholder={words.create.filePlaceholder}
      direction="ltr"
      autoFocus={autoFocus}
      {...(notes ? { notes } : {})}
      end={
        <Button icon={FolderOpen} onPress={() => void browse()}>
          {words.common.browse}
        </Button>
      }
    />
  );
}
