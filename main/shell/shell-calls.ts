/** What the shell does for a page: dialogs, the clipboard, windows. Every input was checked at the door. */
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { BrowserWindow, dialog, shell } from 'electron';
import { Failure } from '../../contract/errors.ts';
import type { HeadWindow, ShellCallName, ShellCallOutput, ShellCallParsed } from '../../contract/shell.ts';
import type { ChosenFiles } from './chosen-files.ts';
import { setFullScreen } from './displays.ts';
import type { HeadWindows } from './head-windows.ts';
import type { Sender } from './ipc-door.ts';
import type { KnownPlaces } from './known-places.ts';
import { setKeyboardGrab } from './menu.ts';
import type { Microphones } from './microphones.ts';
import type { Quitting } from './quitting.ts';
import type { Recordings } from './recordings.ts';
import { copiedKinds, copyPicture, copyText, readCopied, readText, writeCopied } from './system-clipboard.ts';
import type { Windows } from './windows.ts';

export type ShellCallsOptions = {
  windows: Windows;
  headWindows: HeadWindows;
  places: KnownPlaces;
  quitting: Quitting;
  microphones: Microphones;
  recordings: Recordings;
  chosenFiles: ChosenFiles;
  restartEngine: () => Promise<void>;
  logFolder: string;
};

export type ShellCallHandlers = {
  [Name in ShellCallName]: (input: ShellCallParsed<Name>, sender: Sender) => Promise<ShellCallOutput<Name>>;
};

/** X11 has a second clipboard for what is selected, and Wayland's desktops mostly as well. */
const hasPrimary = process.platform === 'linux';

const pngSignature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const mediumExtensions = {
  iso: ['iso'],
  disk: ['qcow2', 'img', 'raw', 'vmdk', 'vdi', 'vhd', 'vhdx', 'gz', 'xz', 'zst'],
  machine: ['capsule', 'ova', 'ovf', 'vmx', 'vbox', 'xml', 'plist', 'conf', 'qcow2', 'img', 'raw', 'vmdk', 'vdi', 'vhd', 'vhdx'],
};
const mediumWords = {
  iso: { name: 'ISO images', title: 'Choose an ISO' },
  disk: { name: 'Disk images', title: 'Choose a disk image' },
  machine: { name: 'Machines', title: 'Choose a machine' },
  any: { name: 'ISO and disk images, OVA', title: 'Choose an ISO, a disk image or an OVA' },
};

/** A guest's name is in it, and a guest's name is no path. */
const plainFileName = (suggested: string): string => basename(suggested.replace(/[/\\:\0]/g, '-'));

export function makeShellCalls({
  windows,
  headWindows,
  places,
  quitting,
  microphones,
  recordings,
  chosenFiles,
  restartEngine,
  logFolder,
}: ShellCallsOptions): ShellCallHandlers {
  const windowOf = ({ contents }: Sender): BrowserWindow => {
    const window = BrowserWindow.fromWebContents(contents);
    if (!window) throw new Failure('call/forbidden-origin', 'The window that asked is gone.');
    return window;
  };

  /** The window that asks, or one that it has opened for a monitor. */
  const windowMeant = (sender: Sender, head: HeadWindow | null): BrowserWindow => {
    const window = head ? headWindows.of(sender.contents, head) : windowOf(sender);
    if (!window) throw new Failure('call/forbidden-origin', 'The window that was meant is gone.');
    return window;
  };

  const windowInUse = (sender: Sender): BrowserWindow => headWindows.focused(sender.contents) ?? windowOf(sender);

  /** What another program has copied is nobody's business but of the window that is being used. */
  const demandFocus = (sender: Sender): void => {
    if (!windowInUse(sender).isFocused())
      throw new Failure('call/forbidden-origin', 'The clipboard is read only for the window that has the focus.');
  };

  return {
    'shell.chooseMedium': async ({ kind }, sender) => {
      const extensions = kind === 'any' ? [...mediumExtensions.iso, ...mediumExtensions.disk, 'ova', 'ovf'] : mediumExtensions[kind];
      const { name, title } = mediumWords[kind];
      const { canceled, filePaths } = await dialog.showOpenDialog(windowOf(sender), {
        title,
        filters: [
          { name, extensions },
          { name: 'All files', extensions: ['*'] },
        ],
        properties: ['openFile'],
      });
      const path = filePaths[0];
      if (canceled || path === undefined) return null;
      places.chose(path);
      return path;
    },

    'shell.chooseExport': async ({ suggestedName }, sender) => {
      const { canceled, filePath } = await dialog.showSaveDialog(windowOf(sender), {
        title: 'Export to',
        defaultPath: join(homedir(), plainFileName(suggestedName) || 'guest'),
        // Whether something is replaced is asked in the dialog of the page, where folders are meant as well.
        properties: ['createDirectory'],
      });
      if (canceled || !filePath) return null;
      places.chose(filePath);
      return filePath;
    },

    'shell.savePng': async ({ suggestedName, png }, sender) => {
      checkPng(png);
      const { canceled, filePath } = await dialog.showSaveDialog(windowInUse(sender), {
        title: 'Save the screenshot',
        defaultPath: join(homedir(), plainFileName(suggestedName) || 'screenshot.png'),
        filters: [{ name: 'PNG image', extensions: ['png'] }],
        properties: ['createDirectory', 'showOverwriteConfirmation'],
      });
      if (canceled || !filePath) return null;
      await chosenFiles.write(filePath, png);
      places.chose(filePath);
      return filePath;
    },

    'shell.beginRecording': async ({ suggestedName }, sender) => {
      const { canceled, filePath } = await dialog.showSaveDialog(windowInUse(sender), {
        title: 'Record to',
        defaultPath: join(homedir(), plainFileName(suggestedName) || 'recording.webm'),
        filters: [{ name: 'WebM video', extensions: ['webm'] }],
        properties: ['createDirectory', 'showOverwriteConfirmation'],
      });
      if (canceled || !filePath) return null;
      const { contents } = sender;
      const owner = contents.id;
      const recording = await recordings.begin(owner, filePath);
      const gone = async (cutOff: boolean) => {
        for (const path of await recordings.finishAllOf(owner)) windows.tellMain({ type: 'recordingKept', path, cutOff, problem: null });
      };
      contents.once('destroyed', () => void gone(false));
      contents.once('render-process-gone', () => void gone(true));
      // A page that is loaded anew knows nothing of what the one before recorded.
      contents.once('did-navigate', () => void gone(false));
      places.chose(filePath);
      return recording;
    },

    'shell.addToRecording': async ({ recording, bytes }, { contents }) => {
      await recordings.add(contents.id, recording, bytes);
      return null;
    },

    'shell.finishRecording': async ({ recording }, { contents }) => recordings.finish(contents.id, recording),

    'shell.copyPng': async ({ png }) => {
      checkPng(png);
      await copyPicture(png);
      return null;
    },

    'shell.copyText': async ({ text }) => {
      await copyText(text);
      return null;
    },

    'shell.readText': async (_input, sender) => {
      demandFocus(sender);
      return readText();
    },

    'shell.copiedKinds': async (_input, sender) => {
      demandFocus(sender);
      return { clipboard: await copiedKinds('clipboard'), primary: hasPrimary ? await copiedKinds('primary') : null };
    },

    'shell.readCopied': async ({ selection, kind }, sender) => {
      demandFocus(sender);
      return selection === 'primary' && !hasPrimary ? null : readCopied(selection, kind);
    },

    'shell.writeCopied': async ({ selection, copied }) => {
      if (selection === 'primary' && !hasPrimary) return '';
      if (copied.kind === 'png') checkPng(copied.png);
      await writeCopied(selection, copied);
      return (await copiedKinds(selection)).stamp;
    },

    'shell.showFile': async ({ path }) => {
      shell.showItemInFolder(await places.resolve(path));
      return null;
    },

    'shell.detachConsole': async ({ guest }) => {
      windows.showConsole(guest);
      return null;
    },

    'shell.attachConsole': async ({ guest }) => {
      windows.showMain(`/guests/${guest}/console`);
      windows.closeConsole(guest);
      return null;
    },

    'shell.setFullScreen': async ({ on, window, display }, sender) => {
      await setFullScreen(windowMeant(sender, window), on, display);
      return null;
    },

    'shell.setKeyboardGrab': async ({ on, localKeys, window }, sender) => {
      setKeyboardGrab(windowMeant(sender, window), on, localKeys);
      return null;
    },

    'shell.setMicrophone': ({ guest, on }, sender) => microphones.set(sender.contents, guest, on),

    'shell.setSendingFiles': async (unsent, sender) => {
      windows.setSendingFiles(sender.contents, unsent);
      return null;
    },

    'shell.quit': async (answer) => {
      await quitting.answer(answer);
      return null;
    },

    'shell.restartEngine': async () => {
      await restartEngine();
      return null;
    },

    'shell.openLogs': async () => {
      await openFolder(logFolder);
      return null;
    },
  };
}

/** Shows a folder in the file manager. @throws Failure `image/file-missing` */
export async function openFolder(path: string): Promise<void> {
  const problem = await shell.openPath(path);
  if (problem !== '') throw new Failure('image/file-missing', `The folder ${path} could not be opened.`, { detail: problem });
}

function checkPng(png: Uint8Array): void {
  if (!pngSignature.equals(png.subarray(0, pngSignature.length)))
    throw new Failure('call/invalid-input', 'The picture is no PNG.', { path: 'png' });
}
