import { FileInput } from 'lucide-react';
import { useEffect, useState } from 'react';
import { useLocation } from 'wouter';
import { bridge } from '../state/bridge.ts';
import { showToast } from '../state/toasts.ts';
import { Button } from '../ui/Button.tsx';
import { Dialog } from '../ui/Dialog.tsx';
import { words } from '../words/en.ts';
import './FileDrop.css';

/** Takes an ISO, a disk image or a machine that is dropped anywhere on the window to the page that makes something of it. */
export function FileDrop() {
  const [over, setOver] = useState(false);
  const [location, navigate] = useLocation();
  const toImages = location.startsWith('/images');
  /** A machine that was dropped, whose disks can be images as well. */
  const [machine, setMachine] = useState<string | null>(null);

  useEffect(() => {
    let depth = 0;
    const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false;
    const enter = (event: DragEvent) => {
      if (!hasFiles(event)) return;
      depth += 1;
      // A console takes files itself.
      setOver(!event.defaultPrevented);
    };
    const leave = (event: DragEvent) => {
      if (!hasFiles(event)) return;
      depth -= 1;
      if (depth <= 0) setOver(false);
    };
    const move = (event: DragEvent) => {
      if (!hasFiles(event) || event.defaultPrevented) return;
      event.preventDefault();
      if (event.dataTransfer) event.dataTransfer.dropEffect = 'copy';
    };
    const drop = (event: DragEvent) => {
      depth = 0;
      setOver(false);
      // A page that took the file itself has said so.
      if (!hasFiles(event) || event.defaultPrevented) return;
      event.preventDefault();
      const files = [...(event.dataTransfer?.files ?? [])];
      const path = files[0] ? bridge.pathOfFile(files[0]) : '';
      if (path === '') return showToast({ tone: 'problem', title: words.library.dropNoPath });
      if (files.length > 1) showToast({ tone: 'info', title: words.library.dropMany });
      if (isArchive(path)) return setMachine(path);
      const page = toImages ? '/images?import=' : isMachine(path) ? '/import?path=' : `/new/${/\.iso$/i.test(path) ? 'iso' : 'disk'}?path=`;
      navigate(page + encodeURIComponent(path));
    };
    window.addEventListener('dragenter', enter);
    window.addEventListener('dragleave', leave);
    window.addEventListener('dragover', move);
    window.addEventListener('drop', drop);
    return () => {
      window.removeEventListener('dragenter', enter);
      window.removeEventListener('dragleave', leave);
      window.removeEventListener('dragover', move);
      window.removeEventListener('drop', drop);
    };
  }, [navigate, toImages]);

  const open = (page: string) => {
    navigate(page + encodeURIComponent(machine ?? ''));
    setMachine(null);
  };
  if (machine !== null) {
    return (
      <MachineChoice
        path={machine}
        onMachine={() => open('/import?path=')}
        onImages={() => open('/images?import=')}
        onClose={() => setMachine(null)}
      />
    );
  }
  if (!over) return null;
  return (
    <div className="file-drop" aria-hidden="true">
      <div className="file-drop-words">
        <FileInput size={32} strokeWidth={1.5} />
        {toImages ? words.library.dropImages : words.library.drop}
      </div>
    </div>
  );
}

/** An OVA can be a guest, or its disks images from which guests are made. */
function MachineChoice({
  path,
  onMachine,
  onImages,
  onClose,
}: {
  path: string;
  onMachine: () => void;
  onImages: () => void;
  onClose: () => void;
}) {
  const w = words.library.dropped;
  return (
    <Dialog
      title={w.title(path.split('/').at(-1) ?? path)}
      open
      onClose={onClose}
      closeLabel={words.common.close}
      actions={
        <>
          <Button onPress={onImages}>{w.asImages}</Button>
          <Button kind="primary" onPress={onMachine} autoFocus>
            {w.asMachine}
          </Button>
        </>
      }
    >
      <div className="stack">
        <p>{w.machineText}</p>
        <p className="muted">{w.imagesText}</p>
      </div>
    </Dialog>
  );
}

/** One file, or a description, with a whole machine that any product can read. */
function isArchive(path: string): boolean {
  return /\.(ova|ovf)$/i.test(path);
}

/** The description of a machine of one product, or a whole guest. */
function isMachine(path: string): boolean {
  return /\.(capsule|vmx|vbox|utm)$/i.test(path);
}
