/** What a person does to take guests out. The dialog for it is drawn by `app/ExportDialog.tsx`. */
import { create } from 'zustand';
import type { CallInput } from '../../contract/calls.ts';
import type { GuesthouseError } from '../../contract/errors.ts';
import type { Guest } from '../../contract/guest-state.ts';
import type { GuestId } from '../../contract/ids.ts';
import { call } from './bridge.ts';

/** The guest whose export dialog is open. */
export const useExporting = create<{ guest: GuestId | null }>()(() => ({ guest: null }));

export const openExport = (guest: Pick<Guest, 'id'>): void => useExporting.setState({ guest: guest.id });
export const closeExport = (): void => useExporting.setState({ guest: null });

/** Begins the export, which the list of jobs then shows. Answers what is wrong at once, or null. */
export async function exportGuest(wish: CallInput<'guest.export'>): Promise<GuesthouseError | null> {
  const answer = await call('guest.export', wish);
  return answer.ok ? null : answer.error;
}
