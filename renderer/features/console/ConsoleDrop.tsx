import { FileUp, FileX } from 'lucide-react';
import { type DragEvent, useState } from 'react';
import { readDropped } from '../../console/dropped-files.ts';
import { filesWords as w } from '../../words/files.ts';
import type { UsedFiles } from './use-files.ts';

/**
 * Takes files that are dragged over a live console, whichever of its monitors they are over. Where the guest cannot be sent any, the reason is
 * shown and the drop does nothing; without a live console the window takes them, as everywhere else.
 */
export function useConsoleDrop(files: UsedFiles, live: boolean) {
  const [over, setOver] = useState(false);
  // What is over a monitor in another window comes by here as well, since that is this page's: it has a place of its own to drop upon.
  const takes = (event: DragEvent) =>
    live && event.dataTransfer.types.includes('Files') && event.currentTarget.contains(event.target as Node);
  const handlers = {
    onDragEnter: (event: DragEvent) => {
      if (!takes(event)) return;
      event.preventDefault();
      setOver(true);
    },
    onDragOver: (event: DragEvent) => {
      if (!takes(event)) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = files.reason === null ? 'copy' : 'none';
      setOver(true);
    },
    onDragLeave: (event: DragEvent) => {
      if (!event.currentTarget.contains(event.relatedTarget as Node | null)) setOver(false);
    },
    onDrop: (event: DragEvent) => {
      setOver(false);
      if (!takes(event)) return;
      event.preventDefault();
      if (files.reason === null) void readDropped(event.dataTransfer).then(files.send);
    },
  };
  return { over: over && live, handlers };
}

/** Where the files would go, over the picture. */
export function ConsoleDropTarget({ name, reason }: { name: string; reason: string | null }) {
  const Icon = reason === null ? FileUp : FileX;
  return (
    <div className={`console-drop${reason === null ? '' : ' console-drop-not'}`} aria-hidden="true">
      <Icon size={32} strokeWidth={1.5} />
      <strong>
        <bdi>{reason === null ? w.drop(name) : w.dropNot(name)}</bdi>
      </strong>
      <span className="muted">{reason ?? w.dropNote}</span>
    </div>
  );
}
