import { FolderOpen, FolderSymlink } from 'lucide-react';
import type { Guest } from '../../../contract/guest-state.ts';
import type { SessionView } from '../../console/session.ts';
import { showFile } from '../../state/show-file.ts';
import { IconButton } from '../../ui/Button.tsx';
import { MenuItem, MenuSection, MenuTrigger } from '../../ui/Menu.tsx';
import { consoleWords } from '../../words/console.ts';

const w = consoleWords.folders;

/** The folders that this computer shares with the guest: which, whether the guest has them, and the way to each here. */
export function FoldersMenu({ guest, view }: { guest: Guest; view: SessionView | null }) {
  const { shares } = guest.spec;
  const connected = view?.phase === 'connected';
  const isWaiting = (id: string) => guest.pending?.some(({ path }) => path === `shares.${id}`) ?? false;
  return (
    <MenuTrigger label={w.title} button={<IconButton icon={FolderSymlink} label={w.title} aria-haspopup="menu" />}>
      <MenuSection title={w.title}>
        {shares.length === 0 ? (
          <MenuItem id="none" icon={FolderOpen} reason={w.none}>
            {w.noFolder}
          </MenuItem>
        ) : (
          shares.map(({ id, tag, path, readOnly, via }) => (
            <MenuItem
              key={id}
              id={id}
              icon={FolderOpen}
              note={`${path}${readOnly ? w.toRead : ''}. ${isWaiting(id) ? w.waits : via === 'mount' ? w.mounted : view?.foldersUsed ? w.used : connected ? w.unused : w.closed}`}
              onAction={() => void showFile(path)}
            >
              {w.show(tag)}
            </MenuItem>
          ))
        )}
      </MenuSection>
    </MenuTrigger>
  );
}
