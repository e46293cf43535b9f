import { FileUp } from 'lucide-react';
import { useRef } from 'react';
import { filesPolicy } from '../../../contract/guest-spec.ts';
import type { Guest } from '../../../contract/guest-state.ts';
import { readChosen } from '../../console/dropped-files.ts';
import { annotateGuest } from '../../state/guest-verbs.ts';
import { IconButton } from '../../ui/Button.tsx';
import { MenuItem, MenuSection, MenuTrigger } from '../../ui/Menu.tsx';
import { filesWords as w } from '../../words/files.ts';
import type { UsedFiles } from './use-files.ts';

/** Sends files to the guest, and says whether any go there. The choice is kept with the guest. */
export function FilesMenu({ guest, files }: { guest: Guest; files: UsedFiles }) {
  const chooseFiles = useRef<HTMLInputElement>(null);
  const chooseFolder = useRef<HTMLInputElement>(null);
  const policy = guest.spec.files;
  const chosen = (input: HTMLInputElement) => {
    if (input.files && input.files.length > 0) files.send(readChosen(input.files));
    // The same files can be chosen again.
    input.value = '';
  };
  return (
    <>
      <MenuTrigger label={w.menu} button={<IconButton icon={FileUp} label={w.menu} aria-haspopup="menu" />}>
        <MenuSection label={w.menu}>
          <MenuItem id="files" reason={files.reason} note={w.sendNote} onAction={() => chooseFiles.current?.click()}>
            {w.sendFiles}
          </MenuItem>
          <MenuItem id="folder" reason={files.reason} note={w.folderNote} onAction={() => chooseFolder.current?.click()}>
            {w.sendFolder}
          </MenuItem>
        </MenuSection>
        <MenuSection
          title={w.policy}
          choose="single"
          selected={[policy]}
          onSelect={(selected) => {
            const [way] = filesPolicy.options.filter((each) => selected.has(each));
            if (way !== undefined && way !== policy) void annotateGuest(guest, { files: way });
          }}
        >
          {(['to-guest', 'off'] as const).map((way) => (
            <MenuItem key={way} id={way} note={w.wayNotes[way]}>
              {w.ways[way]}
            </MenuItem>
          ))}
        </MenuSection>
      </MenuTrigger>
      <input ref={chooseFiles} type="file" multiple hidden aria-label={w.sendFiles} onChange={(event) => chosen(event.target)} />
      <input
        ref={(element) => {
          chooseFolder.current = element;
          // React does not know this attribute.
          element?.setAttribute('webkitdirectory', '');
        }}
        type="file"
        hidden
        aria-label={w.sendFolder}
        onChange={(event) => chosen(event.target)}
      />
    </>
  );
}
