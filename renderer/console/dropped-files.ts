/** What was dropped on a page, with all that lies in its folders. */
import type { ChosenFile } from './outgoing-files.ts';

/** More files than that are better packed into one: each costs a question to the guest and its answer. */
export const mostFilesAtOnce = 20_000;

export type DroppedFiles = {
  files: ChosenFile[];
  /** Folders with nothing in them, which no agent can be told of. */
  emptyFolders: number;
  /** Names of what could not be read. */
  unreadable: string[];
  /** There were more than {@link mostFilesAtOnce}; these are the first. */
  tooMany: boolean;
};

/** To be called while the drop is handled: its items are gone afterwards. */
export function readDropped(dropped: DataTransfer): Promise<DroppedFiles> {
  const entries: FileSystemEntry[] = [];
  const bare: File[] = [];
  for (const item of dropped.items) {
    if (item.kind !== 'file') continue;
    const entry = item.webkitGetAsEntry();
    if (entry) entries.push(entry);
    else {
      const file = item.getAsFile();
      if (file) bare.push(file);
    }
  }
  return walk(entries, {
    files: bare.map((content) => ({ name: content.name, content })),
    emptyFolders: 0,
    unreadable: [],
    tooMany: false,
  });
}

/** What was chosen in a dialog. A folder comes as its files, each of which says where it lies. */
export function readChosen(list: Iterable<File>): DroppedFiles {
  const all = [...list];
  return {
    files: all.slice(0, mostFilesAtOnce).map((content) => ({ name: content.webkitRelativePath || content.name, content })),
    emptyFolders: 0,
    unreadable: [],
    tooMany: all.length > mostFilesAtOnce,
  };
}

/** In the order in which a file manager shows them; what cannot be read is told and the others go on. */
async function walk(entries: readonly FileSystemEntry[], found: DroppedFiles): Promise<DroppedFiles> {
  for (const entry of entries) {
    if (found.files.length >= mostFilesAtOnce) {
      found.tooMany = true;
      break;
    }
    const name = entry.fullPath.replace(/^\//, '');
    try {
      if (entry.isFile) found.files.push({ name, content: await fileOf(entry as FileSystemFileEntry) });
      else {
        const inside = await childrenOf(entry as FileSystemDirectoryEntry);
        if (inside.length === 0) found.emptyFolders++;
        await walk(inside, found);
      }
    } catch {
      found.unreadable.push(name);
    }
  }
  return found;
}

function fileOf(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((settle, fail) => entry.file(settle, fail));
}

async function childrenOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  // It gives some at a time, and none when that was all.
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((settle, fail) => reader.readEntries(settle, fail));
    if (some.length === 0) return all.sort((one, other) => (one.name < other.name ? -1 : 1));
    all.push(...some);
  }
}
