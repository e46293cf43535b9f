import { useState } from 'react';
import type { NewDisk } from '../../../contract/guest-hardware.ts';
import { ErrorPanel } from '../../parts/ErrorPanel.tsx';
import { FormDialog } from '../../parts/FormDialog.tsx';
import { notesFor } from '../../parts/field-notes.ts';
import { MediumPath } from '../../parts/MediumPath.tsx';
import { useCall } from '../../state/use-call.ts';
import { useSettled } from '../../state/use-settled.ts';
import { NumberField } from '../../ui/NumberField.tsx';
import { Select } from '../../ui/Select.tsx';
import { words } from '../../words/en.ts';
import { optionsOf, TimingMark } from './fields.tsx';
import type { Editor } from './use-editor.ts';

const w = words.hardware;

/** Asks what a new disk is to be; the engine says meanwhile when the guest will have it. */
export function AddDiskDialog({ editor, from, onClose }: { editor: Editor; from: 'disk' | 'file'; onClose: () => void }) {
  const { spec } = editor.guest;
  const [sizeGiB, setSizeGiB] = useState(20);
  const [bus, setBus] = useState(spec.disks[0]?.bus ?? 'virtio');
  const [path, setPath] = useState('');
  const disk: NewDisk | null =
    from === 'disk' ? { sizeBytes: sizeGiB * 1024 ** 3, bus } : path.trim().startsWith('/') ? { path: path.trim(), bus } : null;
  const question = disk === null ? null : JSON.stringify(disk);
  const settled = useSettled(question, 200);
  const plan = useCall(
    'guest.planEdit',
    settled === null ? null : { guest: editor.guest.id, change: { disks: [...spec.disks, JSON.parse(settled)] } },
    spec,
  );
  const problem = plan.value?.notes.find(({ severity }) => severity === 'problem');
  const reason =
    editor.denied ??
    (disk === null
      ? words.create.reasonNoFile
      : (plan.error?.message ?? problem?.message ?? (settled !== question || plan.loading ? w.checking : null)));
  const added = plan.value?.changes.find(({ kind }) => kind === 'added');
  const add = async () => {
    if (disk !== null && (await editor.make({ disks: [...spec.disks, disk] }, w.added))) onClose();
  };
  return (
    <FormDialog title={w.newDiskTitle} submitLabel={w.addIt} reason={reason} busy={editor.busy} onSubmit={add} onClose={onClose}>
      {from === 'disk' ? (
        <NumberField
          label={w.newDiskSize}
          unit="GiB"
          value={sizeGiB}
          min={1}
          max={65_536}
          onChange={setSizeGiB}
          description={words.create.diskSizeNote}
        />
      ) : (
        <>
          <MediumPath
            label={w.newDiskFile}
            kind="disk"
            value={path}
            onChange={setPath}
            notes={notesFor(plan.value?.notes ?? [], 'disks')}
            autoFocus
          />
          <p className="muted">{w.newDiskFileNote}</p>
        </>
      )}
      <Select
        label={w.newDiskBus}
        value={bus}
        options={optionsOf(words.create.deviceNames)}
        onChange={setBus}
        description={added ? <TimingMark mark={{ kind: added.when, why: added.why }} /> : undefined}
      />
      {editor.error && <ErrorPanel error={editor.error} title={w.failed} onDismiss={editor.dismiss} />}
    </FormDialog>
  );
}
