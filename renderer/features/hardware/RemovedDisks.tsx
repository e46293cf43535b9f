import { Plug, Trash2 } from 'lucide-react';
import { useState } from 'react';
import type { GuesthouseError } from '../../../contract/errors.ts';
import type { RemovedDisk } from '../../../contract/guest-hardware.ts';
import { ErrorPanel } from '../../parts/ErrorPanel.tsx';
import { TimeText } from '../../parts/TimeText.tsx';
import { ask } from '../../state/ask.ts';
import { call } from '../../state/bridge.ts';
import { showToast } from '../../state/toasts.ts';
import { Button } from '../../ui/Button.tsx';
import { words } from '../../words/en.ts';
import { formatBytes } from '../../words/format.ts';
import type { Editor } from './use-editor.ts';

const w = words.hardware;

/** Disks that were taken out: they come back, or go for good. */
export function RemovedDisks({ editor }: { editor: Editor }) {
  return (
    <>
      <p className="muted">{w.removedDisksNote}</p>
      <ul className="hardware-removed" aria-label={w.items.removed}>
        {editor.removed.map((disk) => (
          <RemovedRow key={disk.file} disk={disk} editor={editor} />
        ))}
      </ul>
    </>
  );
}

function RemovedRow({ disk, editor }: { disk: RemovedDisk; editor: Editor }) {
  const [error, setError] = useState<GuesthouseError | null>(null);
  const [busy, setBusy] = useState(false);
  const { guest, denied } = editor;
  const { file, id, sizeBytes, realBytes, removedAt } = disk;
  const name = id === null ? file : w.disk(id);
  const remove = async () => {
    const sure = await ask({
      title: w.deleteDiskTitle(name),
      text: w.deleteDiskText(formatBytes(realBytes), guest.spec.name),
      confirmLabel: w.deleteDisk,
    });
    if (!sure) return;
    setBusy(true);
    const answer = await call('guest.deleteRemovedDisk', { guest: guest.id, file });
    setBusy(false);
    setError(answer.ok ? null : answer.error);
    if (!answer.ok) return;
    showToast({ tone: 'ok', title: w.diskDeleted(name) });
    editor.reloadRemoved();
  };
  return (
    <li className="hardware-removed-row">
      <div className="hardware-removed-head">
        <div className="grow">
          <div>{name}</div>
          <div className="small muted ellipsis" title={file}>
            {w.removedLine(formatBytes(sizeBytes), formatBytes(realBytes))} · <TimeText at={removedAt} />
          </div>
        </div>
        <span className="row hardware-removed-actions">
          <Button icon={Plug} kind="quiet" reason={denied} busy={editor.busy} onPress={() => void editor.attachRemoved(disk)}>
            {w.attachAgain}
          </Button>
          <Button icon={Trash2} kind="quiet" reason={denied} busy={busy} onPress={() => void remove()}>
            {w.deleteDiskAsk}
          </Button>
        </span>
      </div>
      {error && <ErrorPanel error={error} onDismiss={() => setError(null)} />}
    </li>
  );
}
