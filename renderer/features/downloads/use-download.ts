import { useState } from 'react';
import type { DownloadSource, UnfinishedDownload } from '../../../contract/download.ts';
import type { GuesthouseError } from '../../../contract/errors.ts';
import { call } from '../../state/bridge.ts';

/** Begins, goes on with and discards one download; what could not be begun stands where it was asked for. */
export function useDownload(onChanged: () => void) {
  const [error, setError] = useState<GuesthouseError | null>(null);
  const [busy, setBusy] = useState(false);
  const run = async (action: () => Promise<{ ok: true } | { ok: false; error: GuesthouseError }>) => {
    setBusy(true);
    const answer = await action();
    setBusy(false);
    setError(answer.ok ? null : answer.error);
    onChanged();
    return answer.ok;
  };
  return {
    error,
    busy,
    dismiss: () => setError(null),
    goOn: ({ key }: UnfinishedDownload) => run(() => call('download.start', { source: { kind: 'unfinished', key } })),
    start: (source: DownloadSource, name?: string) => run(() => call('download.start', { source, ...(name ? { name } : {}) })),
    discard: ({ key }: UnfinishedDownload) => run(() => call('download.discard', { key })),
  };
}
