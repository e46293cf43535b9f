import { ListBox, ListBoxItem } from 'react-aria-components';
import type { GuestSnapshot, SnapshotTree } from '../../../contract/guest-snapshot.ts';
import type { Guest } from '../../../contract/guest-state.ts';
import type { SnapshotId } from '../../../contract/ids.ts';
import { TimeText } from '../../parts/TimeText.tsx';
import { useCall } from '../../state/use-call.ts';
import { words } from '../../words/en.ts';
import { formatBytes } from '../../words/format.ts';
import { type SnapshotGraph, snapshotGraph } from './snapshot-graph.ts';

const w = words.snapshots;
const rowPx = 48;
const lanePx = 16;

type Props = {
  tree: SnapshotTree;
  guest: Guest;
  chosen: SnapshotId | null;
  onChoose: (id: SnapshotId) => void;
  /** Enter, or a double press. */
  onOpen: (snapshot: GuestSnapshot) => void;
};

/** The tree, newest first: what came from what is drawn beside it, and read out by the order. */
export function SnapshotList({ tree, guest, chosen, onChoose, onOpen }: Props) {
  const graph = snapshotGraph(tree);
  const gutterPx = graph.lanes * lanePx + 12;
  return (
    <div className="snapshots-list" style={{ '--gutter': `${gutterPx}px` }}>
      <Lines graph={graph} current={tree.currentId} widthPx={gutterPx} />
      <ListBox
        aria-label={w.list}
        selectionMode="single"
        disallowEmptySelection
        selectedKeys={chosen === null ? [] : [chosen]}
        disabledKeys={['now']}
        onSelectionChange={(keys) => {
          const [id] = keys === 'all' ? [] : [...keys];
          if (id) onChoose(id as SnapshotId);
        }}
        onAction={(id) => {
          const snapshot = tree.snapshots.find((one) => one.id === id);
          if (snapshot?.state === 'ready') onOpen(snapshot);
        }}
      >
        {graph.rows.map(({ snapshot }) => (snapshot ? <Row key={snapshot.id} snapshot={snapshot} /> : <Now key="now" guest={guest} />))}
      </ListBox>
    </div>
  );
}

function Now({ guest }: { guest: Guest }) {
  const text = guest.state.run ? w.nowRunning : w.nowOff;
  return (
    <ListBoxItem id="now" textValue={w.row(w.now, text)} className="snapshots-row snapshots-now">
      <span className="snapshots-words">
        <span className="snapshots-name">{w.now}</span>
        <span className="muted small">{text}</span>
      </span>
    </ListBoxItem>
  );
}

function Row({ snapshot }: { snapshot: GuestSnapshot }) {
  const facets = [snapshot.withMemory ? w.withMemory : '', w.reasons[snapshot.reason]].filter(Boolean);
  const details = snapshot.state === 'making' ? w.making : [...facets, formatBytes(snapshot.sizeBytes)].join(' · ');
  return (
    <ListBoxItem id={snapshot.id} textValue={w.row(snapshot.name, details)} className="snapshots-row">
      <span className="snapshots-words">
        <span className="snapshots-name ellipsis" title={snapshot.name}>
          <bdi>{snapshot.name}</bdi>
        </span>
        <span className="muted small ellipsis">
          <TimeText at={snapshot.createdAt} /> · {details}
        </span>
      </span>
      {snapshot.hasThumbnail && <Thumbnail snapshot={snapshot} />}
    </ListBoxItem>
  );
}

/** Decoration: what it shows is large beside the list. */
function Thumbnail({ snapshot }: { snapshot: GuestSnapshot }) {
  const { value } = useCall('snapshot.thumbnail', { snapshot: snapshot.id });
  return (
    <span className="snapshots-thumbnail">
      {value?.pngBase64 && <img src={`data:image/png;base64,${value.pngBase64}`} alt="" draggable={false} />}
    </span>
  );
}

/** The lines of descent, for the eye. */
function Lines({ graph, current, widthPx }: { graph: SnapshotGraph; current: SnapshotId | null; widthPx: number }) {
  const x = (lane: number) => 12 + lane * lanePx;
  const y = (row: number) => row * rowPx + rowPx / 2;
  return (
    <svg className="snapshots-lines" width={widthPx} height={graph.rows.length * rowPx} aria-hidden="true">
      {graph.lines.map(({ fromRow, fromLane, toRow, toLane }) => (
        <path
          key={fromRow}
          className={fromRow === 0 ? 'snapshots-line-now' : undefined}
          d={
            fromLane === toLane
              ? `M${x(fromLane)} ${y(fromRow)}V${y(toRow)}`
              : `M${x(fromLane)} ${y(fromRow)}V${y(toRow) - rowPx / 2}C${x(fromLane)} ${y(toRow) - 8} ${x(toLane)} ${y(toRow) - 16} ${x(toLane)} ${y(toRow)}`
          }
        />
      ))}
      {graph.rows.map(({ snapshot, lane }, row) => (
        <circle
          key={snapshot?.id ?? 'now'}
          className={snapshot === null ? 'snapshots-dot-now' : snapshot.id === current ? 'snapshots-dot-current' : undefined}
          cx={x(lane)}
          cy={y(row)}
          r={snapshot === null ? 5 : 4}
        />
      ))}
    </svg>
  );
}
