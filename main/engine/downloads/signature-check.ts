/** What is asked of a signature, and what can be said of it. */
export type SignatureVerdict =
  /** `text` is what was signed, for a message that is signed in place. */
  | { state: 'good'; by: string; text: string | null }
  /** Why it could not be checked, in plain words. */
  | { state: 'unchecked'; because: string };

export type SignatureCheck = {
  /** Keys and keyrings of the user's own; null when the folder is not there. */
  keyringsFolder: string;
  /** What is signed: a file, or text. */
  signed: { file: string } | { text: string };
  /** The detached signature, or null when the text is signed in place. */
  signature: Buffer | null;
  /** For messages. */
  what: string;
  signal: AbortSignal;
};
