import { Disc, FileInput, HardDrive, Network, Plus, Undo2 } from 'lucide-react';
import { type FormEvent, useState } from 'react';
import type { Guest } from '../../../contract/guest-state.ts';
import type { GuestId } from '../../../contract/ids.ts';
import { ErrorPanel } from '../../parts/ErrorPanel.tsx';
import { useGuest } from '../../state/store.ts';
import { Button } from '../../ui/Button.tsx';
import { Notice } from '../../ui/feedback.tsx';
import { MenuItem, MenuTrigger } from '../../ui/Menu.tsx';
import { words } from '../../words/en.ts';
import { AddDiskDialog } from './AddDiskDialog.tsx';
import { CommandLine } from './CommandLine.tsx';
import { CdForm, DiskForm, NicForm } from './DeviceForms.tsx';
import { type ItemId, isEmptyDraft } from './draft.ts';
import { ArgumentsForm, DevicesForm, DisplayForm, MemoryForm, ProcessorForm, SystemForm } from './MachineForms.tsx';
import { PartList } from './PartList.tsx';
import { type Editor, useEditor } from './use-editor.ts';
import './hardware.css';

const w = words.hardware;

/** Every part of which a guest is built, to look at and to change. */
export function HardwareTab({ guestId }: { guestId: GuestId }) {
  const guest = useGuest(guestId);
  return guest ? <HardwareEditor guest={guest} /> : null;
}

function HardwareEditor({ guest }: { guest: Guest }) {
  const editor = useEditor(guest);
  const [wanted, setWanted] = useState<ItemId>('system');
  const [addingDisk, setAddingDisk] = useState<'empty' | 'file' | null>(null);
  const chosen = isThere(editor, wanted) ? wanted : 'system';
  const { spec } = guest;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void editor.apply();
  };
  return (
    <div className="hardware">
      <div className="hardware-side">
        <div className="hardware-tools">
          <MenuTrigger
            label={w.addMenu}
            button={
              <Button icon={Plus} reason={editor.denied} aria-haspopup="menu">
                {w.add}
              </Button>
            }
          >
            <MenuItem icon={HardDrive} onAction={() => setAddingDisk('empty')}>
              {w.addDisk}
            </MenuItem>
            <MenuItem icon={FileInput} onAction={() => setAddingDisk('file')}>
              {w.addDiskFile}
            </MenuItem>
            <MenuItem icon={Disc} onAction={() => void editor.make({ cdDrives: [...spec.cdDrives, {}] }, w.added)}>
              {w.addCd}
            </MenuItem>
            <MenuItem icon={Network} onAction={() => void editor.make({ nics: [...spec.nics, {}] }, w.added)}>
              {w.addNic}
            </MenuItem>
          </MenuTrigger>
          <Button
            icon={Undo2}
            kind="quiet"
            reason={editor.denied ?? (editor.canUndo ? null : w.undoNone)}
            busy={editor.busy}
            onPress={() => void editor.undo()}
          >
            {w.undo}
          </Button>
        </div>
        <PartList editor={editor} chosen={chosen} onChoose={setWanted} />
      </div>
      <form className="hardware-form" onSubmit={submit} aria-label={titleOf(chosen)}>
        <div className="hardware-scroll">
          <h2>{titleOf(chosen)}</h2>
          {editor.denied && <Notice tone="info" title={editor.denied} />}
          {editor.error && addingDisk === null && <ErrorPanel error={editor.error} title={w.failed} onDismiss={editor.dismiss} />}
          <PartForm editor={editor} chosen={chosen} />
        </div>
        <Footer editor={editor} />
      </form>
      {addingDisk && <AddDiskDialog editor={editor} from={addingDisk} onClose={() => setAddingDisk(null)} />}
    </div>
  );
}

function PartForm({ editor, chosen }: { editor: Editor; chosen: ItemId }) {
  const { shown, guest } = editor;
  const [list, id] = chosen.split('.');
  const disk = list === 'disks' ? shown.disks.find((one) => one.id === id) : undefined;
  if (disk) return <DiskForm key={chosen} editor={editor} disk={disk} />;
  const drive = list === 'cdDrives' ? shown.cdDrives.find((one) => one.id === id) : undefined;
  if (drive) return <CdForm key={chosen} editor={editor} drive={drive} />;
  const nic = list === 'nics' ? shown.nics.find((one) => one.id === id) : undefined;
  if (nic) return <NicForm key={chosen} editor={editor} nic={nic} />;
  switch (chosen) {
    case 'processor':
      return <ProcessorForm editor={editor} />;
    case 'memory':
      return <MemoryForm editor={editor} />;
    case 'display':
      return <DisplayForm editor={editor} />;
    case 'devices':
      return <DevicesForm editor={editor} />;
    case 'arguments':
      return <ArgumentsForm editor={editor} />;
    case 'command':
      return <CommandLine guest={guest} />;
    default:
      return <SystemForm editor={editor} />;
  }
}

/** What is about to be applied, or what waits; there only when there is something to say. */
function Footer({ editor }: { editor: Editor }) {
  const { planned, pending, draft } = editor;
  if (isEmptyDraft(draft)) {
    if (pending.length === 0) return null;
    return (
      <footer className="hardware-footer" role="status">
        <span className="timing timing-waits">{w.waitingTitle(pending.length)}</span>
      </footer>
    );
  }
  const now = planned.filter(({ when }) => when === 'now').length;
  return (
    <footer className="hardware-footer">
      <span className="muted" role="status">
        {planned.length > 0 ? w.summary(now, planned.length - now) : (editor.reason ?? '')}
      </span>
      <span className="row">
        <Button onPress={editor.discard}>{w.discard}</Button>
        <Button kind="primary" type="submit" reason={editor.reason} busy={editor.busy} placement="top">
          {w.apply}
        </Button>
      </span>
    </footer>
  );
}

function isThere({ shown }: Editor, item: ItemId): boolean {
  const [list, id] = item.split('.');
  if (list !== 'disks' && list !== 'cdDrives' && list !== 'nics') return true;
  return shown[list].some((one) => one.id === id);
}

function titleOf(item: ItemId): string {
  const [list = '', id = ''] = item.split('.');
  if (list === 'disks') return w.disk(id);
  if (list === 'cdDrives') return w.cd(id);
  if (list === 'nics') return w.nic(id);
  return w.items[item as keyof typeof w.items];
}
