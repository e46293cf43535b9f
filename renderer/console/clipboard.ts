/** What is copied, on its way between this computer and a guest: plain text or a PNG, and nothing else. */

/** `primary` is what X11 pastes with the middle button. */
export type Selection = 'clipboard' | 'primary';
export type Copied = { kind: 'text'; text: string } | { kind: 'png'; png: Uint8Array<ArrayBuffer> };
export type CopiedKind = Copied['kind'];

/** This computer's side. */
export type ClipboardHost = {
  /** Puts what the guest copied on this computer's clipboard. Settles when that is done, or could not be. */
  write(selection: Selection, copied: Copied): Promise<void>;
  /** What this computer has copied; null when there is nothing of that kind, or it may not be read now. */
  read(selection: Selection, kind: CopiedKind): Promise<Copied | null>;
};
