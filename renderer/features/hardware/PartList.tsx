import type { LucideIcon } from 'lucide-react';
import {
  Cpu,
  Disc,
  FileCode,
  FolderSymlink,
  HardDrive,
  Joystick,
  MemoryStick,
  MessageSquareCode,
  Monitor,
  Network,
  ScrollText,
  Settings2,
  SquareTerminal,
  Unplug,
  Usb,
} from 'lucide-react';
import { Collection, Header, ListBox, ListBoxItem, ListBoxSection } from 'react-aria-components';
import type { RemovedDisk } from '../../../contract/guest-hardware.ts';
import type { GuestSpec } from '../../../contract/guest-spec.ts';
import type { Image } from '../../../contract/image.ts';
import { useImages } from '../../state/store.ts';
import { words } from '../../words/en.ts';
import { formatBytes, formatMiB } from '../../words/format.ts';
import { cpuLine, type ItemId, itemOf } from './draft.ts';
import type { Editor } from './use-editor.ts';

const w = words.hardware;
const h = words.guest.hardware;

type Part = { id: ItemId; icon: LucideIcon; title: string; line: string };
type PartGroup = { id: string; title: string; parts: Part[] };

const removedLine = (removed: readonly RemovedDisk[]): string =>
  w.removedDisks(removed.length, formatBytes(removed.reduce((sum, { realBytes }) => sum + realBytes, 0)));

/** Every part of the guest, as groups of lines. */
export function partsOf(spec: GuestSpec, images: Readonly<Record<string, Image>>, removed: readonly RemovedDisk[]): PartGroup[] {
  const cdLine = (medium: GuestSpec['cdDrives'][number]['medium']) =>
    medium === null
      ? w.empty
      : medium.kind === 'in-place'
        ? (medium.path.split('/').at(-1) ?? '')
        : (images[medium.imageId]?.name ?? w.missingImage);
  const groups: PartGroup[] = [
    {
      id: 'machine',
      title: w.groups.machine,
      parts: [
        { id: 'system', icon: Settings2, title: w.items.system, line: `${words.guest.firmwares[spec.firmware]}, ${spec.machine}` },
        { id: 'processor', icon: Cpu, title: w.items.processor, line: w.cpus(cpuLine(spec)) },
        { id: 'memory', icon: MemoryStick, title: w.items.memory, line: formatMiB(spec.memoryMiB) },
        { id: 'display', icon: Monitor, title: w.items.display, line: h.displays[spec.display.device] },
        { id: 'devices', icon: Joystick, title: w.items.devices, line: '' },
      ],
    },
    {
      id: 'storage',
      title: w.groups.storage,
      parts: [
        ...spec.disks.map(
          (disk): Part => ({
            id: `disks.${disk.id}`,
            icon: HardDrive,
            title: w.disk(disk.id),
            line: `${formatBytes(disk.sizeBytes)}, ${h.buses[disk.bus]}`,
          }),
        ),
        ...spec.cdDrives.map(
          (drive): Part => ({ id: `cdDrives.${drive.id}`, icon: Disc, title: w.cd(drive.id), line: cdLine(drive.medium) }),
        ),
        ...(removed.length === 0 ? [] : [{ id: 'removed' as const, icon: Unplug, title: w.items.removed, line: removedLine(removed) }]),
      ],
    },
    {
      id: 'network',
      title: w.groups.network,
      parts: spec.nics.map((nic): Part => ({ id: `nics.${nic.id}`, icon: Network, title: w.nic(nic.id), line: h.nics[nic.model] })),
    },
    {
      id: 'shared',
      title: w.groups.shared,
      parts: [
        ...spec.shares.map(
          (share): Part => ({ id: `shares.${share.id}`, icon: FolderSymlink, title: w.share(share.tag), line: share.path }),
        ),
        ...spec.usbDevices.map(
          (one): Part => ({
            id: `usbDevices.${one.id}`,
            icon: Usb,
            title: w.usb(`${one.vendorId}:${one.productId}`),
            line: one.port ?? w.usbPortAny,
          }),
        ),
      ],
    },
    {
      id: 'expert',
      title: w.groups.expert,
      parts: [
        {
          id: 'arguments',
          icon: ScrollText,
          title: w.items.arguments,
          line: spec.extraArguments.length > 0 ? spec.extraArguments.join(' ') : '',
        },
        { id: 'command', icon: SquareTerminal, title: w.items.command, line: '' },
        { id: 'qmp', icon: MessageSquareCode, title: w.items.qmp, line: '' },
        { id: 'xml', icon: FileCode, title: w.items.xml, line: '' },
      ],
    },
  ];
  return groups.filter(({ parts }) => parts.length > 0);
}

/** The list of parts: one is chosen, those with changes have a mark. */
export function PartList({ editor, chosen, onChoose }: { editor: Editor; chosen: ItemId; onChoose: (id: ItemId) => void }) {
  const images = useImages();
  const changed = new Set(Object.keys(editor.draft).length > 0 ? editor.planned.map(({ path }) => itemOf(path)) : []);
  const waiting = new Set(editor.pending.map(({ path }) => itemOf(path)));
  const wrong = new Set(editor.notes.flatMap(({ path, severity }) => (severity === 'problem' ? itemOf(path) : [])));
  const markOf = (id: ItemId) => (wrong.has(id) ? 'wrong' : changed.has(id) ? 'changed' : waiting.has(id) ? 'waits' : null);
  return (
    <ListBox
      className="hardware-parts"
      aria-label={w.list}
      selectionMode="single"
      disallowEmptySelection
      selectedKeys={[chosen]}
      onSelectionChange={(keys) => {
        const [key] = [...keys];
        if (key !== undefined) onChoose(key as ItemId);
      }}
      items={partsOf(editor.shown, images, editor.removed)}
      dependencies={[editor.shown, editor.planned, editor.pending, editor.notes, editor.removed, images]}
    >
      {(group) => (
        <ListBoxSection id={group.id}>
          <Header className="hardware-parts-title">{group.title}</Header>
          <Collection items={group.parts} dependencies={[editor.planned, editor.pending, editor.notes]}>
            {({ id, icon: Icon, title, line }) => {
              const mark = markOf(id);
              return (
                <ListBoxItem id={id} textValue={title} className="hardware-part">
                  <Icon size={16} aria-hidden="true" />
                  <span className="hardware-part-words">
                    <span>{title}</span>
                    {line && <span className="muted small ellipsis">{line}</span>}
                  </span>
                  {mark && (
                    <span className={`hardware-dot hardware-dot-${mark}`} role="img" aria-label={w.dots[mark]} title={w.dots[mark]} />
                  )}
                </ListBoxItem>
              );
            }}
          </Collection>
        </ListBoxSection>
      )}
    </ListBox>
  );
}
