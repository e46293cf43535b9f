/** The part of the form about a system that is set up by itself: what was typed, and what of it can be sent. Pure. */
import { type SetupForm, type SetupFormat, setupForm, setupNotes, suggestHostname, suggestRegion } from '../../../contract/answers.ts';
import type { FieldNote } from '../../../contract/guest-creation.ts';
import type { GuestSpec } from '../../../contract/guest-spec.ts';

/** As it is typed: lists are text. */
export type SetupDraft = {
  userName: string;
  fullName: string;
  password: string;
  sshKeys: string;
  /** Null: after the guest's name. */
  hostname: string | null;
  locale: string;
  layout: string;
  variant: string;
  timeZone: string;
  packages: string;
};

/** What this computer suggests: `language` as browsers have it ("de-DE"), `timeZone` of the IANA database. */
export function usualSetup(language: string, timeZone: string): SetupDraft {
  const { locale, layout } = suggestRegion(language);
  return {
    userName: '',
    fullName: '',
    password: '',
    sshKeys: '',
    hostname: null,
    locale,
    layout,
    variant: '',
    timeZone,
    packages: 'qemu-guest-agent',
  };
}

/** Windows takes shorter names than others. */
export function shownHostname(draft: SetupDraft, guestName: string, format: SetupFormat): string {
  return (
    draft.hostname ??
    suggestHostname(guestName)
      .slice(0, format === 'autounattend' ? 15 : 63)
      .replace(/-+$/, '')
  );
}

export type CheckedSetup = {
  /** Null while something does not fit. */
  form: SetupForm | null;
  /** With the contract's paths, below `setup`. */
  notes: FieldNote[];
};

export function checkSetup(draft: SetupDraft, guestName: string, format: SetupFormat, spec: GuestSpec | null): CheckedSetup {
  const windows = format === 'autounattend';
  const lines = (text: string) => text.split('\n').map((line) => line.trim());
  const parsed = setupForm.safeParse({
    hostname: shownHostname(draft, guestName, format),
    user: {
      name: draft.userName,
      fullName: draft.fullName.trim(),
      password: draft.password === '' ? null : draft.password,
      // A field that is not shown holds nothing.
      sshKeys: windows ? [] : lines(draft.sshKeys).filter((line) => line !== ''),
    },
    locale: draft.locale,
    keyboard: { layout: draft.layout, variant: draft.variant },
    timeZone: draft.timeZone,
    packages: windows ? [] : draft.packages.split(/[\s,]+/).filter((name) => name !== ''),
  });
  if (parsed.success) {
    const notes = setupNotes(format, parsed.data, spec);
    return { form: notes.some((note) => note.severity === 'problem') ? null : parsed.data, notes };
  }
  const notes: FieldNote[] = parsed.error.issues.map((issue) => ({
    path: `setup.${issue.path.join('.')}`,
    severity: 'problem',
    message: issue.message,
  }));
  return { form: null, notes };
}
