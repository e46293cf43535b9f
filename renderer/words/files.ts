/** The words of files that are sent to guests, in English. */
import type { FilesPolicy } from '../../contract/guest-spec.ts';
import { formatBytes, formatCount, formatDuration, formatFileName, formatInteger, formatList, formatRate } from './format.ts';

const files = (count: number) => formatCount(count, 'file', 'files');

export const filesWords = {
  menu: 'Files',
  sendFiles: 'Send files…',
  sendFolder: 'Send a folder…',
  sendNote: 'They can also be dragged onto the picture.',
  folderNote: 'Windows’ agent takes files alone: there they come without their folders.',
  policy: 'Files from this computer',
  ways: { 'to-guest': 'To the guest', off: 'Off' } satisfies Record<FilesPolicy, string>,
  wayNotes: {
    'to-guest': 'What is dropped on the picture or chosen above.',
    off: 'None goes to the guest.',
  } satisfies Record<FilesPolicy, string>,
  off: 'Sending files to this guest is switched off, in this menu.',
  notLive: 'There is no live console to send files through.',
  staysHere: 'Files are on their way to the guest from this window.',
  drop: (guest: string) => `Drop to send to ${guest}`,
  dropNote: 'They arrive in Downloads, or on the desktop.',
  dropNot: (guest: string) => `Nothing can be sent to ${guest}`,
  title: (guest: string) => `Files for ${guest}`,
  sending: (done: number, total: number) => `Sending ${formatInteger(done)} of ${files(total)}`,
  sendingOne: 'Sending one file',
  of: (done: number, total: number) => `${formatBytes(done)} of ${formatBytes(total)}`,
  rate: (bytesPerSecond: number) => formatRate(bytesPerSecond),
  left: (seconds: number) => `${formatDuration(seconds)} left`,
  waitsForConsole: 'Waits until the console is connected.',
  waitsForAgent: 'Waits for the guest’s agent.',
  waitsForGuest: 'The guest takes nothing at the moment.',
  waiting: 'Waiting',
  more: (count: number) => `and ${formatInteger(count)} more`,
  cancel: (name: string) => `Cancel ${formatFileName(name)}`,
  cancelAll: 'Cancel all',
  retry: (name: string) => `Send ${formatFileName(name)} again`,
  retryAll: 'Send again',
  dismiss: 'Close',
  show: 'Show the files',
  hide: 'Show less',
  failed: (count: number) => `${files(count)} could not be sent`,
  sent: (count: number, guest: string) => `${files(count)} arrived in ${guest}`,
  sentSome: (sent: number, failed: number, guest: string) => `${files(sent)} arrived in ${guest}, ${formatInteger(failed)} did not`,
  notSent: (count: number, guest: string) => `${files(count)} did not arrive in ${guest}`,
  notSentText: (names: readonly string[], count: number, cause: 'app' | 'window') => {
    const others = count > names.length ? [formatCount(count - names.length, 'other', 'others')] : [];
    return `${cause === 'app' ? 'Guesthouse' : 'The window'} ended while they were on their way: ${formatList([...names.map(formatFileName), ...others])}. Send them again.`;
  },
  notSentOpen: 'Open its console',
  cancelled: (count: number) => `${files(count)} cancelled`,
  announceSending: (count: number, guest: string) => `Sending ${files(count)} to ${guest}.`,
  tooMany: (most: number) => `Only the first ${formatInteger(most)} files are sent`,
  tooManyHint: 'Pack so many into one archive: that is also much faster.',
  unreadable: (count: number) => `${files(count)} could not be read here`,
  emptyFolders: 'Empty folders are not sent',
  emptyFoldersHint: 'The guest’s agent can only be told of files.',
  noFiles: 'There is no file in what was dropped',
  problems: {
    full: (freeBytes: number | null) =>
      freeBytes === null
        ? 'The guest has no room for it. Free some there, then send it again.'
        : `The guest has no room for it: ${formatBytes(freeBytes)} are free. Free some there, then send it again.`,
    locked: 'The guest’s screen is locked. Unlock it, then send it again.',
    nobody: 'Nobody is logged in whose agent could take it. Log in to the guest’s desktop, then send it again.',
    disabled: 'The guest’s agent takes no files: its desktop has no folder for downloads, or it was started to take none.',
    cancelled: 'It was cancelled in the guest, or the guest’s agent ended. Send it again.',
    refused: 'The guest could not make the file. Its folder for downloads may not be writable, or have too many of that name.',
    stopped: 'The guest could not go on writing it. Its disk may be full, then free some there and send it again.',
    unreadable: (detail: string) => `It cannot be read here any more: it was changed, moved or deleted. ${detail}`,
    changed: 'It became shorter while it was sent. Send it again.',
    name: 'The guest does not take its name: it is too long, or has nothing that is a name there. Rename it.',
    nonsense: 'The guest’s agent answered something that cannot be. Start the agent in the guest anew, then send it again.',
  },
} as const;
