import { Disc3, HardDrive, Play } from 'lucide-react';
import { useState } from 'react';
import { useLocation } from 'wouter';
import type { GuesthouseError } from '../../../contract/errors.ts';
import type { Image } from '../../../contract/image.ts';
import { ErrorPanel } from '../../parts/ErrorPanel.tsx';
import { OsLogo } from '../../parts/OsLogo.tsx';
import { call } from '../../state/bridge.ts';
import { startWhenCreated } from '../../state/start-when-created.ts';
import { useImages } from '../../state/store.ts';
import { Button } from '../../ui/Button.tsx';
import { words } from '../../words/en.ts';

/** The library before the first guest: one press to see one run. */
export function EmptyLibrary() {
  const images = useImages();
  const starter = Object.values(images).find((image) => image.builtIn);
  const [, navigate] = useLocation();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<GuesthouseError | null>(null);

  const createStarter = async (image: Image) => {
    setBusy(true);
    setError(null);
    const answer = await call('guest.create', {
      source: { kind: 'image', imageId: image.id },
      choices: { name: words.library.starterName },
    });
    setBusy(false);
    if (!answer.ok) return setError(answer.error);
    startWhenCreated(answer.value.guest.id);
    navigate(`/guests/${answer.value.guest.id}/console`);
  };

  return (
    <div className="page">
      <div className="welcome">
        {starter && <OsLogo os={starter.os} size={40} />}
        <h1>{words.library.emptyTitle}</h1>
        <p className="muted">{words.library.emptyText}</p>
        {error && <ErrorPanel error={error} onDismiss={() => setError(null)} />}
        <div className="row row-wrap welcome-actions">
          {starter && (
            <Button kind="primary" icon={Play} busy={busy} onPress={() => void createStarter(starter)}>
              {words.library.startStarter}
            </Button>
          )}
          <Button icon={Disc3} kind={starter ? 'secondary' : 'primary'} onPress={() => navigate('/new/iso')}>
            {words.library.fromIso}
          </Button>
          <Button icon={HardDrive} onPress={() => navigate('/new/disk')}>
            {words.library.fromDisk}
          </Button>
        </div>
      </div>
    </div>
  );
}
