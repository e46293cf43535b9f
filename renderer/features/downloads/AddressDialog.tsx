import { useState } from 'react';
import { ErrorPanel } from '../../parts/ErrorPanel.tsx';
import { FormDialog } from '../../parts/FormDialog.tsx';
import { TextField } from '../../ui/TextField.tsx';
import { words } from '../../words/en.ts';
import { useDownload } from './use-download.ts';

const w = words.downloads;

/** Asks for an address, and for the checksum that belongs to it. The page behind shows the download. */
export function AddressDialog({ onClose }: { onClose: () => void }) {
  const [address, setAddress] = useState('');
  const [digest, setDigest] = useState('');
  const [name, setName] = useState('');
  const { error, busy, start } = useDownload(() => undefined);
  const wrongDigest = digest.trim() !== '' && !/^[0-9a-f]{64}$/i.test(digest.trim());
  const reason = address.trim() === '' ? w.reasonNoAddress : wrongDigest ? w.reasonDigest : null;
  const begin = async () => {
    const sha256 = digest.trim();
    if (await start({ kind: 'url', url: address.trim(), ...(sha256 === '' ? {} : { sha256 }) }, name.trim())) onClose();
  };
  return (
    <FormDialog title={w.addressTitle} submitLabel={w.addressStart} reason={reason} busy={busy} onSubmit={begin} onClose={onClose}>
      <p className="muted">{w.addressNote}</p>
      <TextField
        label={w.addressUrl}
        value={address}
        onChange={setAddress}
        placeholder={w.addressPlaceholder}
        mono
        direction="ltr"
        autoFocus
      />
      <TextField
        label={w.addressDigest}
        value={digest}
        onChange={setDigest}
        placeholder={w.addressDigestPlaceholder}
        mono
        direction="ltr"
        notes={wrongDigest ? [{ severity: 'problem', text: w.reasonDigest }] : []}
      />
      <TextField label={w.addressName} value={name} onChange={setName} placeholder={w.addressNamePlaceholder} />
      {error && <ErrorPanel error={error} />}
    </FormDialog>
  );
}
