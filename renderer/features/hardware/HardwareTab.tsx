import { Disc, FileInput, FolderSymlink, HardDrive, Network, Plus, Undo2, Usb } from 'lucide-react';
import { type FormEvent, useState } from 'react';
import { deviceLists } from '../../../contract/guest-hardware.ts';
import type { Guest } from '../../../contract/guest-state.ts';
import type { GuestId } from '../../../contract/ids.ts';
import { ErrorPanel } from '../../parts/ErrorPanel.tsx';
import { useGuest } from '../../state/store.ts';
import { Button } from '../../ui/Button.tsx';
import { Notice } from '../../ui/feedback.tsx';
import { MenuItem, MenuTrigger } from '../../ui/Menu.tsx';
import { words } from '../../words/en.ts';
import { AddDiskDialog } from './AddDiskDialog.tsx';
import { AddShareDialog } from './AddShareDialog.tsx';
import { AddUsbDialog } from './AddUsbDialog.tsx';
import { CommandLine, LibvirtXml } from './CommandLine.tsx';
import { CdForm, DiskForm, NicForm } from './DeviceForms.tsx';
import { type ItemId, isEmptyDraft } from './draft.ts';
import { ArgumentsForm, DevicesForm, DisplayForm, MemoryForm, ProcessorForm, SystemForm } from './MachineForms.tsx';
import { PartList } from './PartList.tsx';
import { QmpConsole } from './QmpConsole.tsx';
import { RemovedDisks } from './RemovedDisks.tsx';
import { ShareForm, UsbForm } from './SharedForms.tsx';
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
  const [adding, setAdding] = useState<'disk' | 'file' | 'share' | 'usb' | null>(null);
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
            <MenuItem icon={HardDrive} onAction={() => setAdding('disk')}>
              {w.addDisk}
            </MenuItem>
            <MenuItem icon={FileInput} onAction={() => setAdding('file')}>
              {w.addDiskFile}
            </MenuItem>
            <MenuItem icon={Disc} onAction={() => void editor.make({ cdDrives: [...spec.cdDrives, {}] }, w.added)}>
              {w.addCd}
            </MenuItem>
            <MenuItem icon={Network} onAction={() => void editor.make({ nics: [...spec.nics, {}] }, w.added)}>
              {w.addNic}
            </MenuItem>
            <MenuItem icon={FolderSymlink} onAction={() => setAdding('share')}>
              {w.addShare}
            </MenuItem>
            <MenuItem icon={Usb} onAction={() => setAdding('usb')}>
              {w.addUsb}
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
      <form className="hardware-form" onSubmit={submit} aria-label={titleOf(chosen, editor)}>
        <div className="hardware-scroll">
          <h2>{titleOf(chosen, editor)}</h2>
          {editor.denied && <Notice tone="info" title={editor.denied} />}
          {editor.error && adding === null && <ErrorPanel error={editor.error} title={w.failed} onDismiss={editor.dismiss} />}
          <PartForm editor={editor} chosen={chosen} />
        </div>
        <Footer editor={editor} />
      </form>
      {(adding === 'disk' || adding === 'file') && <AddDiskDialog editor={editor} from={adding} onClose={() => setAdding(null)} />}
      {adding === 'share' && <AddShareDialog editor={editor} onClose={() => setAdding(null)} />}
      {adding === 'usb' && <AddUsbDialog editor={editor} onClose={() => setAdding(null)} />}
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
  const share = list === 'shares' ? shown.shares.find((one) => one.id === id) : undefined;
  if (share) return <ShareForm key={chosen} editor={editor} share={share} />;
  const usb = list === 'usbDevices' ? shown.usbDevices.find((one) => one.id === id) : undefined;
  if (usb) return <UsbForm key={chosen} editor={editor} device={usb} />;
  switch (chosen) {
    case 'removed':
      return <RemovedDisks editor={editor} />;
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
    case 'qmp':
      return <QmpConsole guest={guest} />;
    case 'xml':
      return <LibvirtXml guest={guest} />;
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

function isThere({ shown, removed }: Editor, item: ItemId): boolean {
  if (item === 'removed') return removed.length > 0;
  const [list, id] = item.split('.');
  const devices = deviceLists.find((one) => one === list);
  return devices === undefined || shown[devices].some((one) => one.id === id);
}

function titleOf(item: ItemId, { shown }: Editor): string {
  const [list = '', id = ''] = item.split('.');
  if (list === 'disks') return w.disk(id);
  if (list === 'cdDrives') return w.cd(id);
  if (list === 'nics') return w.nic(id);
  if (list === 'shares') return w.share(shown.shares.find((one) => one.id === id)?.tag ?? id);
  if (list === 'usbDevices') {
    const usb = shown.usbDevices.find((one) => one.id === id);
    return w.usb(usb ? `${usb.vendorId}:${usb.productId}` : id);
  }
  return w.items[item as keyof typeof w.items];
}
