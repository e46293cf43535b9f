import { ImagePlus, RefreshCw, Replace } from 'lucide-react';
import { useState } from 'react';
import { Link } from 'wouter';
import type { GuesthouseError } from '../../../contract/errors.ts';
import { guestCannot } from '../../../contract/guest-can.ts';
import type { Guest } from '../../../contract/guest-state.ts';
import type { GuestFacts, ImageOrigin as Origin } from '../../../contract/image-catalogue.ts';
import { ErrorPanel } from '../../parts/ErrorPanel.tsx';
import { TimeText } from '../../parts/TimeText.tsx';
import { call } from '../../state/bridge.ts';
import { openRebase } from '../../state/rebasing.ts';
import { useImages } from '../../state/store.ts';
import { useCall } from '../../state/use-call.ts';
import { useSettled } from '../../state/use-settled.ts';
import { Button, IconButton } from '../../ui/Button.tsx';
import { Notice } from '../../ui/feedback.tsx';
import { cloneWords } from '../../words/clone.ts';
import { words } from '../../words/en.ts';
import { CaptureDialog } from './CaptureDialog.tsx';
import { Facts } from './Facts.tsx';

const w = words.guest.origin;

/** Which image the guest was made from, whether that has a newer version, and what its agent says of the system inside. */
export function GuestOrigin({ guest }: { guest: Guest }) {
  const known = useCall('guest.imageOrigin', { guest: guest.id }, useSettled(useImages(), 300));
  const [error, setError] = useState<GuesthouseError | null>(null);
  const [busy, setBusy] = useState(false);
  const [capturing, setCapturing] = useState(false);
  const { origin, facts } = known.value ?? { origin: null, facts: null };
  const reason = guestCannot(guest.state, 'exec') ?? (guest.state.run?.qemuAgent ? null : w.noAgent);
  const read = async () => {
    setBusy(true);
    const answer = await call('guest.readFacts', { guest: guest.id });
    setBusy(false);
    setError(answer.ok ? null : answer.error);
    known.reload();
  };
  return (
    <section className="guest-box stack">
      <div className="row">
        <h2 className="grow">{w.title}</h2>
        <IconButton icon={RefreshCw} label={w.read} busy={busy} reason={reason} onPress={() => void read()} />
      </div>
      {origin?.newer && (
        <Notice tone="info" title={w.newer(origin.newer.imageName, origin.newer.version)}>
          {origin.newer.changeNote && <p className="selectable">{origin.newer.changeNote}</p>}
          <div className="row row-wrap">
            <Button icon={Replace} onPress={() => openRebase({ guests: [guest.id] })}>
              {cloneWords.rebase}
            </Button>
            <Link href={`/images?image=${origin.newer.imageId}`}>{w.showNewer}</Link>
          </div>
        </Notice>
      )}
      <Facts facts={factsOf(origin, facts)} />
      {error && <ErrorPanel error={error} onDismiss={() => setError(null)} />}
      <div>
        <Button icon={ImagePlus} reason={guestCannot(guest.state, 'clone')} onPress={() => setCapturing(true)}>
          {w.capture}
        </Button>
      </div>
      {capturing && <CaptureDialog guest={guest} series={origin?.series?.name ?? ''} onClose={() => setCapturing(false)} />}
    </section>
  );
}

function factsOf(origin: Origin | null, facts: GuestFacts | null) {
  const image = origin?.present ? (
    <Link href={`/images?image=${origin.imageId}`}>
      <bdi>{origin.imageName}</bdi>
    </Link>
  ) : (
    (origin?.imageName ?? words.common.none)
  );
  return [
    [w.image, image] as const,
    ...(origin?.series ? [[w.series, w.seriesLine(origin.series.name, origin.series.version)] as const] : []),
    ...(facts === null
      ? [[w.inside, w.neverAsked] as const]
      : [
          [w.inside, facts.osName ?? words.common.unknown] as const,
          [w.patchLevel, facts.patchLevel ?? words.common.unknown] as const,
          [w.kernel, facts.kernels[0] ?? words.common.unknown] as const,
          ...(facts.packages ? [[w.packages, w.packagesLine(facts.packages.manager, facts.packages.count)] as const] : []),
          [w.asked, <TimeText key="asked" at={facts.readAt} />] as const,
        ]),
  ];
}
