import { GridLayout, GridList, GridListItem, Size, Virtualizer } from 'react-aria-components';
import { cpuCount } from '../../../contract/guest-spec.ts';
import type { Guest } from '../../../contract/guest-state.ts';
import { DisposableMark } from '../../parts/DisposableMark.tsx';
import { GuestSparkline } from '../../parts/GuestSparkline.tsx';
import { GuestStateBadge } from '../../parts/GuestStateBadge.tsx';
import { GuestThumbnail } from '../../parts/GuestThumbnail.tsx';
import { isLive } from '../../parts/guest-words.ts';
import { TimeText } from '../../parts/TimeText.tsx';
import { SelectionCheckbox } from '../../ui/toggles.tsx';
import { words } from '../../words/en.ts';
import { formatMiB } from '../../words/format.ts';
import { GuestName } from './GuestName.tsx';
import { type ListProps, selectionIds } from './list-props.ts';
import { QuickVerb } from './QuickVerb.tsx';

const layoutOptions = {
  minItemSize: new Size(208, 200),
  maxItemSize: new Size(330, 360),
  minSpace: new Size(18, 16),
  maxHorizontalSpace: 18,
};

/** The guests as pictures of their screens. Only those in sight are drawn. */
export function GuestCards({ guests, selected, onSelect, renaming, onRenamed, onOpen }: ListProps) {
  return (
    <Virtualizer layout={GridLayout} layoutOptions={layoutOptions}>
      <GridList
        className="cards"
        aria-label={words.library.listLabel}
        layout="grid"
        items={guests}
        dependencies={[renaming]}
        selectionMode="multiple"
        selectionBehavior="replace"
        selectedKeys={selected}
        onSelectionChange={(selection) => onSelect(selectionIds(selection, guests))}
        onAction={(key) => onOpen(String(key))}
        disallowTypeAhead={renaming !== null}
      >
        {(guest) => (
          <GridListItem id={guest.id} textValue={guest.spec.name} className="card">
            <GuestCard guest={guest} renaming={renaming === guest.id} onRenamed={onRenamed} />
          </GridListItem>
        )}
      </GridList>
    </Virtualizer>
  );
}

type CardProps = { guest: Guest; renaming: boolean; onRenamed: () => void };

function GuestCard({ guest, renaming, onRenamed }: CardProps) {
  const { spec, state } = guest;
  return (
    <div className="card-body">
      <div className="card-screen">
        <GuestThumbnail guest={guest} />
        <SelectionCheckbox className="card-check" />
        <QuickVerb guest={guest} className="card-verb" />
      </div>
      <div className="card-words">
        <div className="row card-title">
          <GuestName guest={guest} renaming={renaming} onRenamed={onRenamed} />
        </div>
        <div className="row card-state">
          <GuestStateBadge state={state} />
          <DisposableMark guest={guest} compact />
          <span className="grow" />
          {isLive(state) ? (
            <GuestSparkline guest={guest} width={64} />
          ) : (
            <span className="small muted ellipsis">
              {formatMiB(spec.memoryMiB)} · {cpuCount(spec.cpu)} CPU
            </span>
          )}
        </div>
        <div className="small muted ellipsis card-last">{isLive(state) ? <LiveLine guest={guest} /> : <StillLine guest={guest} />}</div>
      </div>
    </div>
  );
}

function LiveLine({ guest }: { guest: Guest }) {
  const { run } = guest.state;
  const parts = [
    run?.emulated ? words.guest.emulated : '',
    run?.addresses.find((address) => address.includes('.')) ?? run?.addresses[0] ?? '',
    formatMiB(guest.spec.memoryMiB),
  ];
  return parts.filter(Boolean).join(' · ');
}

function StillLine({ guest }: { guest: Guest }) {
  if (guest.lastStartedAt === null) return words.library.cardNever;
  return (
    <>
      {words.guest.lastStarted} <TimeText at={guest.lastStartedAt} />
    </>
  );
}
