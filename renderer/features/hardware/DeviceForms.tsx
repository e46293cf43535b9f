import { Disc, Trash2 } from 'lucide-react';
import { useState } from 'react';
import type { CdDrive, Disk, Nic } from '../../../contract/guest-spec.ts';
import type { ImageId } from '../../../contract/ids.ts';
import { notesFor } from '../../parts/field-notes.ts';
import { MediumPath } from '../../parts/MediumPath.tsx';
import { PortForwards } from '../../parts/PortForwards.tsx';
import { useImages } from '../../state/store.ts';
import { Button } from '../../ui/Button.tsx';
import { NumberField } from '../../ui/NumberField.tsx';
import { Select } from '../../ui/Select.tsx';
import { TextField } from '../../ui/TextField.tsx';
import { words } from '../../words/en.ts';
import { formatBytes } from '../../words/format.ts';
import { FieldGroup, fieldProps, optionsOf, RemoveButton, SwitchField } from './fields.tsx';
import type { Editor } from './use-editor.ts';

const w = words.hardware;
const h = words.guest.hardware;
const c = words.create;
const gib = 1024 ** 3;
const mib = 1024 ** 2;

/** Places in the boot order that can be chosen, and none. */
function BootPlace({
  editor,
  path,
  value,
  onChange,
}: {
  editor: Editor;
  path: string;
  value: number | null;
  onChange: (place: number | null) => void;
}) {
  const { disks, cdDrives, nics } = editor.shown;
  const count = Math.max(disks.length + cdDrives.length + nics.length, value ?? 0);
  const places = Array.from({ length: count }, (_, index) => ({ id: String(index + 1), label: w.bootPlace(index + 1) }));
  return (
    <Select
      label={w.boot}
      value={value === null ? 'none' : String(value)}
      options={[{ id: 'none', label: w.bootNone }, ...places]}
      onChange={(place) => onChange(place === 'none' ? null : Number(place))}
      {...fieldProps(editor, path)}
    />
  );
}

export function DiskForm({ editor, disk }: { editor: Editor; disk: Disk }) {
  const path = `disks.${disk.id}`;
  const change = (part: Partial<Disk>) =>
    editor.set({ disks: editor.shown.disks.map((one) => (one.id === disk.id ? { ...one, ...part } : one)) });
  const { limits } = disk;
  const limited = limits.bytesPerSecond !== null || limits.operationsPerSecond !== null;
  const inPlace = disk.location.kind === 'in-place';
  const remove = () => void editor.make({ disks: editor.guest.spec.disks.filter((one) => one.id !== disk.id) }, w.removed(disk.id));
  return (
    <>
      <p className="muted mono selectable hardware-file">
        {disk.location.kind === 'in-place' ? `${disk.location.path} (${h.inPlace})` : `${disk.location.file} (${h.inStore})`} ·{' '}
        {disk.format}
      </p>
      <FieldGroup>
        {inPlace ? (
          <TextField label={w.size} value={formatBytes(disk.sizeBytes)} onChange={() => undefined} disabled description={w.inPlaceNote} />
        ) : (
          <NumberField
            label={w.size}
            unit="GiB"
            value={Math.ceil(disk.sizeBytes / gib)}
            min={1}
            max={65_536}
            onChange={(sizeGiB) => change({ sizeBytes: Math.max(sizeGiB * gib, disk.sizeBytes % gib === 0 ? 0 : disk.sizeBytes) })}
            {...fieldProps(editor, `${path}.sizeBytes`, w.sizeNote)}
          />
        )}
        <BootPlace editor={editor} path={`${path}.bootOrder`} value={disk.bootOrder} onChange={(bootOrder) => change({ bootOrder })} />
        <Select
          label={c.bus}
          value={disk.bus}
          options={optionsOf(c.deviceNames)}
          onChange={(bus) => change({ bus })}
          {...fieldProps(editor, `${path}.bus`)}
        />
        <Select
          label={c.cache}
          value={disk.cache}
          options={optionsOf(c.cacheNames)}
          onChange={(cache) => change({ cache })}
          {...fieldProps(editor, `${path}.cache`)}
        />
        <SwitchField
          editor={editor}
          path={`${path}.discard`}
          label={w.discards}
          note={w.discardsNote}
          value={disk.discard}
          onChange={(discard) => change({ discard })}
        />
        <SwitchField
          editor={editor}
          path={`${path}.readOnly`}
          label={w.readOnly}
          value={disk.readOnly}
          onChange={(readOnly) => change({ readOnly })}
        />
        <SwitchField
          editor={editor}
          path={`${path}.iothread`}
          label={w.iothread}
          value={disk.iothread}
          onChange={(iothread) => change({ iothread })}
        />
      </FieldGroup>
      <FieldGroup>
        <SwitchField
          editor={editor}
          path={`${path}.limits`}
          label={w.limit}
          note={w.limitNote}
          value={limited}
          onChange={(on) =>
            change({
              limits: on ? { bytesPerSecond: 100 * mib, operationsPerSecond: null } : { bytesPerSecond: null, operationsPerSecond: null },
            })
          }
        />
        {limited && (
          <>
            <NumberField
              label={w.bytesLimit}
              unit="MiB"
              value={limits.bytesPerSecond === null ? 0 : Math.max(1, Math.round(limits.bytesPerSecond / mib))}
              min={0}
              max={953_674}
              step={10}
              onChange={(rate) => change({ limits: { ...limits, bytesPerSecond: rate === 0 ? null : rate * mib } })}
              description={w.noLimit}
            />
            <NumberField
              label={w.operationsLimit}
              value={limits.operationsPerSecond ?? 0}
              min={0}
              max={100_000_000}
              step={100}
              onChange={(rate) => change({ limits: { ...limits, operationsPerSecond: rate === 0 ? null : rate } })}
              description={w.noLimit}
            />
          </>
        )}
      </FieldGroup>
      <div className="hardware-remove">
        <Button icon={Trash2} reason={editor.denied} busy={editor.busy} onPress={remove} placement="top">
          {w.removeDisk}
        </Button>
        <span className="muted">{w.removeDiskNote}</span>
      </div>
    </>
  );
}

export function CdForm({ editor, drive }: { editor: Editor; drive: CdDrive }) {
  const images = useImages();
  const [file, setFile] = useState('');
  const [imageId, setImageId] = useState<string>('');
  const path = `cdDrives.${drive.id}`;
  const isos = Object.values(images).filter(({ kind }) => kind === 'iso');
  const { medium } = drive;
  const held = medium === null ? w.empty : medium.kind === 'in-place' ? medium.path : (images[medium.imageId]?.name ?? w.missingImage);
  const drives = (next: Partial<CdDrive>) => editor.guest.spec.cdDrives.map((one) => (one.id === drive.id ? { ...one, ...next } : one));
  const change = (part: Partial<CdDrive>) =>
    editor.set({ cdDrives: editor.shown.cdDrives.map((one) => (one.id === drive.id ? { ...one, ...part } : one)) });
  const insert = async () => {
    const next: CdDrive['medium'] =
      file.trim() === '' ? { kind: 'image', imageId: imageId as ImageId } : { kind: 'in-place', path: file.trim() };
    if (!(await editor.make({ cdDrives: drives({ medium: next }) }, w.inserted))) return;
    setFile('');
    setImageId('');
  };
  const insertReason = editor.denied ?? (file.trim() === '' && imageId === '' ? w.chooseMedium : null);
  return (
    <>
      <section className="hardware-group">
        <h3>{w.medium}</h3>
        <div className="hardware-medium">
          <Disc size={20} aria-hidden="true" />
          <bdi className="selectable hardware-held" title={held}>
            {held}
          </bdi>
          <Button
            reason={editor.denied ?? (medium === null ? w.ejectNone : null)}
            busy={editor.busy}
            onPress={() => void editor.make({ cdDrives: drives({ medium: null }) }, w.ejected)}
          >
            {w.eject}
          </Button>
        </div>
        <div className="hardware-grid">
          {isos.length > 0 && (
            <Select
              label={w.insertImage}
              value={imageId}
              options={isos.map(({ id, name }) => ({ id: id as string, label: name }))}
              onChange={(id) => {
                setImageId(id);
                setFile('');
              }}
              disabled={editor.denied !== null}
            />
          )}
          <MediumPath
            label={w.insertFile}
            kind="iso"
            value={file}
            onChange={(next) => {
              setFile(next);
              setImageId('');
            }}
            notes={notesFor(editor.notes, `${path}.medium`)}
          />
        </div>
        <div>
          <Button reason={insertReason} busy={editor.busy} onPress={() => void insert()}>
            {w.insert}
          </Button>
        </div>
      </section>
      <FieldGroup>
        <Select
          label={c.bus}
          value={drive.bus}
          options={(['sata', 'ide', 'scsi', 'usb'] as const).map((id) => ({ id, label: h.buses[id] }))}
          onChange={(bus) => change({ bus })}
          {...fieldProps(editor, `${path}.bus`)}
        />
        <BootPlace editor={editor} path={`${path}.bootOrder`} value={drive.bootOrder} onChange={(bootOrder) => change({ bootOrder })} />
      </FieldGroup>
      <RemoveButton
        editor={editor}
        onRemove={() => editor.make({ cdDrives: editor.guest.spec.cdDrives.filter(({ id }) => id !== drive.id) }, w.removed(drive.id))}
      />
    </>
  );
}

export function NicForm({ editor, nic }: { editor: Editor; nic: Nic }) {
  const path = `nics.${nic.id}`;
  const change = (part: Partial<Nic>) =>
    editor.set({ nics: editor.shown.nics.map((one) => (one.id === nic.id ? { ...one, ...part } : one)) });
  return (
    <>
      <FieldGroup>
        <Select
          label={w.mode}
          value={nic.mode}
          options={optionsOf(w.modes)}
          onChange={(mode) => change(onNetwork(nic, mode))}
          {...fieldProps(editor, `${path}.mode`)}
        />
        {nic.mode === 'bridge' && (
          <TextField
            label={w.bridge}
            value={nic.bridge ?? ''}
            onChange={(bridge) => change({ bridge })}
            mono
            direction="ltr"
            {...fieldProps(editor, `${path}.bridge`, w.bridgeNote)}
          />
        )}
        {nic.mode === 'isolated' && (
          <TextField
            label={w.network}
            value={nic.network ?? ''}
            onChange={(network) => change({ network })}
            {...fieldProps(editor, `${path}.network`, w.networkNote)}
          />
        )}
        <Select
          label={c.nicModel}
          value={nic.model}
          options={optionsOf(c.nicNames)}
          onChange={(model) => change({ model })}
          {...fieldProps(editor, `${path}.model`)}
        />
        <TextField
          label={w.mac}
          value={nic.mac}
          onChange={(mac) => change({ mac: mac.toLowerCase() })}
          mono
          direction="ltr"
          {...fieldProps(editor, `${path}.mac`)}
        />
        <BootPlace editor={editor} path={`${path}.bootOrder`} value={nic.bootOrder} onChange={(bootOrder) => change({ bootOrder })} />
        <SwitchField editor={editor} path={`${path}.linkUp`} label={w.link} value={nic.linkUp} onChange={(linkUp) => change({ linkUp })} />
        {nic.mode === 'user' && (
          <SwitchField
            editor={editor}
            path={`${path}.restricted`}
            label={w.restricted}
            note={w.restrictedNote}
            value={nic.restricted}
            onChange={(restricted) => change({ restricted })}
          />
        )}
      </FieldGroup>
      {nic.mode === 'user' && (
        <FieldGroup>
          <PortForwards
            value={nic.forwards}
            onChange={(forwards) => change({ forwards })}
            notes={editor.notes.flatMap((note) =>
              note.path.startsWith(`${path}.forwards`) ? { ...note, path: note.path.slice(path.length + 1) } : [],
            )}
            mark={fieldProps(editor, `${path}.forwards`).description}
          />
        </FieldGroup>
      )}
      <RemoveButton
        editor={editor}
        onRemove={() => editor.make({ nics: editor.guest.spec.nics.filter(({ id }) => id !== nic.id) }, w.removed(nic.id))}
      />
    </>
  );
}

/** Only a card on the user-mode network has port forwards, and each mode has a name of its own to go by. */
function onNetwork({ bridge, network, forwards }: Nic, mode: Nic['mode']): Partial<Nic> {
  return {
    mode,
    bridge: mode === 'bridge' ? (bridge ?? 'br0') : null,
    network: mode === 'isolated' ? (network ?? 'lab') : null,
    forwards: mode === 'user' ? forwards : [],
  };
}
