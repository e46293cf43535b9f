import { useEffect, useMemo, useRef, useState } from 'react';
import type { CallOutput } from '../../../contract/calls.ts';
import type { GuesthouseError, Result } from '../../../contract/errors.ts';
import { guestCannot } from '../../../contract/guest-can.ts';
import type { FieldNote } from '../../../contract/guest-creation.ts';
import type { HardwareChange, PlannedChange, RemovedDisk } from '../../../contract/guest-hardware.ts';
import type { GuestSpec } from '../../../contract/guest-spec.ts';
import type { Guest } from '../../../contract/guest-state.ts';
import { jobEnded } from '../../../contract/job.ts';
import { call } from '../../state/bridge.ts';
import { showToast } from '../../state/toasts.ts';
import { useCall } from '../../state/use-call.ts';
import { useSettled } from '../../state/use-settled.ts';
import { words } from '../../words/en.ts';
import { afterChange, checkDraft, type Draft, isEmptyDraft, withChange } from './draft.ts';

const w = words.hardware;

export type Editor = {
  guest: Guest;
  /** The guest as it would be. */
  shown: GuestSpec;
  draft: Draft;
  notes: readonly FieldNote[];
  planned: readonly PlannedChange[];
  pending: readonly { path: string }[];
  /** Why nothing can be changed now; null when it can. */
  denied: string | null;
  /** Why the draft cannot be applied now; null when it can. */
  reason: string | null;
  busy: boolean;
  error: GuesthouseError | null;
  canUndo: boolean;
  set(change: Draft): void;
  discard(): void;
  apply(): Promise<void>;
  /** Makes a change at once, without the draft; says what was done. Settles with whether it was. */
  make(change: HardwareChange, said: string): Promise<boolean>;
  undo(): Promise<void>;
  dismiss(): void;
  /** Disks that were taken out and whose files are kept. */
  removed: readonly RemovedDisk[];
  reloadRemoved(): void;
  attachRemoved(disk: RemovedDisk): Promise<void>;
};

/** The editor of one guest's hardware: a draft, what the engine says of it, and its applying. */
export function useEditor(guest: Guest): Editor {
  const [draft, setDraft] = useState<Draft>({});
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<GuesthouseError | null>(null);
  const checked = useMemo(() => checkDraft(guest.spec, draft), [guest.spec, draft]);
  const question = checked.change === null ? null : JSON.stringify(checked.change);
  const settled = useSettled(question, 200);
  const plan = useCall('guest.planEdit', settled === null ? null : { guest: guest.id, change: JSON.parse(settled) }, guest.spec);
  const past = useCall('guest.edits', { guest: guest.id }, guest.spec);
  const removed = useCall('guest.removedDisks', { guest: guest.id }, guest.spec);
  const denied = guestCannot(guest.state, 'edit');
  // Changed elsewhere: a part of the draft that has come about is a change no more, and a disk that was added is not taken out again.
  const known = useRef(guest.spec);
  useEffect(() => {
    const before = known.current;
    known.current = guest.spec;
    setDraft((draft) => afterChange(before, guest.spec, draft));
  }, [guest.spec]);

  const isCurrent = question !== null && settled === question && !plan.loading;
  const notes = [...checked.notes, ...(question === null || plan.error ? [] : (plan.value?.notes ?? []))];
  const planned = question === null || plan.error ? [] : (plan.value?.changes ?? []);
  const refused = planned.find(({ when }) => when === 'power-off');
  const reason = isEmptyDraft(draft)
    ? w.unchanged
    : (denied ??
      notes.find(({ severity }) => severity === 'problem')?.message ??
      plan.error?.message ??
      refused?.why ??
      (isCurrent ? null : w.checking));

  const settle = async (answer: Result<CallOutput<'guest.edit'>>, said: string): Promise<boolean> => {
    const failure = answer.ok ? await failureOf(answer.value) : answer.error;
    setError(failure);
    if (!answer.ok || failure) return false;
    const later = answer.value.changes.some(({ when }) => when !== 'now');
    if (answer.value.changes.length > 0) {
      showToast({ tone: 'ok', title: later ? w.appliedLater : said, action: { label: words.common.undo, run: () => void undo() } });
    }
    return true;
  };
  const make = async (change: HardwareChange, said: string): Promise<boolean> => {
    setBusy(true);
    try {
      return await settle(await call('guest.edit', { guest: guest.id, change }), said);
    } finally {
      setBusy(false);
    }
  };
  const undo = async (): Promise<void> => {
    setBusy(true);
    const answer = await call('guest.undoEdit', { guest: guest.id });
    const failure = answer.ok ? await failureOf(answer.value) : answer.error;
    setBusy(false);
    setError(failure);
    if (!failure) showToast({ tone: 'ok', title: w.undone });
  };

  return {
    guest,
    shown: { ...guest.spec, ...draft },
    draft,
    notes,
    planned,
    pending: guest.pending ?? [],
    denied,
    reason,
    busy,
    error,
    canUndo: (past.value?.length ?? 0) > 0,
    set: (change) => setDraft((before) => withChange(guest.spec, before, change)),
    discard: () => setDraft({}),
    async apply() {
      if (reason !== null || checked.change === null) return;
      if (await make(checked.change, w.applied)) setDraft({});
    },
    make,
    undo,
    dismiss: () => setError(null),
    removed: removed.value ?? [],
    reloadRemoved: removed.reload,
    async attachRemoved({ file, id }) {
      setBusy(true);
      try {
        await settle(await call('guest.attachRemovedDisk', { guest: guest.id, file }), w.attached(id === null ? file : w.disk(id)));
      } finally {
        setBusy(false);
        removed.reload();
      }
    },
  };
}

/** Waits for the job of an edit; gives its error. */
async function failureOf({ job }: CallOutput<'guest.edit'>): Promise<GuesthouseError | null> {
  if (!job) return null;
  for (;;) {
    const answer = await call('job.show', { job: job.id });
    if (!answer.ok) return answer.error;
    if (jobEnded.has(answer.value.state)) return answer.value.state === 'succeeded' ? null : answer.value.error;
    await new Promise((done) => setTimeout(done, 150));
  }
}
