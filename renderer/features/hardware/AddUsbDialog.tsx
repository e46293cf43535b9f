import { RefreshCw } from 'lucide-react';
import { useState } from 'react';
import { ErrorPanel } from '../../parts/ErrorPanel.tsx';
import { useCall } from '../../state/use-call.ts';
import { Button } from '../../ui/Button.tsx';
import { Dialog } from '../../ui/Dialog.tsx';
import { Select } from '../../ui/Select.tsx';
import { TextField } from '../../ui/TextField.tsx';
import { Switch } from '../../ui/toggles.tsx';
import { words } from '../../words/en.ts';
import type { Editor } from './use-editor.ts';

const w = words.hardware;
const isUsbId = (text: string): boolean => /^[0-9a-f]{4}$/.test(text);

/** Chooses a USB device of this computer: one that is plugged in, or one that will be, by its numbers. */
export function AddUsbDialog({ editor, onClose }: { editor: Editor; onClose: () => void }) {
  const { value: devices, reload } = useCall('host.usbDevices', {});
  const [port, setPort] = useState('');
  const [onlyThere, setOnlyThere] = useState(false);
  const [vendorId, setVendorId] = useState('');
  const [productId, setProductId] = useState('');
  const chosen = devices?.find((one) => one.port === port);
  const byNumbers = { vendorId: vendorId.trim().toLowerCase(), productId: productId.trim().toLowerCase() };
  const device = chosen
    ? { vendorId: chosen.vendorId, productId: chosen.productId, port: onlyThere ? chosen.port : null }
    : isUsbId(byNumbers.vendorId) && isUsbId(byNumbers.productId)
      ? { ...byNumbers, port: null }
      : null;
  const reason = editor.denied ?? (device === null ? w.usbChoose : (chosen?.problem ?? null));
  const add = async () => {
    if (device !== null && (await editor.make({ usbDevices: [...editor.guest.spec.usbDevices, device] }, w.added))) onClose();
  };
  return (
    <Dialog
      open
      title={w.newUsbTitle}
      onClose={onClose}
      closeLabel={words.common.close}
      actions={
        <>
          <Button icon={RefreshCw} kind="quiet" onPress={reload}>
            {w.usbRefresh}
          </Button>
          <Button onPress={onClose}>{words.common.cancel}</Button>
          <Button kind="primary" reason={reason} busy={editor.busy} onPress={() => void add()}>
            {w.addIt}
          </Button>
        </>
      }
    >
      <div className="stack">
        <p className="muted">{w.usbNote}</p>
        {devices && devices.length > 0 ? (
          <>
            <Select
              label={w.usbPlugged}
              value={port}
              options={devices.map((one) => ({ id: one.port, label: one.name, note: `${one.vendorId}:${one.productId} · ${one.port}` }))}
              onChange={setPort}
              notes={chosen?.problem ? [{ severity: 'problem', text: chosen.problem }] : []}
            />
            <Switch label={w.usbPort} value={onlyThere} onChange={setOnlyThere} />
          </>
        ) : (
          <p>
            {w.usbNone} <span className="muted">{w.usbNoneNote}</span>
          </p>
        )}
        {!chosen && (
          <div className="hardware-grid">
            <TextField label={w.usbVendor} value={vendorId} onChange={setVendorId} placeholder="046d" mono direction="ltr" />
            <TextField label={w.usbProduct} value={productId} onChange={setProductId} placeholder="c52b" mono direction="ltr" />
          </div>
        )}
        {editor.error && <ErrorPanel error={editor.error} title={w.failed} onDismiss={editor.dismiss} />}
      </div>
    </Dialog>
  );
}
