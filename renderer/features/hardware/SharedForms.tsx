import { useState } from 'react';
import type { GuesthouseError } from '../../../contract/errors.ts';
import type { Share, UsbDevice } from '../../../contract/guest-spec.ts';
import { ErrorPanel } from '../../parts/ErrorPanel.tsx';
import { call, copyText } from '../../state/bridge.ts';
import { showToast } from '../../state/toasts.ts';
import { useCall } from '../../state/use-call.ts';
import { Button } from '../../ui/Button.tsx';
import { CodeBlock } from '../../ui/feedback.tsx';
import { Select } from '../../ui/Select.tsx';
import { TextField } from '../../ui/TextField.tsx';
import { words } from '../../words/en.ts';
import { FieldGroup, fieldProps, optionsOf, RemoveButton, SwitchField } from './fields.tsx';
import type { Editor } from './use-editor.ts';

const w = words.hardware;

export function ShareForm({ editor, share }: { editor: Editor; share: Share }) {
  const { guest } = editor;
  const path = `shares.${share.id}`;
  const change = (part: Partial<Share>) =>
    editor.set({ shares: editor.shown.shares.map((one) => (one.id === share.id ? { ...one, ...part } : one)) });
  const remove = () => editor.make({ shares: guest.spec.shares.filter(({ id }) => id !== share.id) }, w.removed(share.tag));
  return (
    <>
      <FieldGroup>
        <TextField
          label={w.folder}
          value={share.path}
          onChange={(folder) => change({ path: folder })}
          mono
          direction="ltr"
          {...fieldProps(editor, `${path}.path`, w.folderNote)}
        />
        <TextField
          label={w.tag}
          value={share.tag}
          onChange={(tag) => change({ tag })}
          mono
          direction="ltr"
          {...fieldProps(editor, `${path}.tag`, w.tagNote)}
        />
        <Select
          label={w.shareVia}
          value={share.via}
          onChange={(via) => change({ via })}
          options={optionsOf(w.shareVias)}
          {...fieldProps(editor, `${path}.via`, w.shareViaNotes[share.via])}
        />
        <SwitchField
          editor={editor}
          path={`${path}.readOnly`}
          label={w.shareReadOnly}
          value={share.readOnly}
          onChange={(readOnly) => change({ readOnly })}
        />
      </FieldGroup>
      <Mounting editor={editor} share={share} />
      <RemoveButton editor={editor} onRemove={remove} />
    </>
  );
}

/** How the guest mounts it: by a command to copy, or by its agent. */
function Mounting({ editor, share }: { editor: Editor; share: Share }) {
  const { guest } = editor;
  const { value } = useCall('guest.shares', { guest: guest.id }, guest);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<GuesthouseError | null>(null);
  const mount = value?.find(({ id }) => id === share.id);
  const run = guest.state.run;
  const waits = guest.pending?.some((one) => one.path === `shares.${share.id}`) ?? false;
  const reason = !run ? w.mountOff : waits ? w.mountWaits : !run.qemuAgent ? w.mountNoAgent : null;
  const mountNow = async () => {
    setBusy(true);
    const answer = await call('guest.mountShare', { guest: guest.id, share: share.id });
    setBusy(false);
    setError(answer.ok ? null : answer.error);
    if (answer.ok) showToast({ tone: 'ok', title: w.mounted(answer.value.folder) });
  };
  if (!mount) return null;
  return (
    <section className="hardware-group">
      <h3>{w.mountTitle}</h3>
      {mount.protocol === 'webdav' ? (
        <>
          <p className="muted">{w.served.webdav}</p>
          <CodeBlock
            text={mount.folder}
            label={w.shareAddress}
            copyLabel={words.common.copy}
            copiedLabel={words.common.copied}
            onCopy={copyText}
          />
        </>
      ) : mount.command === null ? (
        <p className="muted">{w.mountOther}</p>
      ) : (
        <>
          <p className="muted">{w.served[mount.protocol]}</p>
          <CodeBlock
            text={mount.command}
            label={w.mountCommand}
            copyLabel={words.common.copy}
            copiedLabel={words.common.copied}
            onCopy={copyText}
          />
          <div>
            <Button reason={reason} busy={busy} onPress={() => void mountNow()}>
              {w.mountNow}
            </Button>
          </div>
        </>
      )}
      {error && <ErrorPanel error={error} onDismiss={() => setError(null)} />}
    </section>
  );
}

export function UsbForm({ editor, device }: { editor: Editor; device: UsbDevice }) {
  const { guest } = editor;
  const { value: plugged } = useCall('host.usbDevices', {});
  const there = plugged?.find(
    (one) => one.vendorId === device.vendorId && one.productId === device.productId && (device.port === null || device.port === one.port),
  );
  const remove = () => editor.make({ usbDevices: guest.spec.usbDevices.filter(({ id }) => id !== device.id) }, w.removed(device.id));
  return (
    <>
      <p className="selectable">
        {there?.name ?? <span className="mono">{`${device.vendorId}:${device.productId}`}</span>} · {device.port ?? w.usbPortAny}
      </p>
      {plugged && <p className="muted">{there ? (there.problem ?? w.usbThere) : w.usbAway}</p>}
      <RemoveButton editor={editor} onRemove={remove} />
    </>
  );
}
