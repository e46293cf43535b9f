/** Files on their way into a guest, as a page and a console speak of them. */

/** One file for the guest. */
export type FileToSend = {
  /** The page's own number for it. */
  id: number;
  /** What it is called, with the folders that it lies in before it: "Photos/2024/a.jpg". */
  name: string;
  content: Blob;
  /** Which of those that were sent together it is, from 1, and of how many. */
  number: number;
  of: number;
};

/**
 * Why a file did not get there. `full`: the guest lacks room, and has that much. `locked`: its screen is. `nobody`: nobody has logged in
 * whose agent could take it. `disabled`: the guest takes no files. `cancelled`: by the guest. `refused`: the guest could not begin it.
 * `stopped`: it began and could not go on. `unreadable`: this computer could not read it. `changed`: it became shorter meanwhile. `name`: the guest
 * does not take what it is called. `nonsense`: the guest's answers do not fit together.
 */
export type FileProblem =
  | { kind: 'full'; freeBytes: number | null }
  | { kind: 'locked' | 'nobody' | 'disabled' | 'cancelled' | 'refused' | 'stopped' | 'changed' | 'name' | 'nonsense' }
  | { kind: 'unreadable'; detail: string };

/** How far a file is. Of `sent`, `failed`, `interrupted` and `cancelled` one comes last. */
export type FileProgress =
  | { state: 'sending'; sentBytes: number }
  /** The guest has it, under this name if the agent takes no folders. */
  | { state: 'sent' }
  | { state: 'failed'; problem: FileProblem }
  /** The agent or the connection went; it can be sent anew. */
  | { state: 'interrupted' }
  | { state: 'cancelled' };
