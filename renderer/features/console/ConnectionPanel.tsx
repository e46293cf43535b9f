import { Check, TriangleAlert, X } from 'lucide-react';
import { type ReactNode, useEffect, useState } from 'react';
import { Link } from 'wouter';
import type { Guest } from '../../../contract/guest-state.ts';
import type { ConsoleSession, SessionView } from '../../console/session.ts';
import { bridge } from '../../state/bridge.ts';
import { IconButton } from '../../ui/Button.tsx';
import { consoleWords } from '../../words/console.ts';
import { formatBytes, formatInteger, formatList, formatPercent, formatRate } from '../../words/format.ts';
import { useDetails } from './use-details.ts';
import { useStats } from './use-stats.ts';
import { whySlow } from './why-slow.ts';

type Props = { guest: Guest; session: ConsoleSession | null; view: SessionView | null; onClose: () => void };

const w = consoleWords.panel;

/** Beside the picture: what the connection is made of, how it fares, and why it is slow. */
export function ConnectionPanel({ guest, session, view, onClose }: Props) {
  const live = view?.phase === 'connected' ? view.console : null;
  return (
    <aside className="console-panel" aria-label={w.title}>
      <header className="console-panel-head">
        <h2>{w.title}</h2>
        <IconButton icon={X} label={w.close} onPress={onClose} />
      </header>
      {live ? <Figures guest={guest} session={session} view={view} /> : <p className="muted">{w.none}</p>}
    </aside>
  );
}

/** A console's own window shows no other page. */
function WhyEmulated() {
  return bridge.info.window.kind === 'main' ? <Link href="/health">{w.whyEmulated}</Link> : w.whyEmulated;
}

function Figures({ guest, session, view }: Omit<Props, 'onClose'>) {
  // As the strip shows them: two figures of the same thing would be one too many.
  const stats = useStats(session);
  const now = useDetails(view?.console ?? null);
  const hidden = useHidden();
  if (!view?.console) return null;
  if (!now) return <p className="muted">{w.waiting}</p>;
  const { details, recent } = now;
  const emulated = guest.state.run?.emulated ?? false;
  const reasons = whySlow({ emulated, hidden, stats: now.stats, details, recent });
  const packings = packingsOf(details.pictures);
  return (
    <>
      <section aria-label={w.whySlow}>
        <h3>{w.whySlow}</h3>
        <ul className="console-reasons">
          {reasons.length === 0 ? (
            <li>
              <Check size={16} aria-hidden="true" /> <span>{stats.framesPerSecond > 0 ? w.nothingSlow : w.still}</span>
            </li>
          ) : (
            reasons.map((reason) => (
              <li key={reason} className="console-reason">
                <TriangleAlert size={16} aria-hidden="true" />{' '}
                <span>
                  {w.reasons[reason]} {reason === 'emulated' && <WhyEmulated />}
                </span>
              </li>
            ))
          )}
        </ul>
      </section>
      <dl className="console-figures">
        <Figure name={w.protocol}>{view.console.protocol}</Figure>
        <Figure name={w.frames}>{consoleWords.framesPerSecond(Math.round(stats.framesPerSecond))}</Figure>
        <Figure name={w.received}>{formatRate(stats.bytesInPerSecond)}</Figure>
        <Figure name={w.sent}>{formatRate(stats.bytesOutPerSecond)}</Figure>
        <Figure name={w.latency}>{stats.latencyMs === null ? w.latencyNone : consoleWords.latency(stats.latencyMs.toFixed(1))}</Figure>
        <Figure name={w.busy}>{formatPercent(details.busy)}</Figure>
        <Figure name={w.dropped}>{formatInteger(details.droppedFrames)}</Figure>
        <Figure name={w.videos}>{details.videos.length === 0 ? w.videosNone : formatList(details.videos.map(videoName))}</Figure>
        <Figure name={w.memory}>{formatBytes(details.memoryBytes)}</Figure>
        <Figure name={w.channels}>{formatList(counted(details.channels))}</Figure>
      </dl>
      <h3>{w.pictures}</h3>
      {packings.length === 0 && <p className="muted">{w.picturesNone}</p>}
      <dl className="console-figures" data-figures="pictures">
        {packings.map(({ name, count, bytes }) => (
          <Figure key={name} name={name}>
            {bytes > 0 ? w.picturesOf(formatInteger(count), formatBytes(bytes)) : formatInteger(count)}
          </Figure>
        ))}
      </dl>
      <h3>{w.agents}</h3>
      <dl className="console-figures">
        <Figure name={w.spiceAgent}>{details.agentCapabilities === null ? w.agentAbsent : w.agentThere}</Figure>
        <Figure name={w.guestAgent}>{guest.state.run?.qemuAgent ? w.agentVersion(guest.state.run.qemuAgentVersion) : w.agentAbsent}</Figure>
      </dl>
      {details.agentCapabilities !== null && <p className="muted small">{w.spiceAgentOffers(abilities(details.agentCapabilities))}</p>}
    </>
  );
}

function Figure({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** By their names in words, which some kinds share; what came most first. */
function packingsOf(pictures: readonly { packing: string; count: number; bytes: number }[]) {
  const sums = new Map<string, { name: string; count: number; bytes: number }>();
  for (const { packing, count, bytes } of pictures) {
    const kept = packing === 'fromCache' || packing === 'fromCacheLossless' || packing === 'surface';
    const name = w.packings[packing as keyof typeof w.packings] ?? packing;
    const sum = sums.get(name) ?? { name, count: 0, bytes: 0 };
    sums.set(name, { name, count: sum.count + count, bytes: kept ? 0 : sum.bytes + bytes });
  }
  return [...sums.values()].sort((one, other) => other.count - one.count);
}

/** Each once, with how many there are of it. */
function counted(names: readonly string[]): string[] {
  return [...new Set(names)].map((name) => w.several(names.filter((each) => each === name).length, name));
}

function videoName(codec: string): string {
  return w.videoNames[codec as keyof typeof w.videoNames] ?? codec;
}

function abilities(capabilities: readonly string[]): string {
  const known: (string | undefined)[] = capabilities.map((capability) => w.abilities[capability as keyof typeof w.abilities]);
  // Who takes no files says so.
  if (capabilities.length > 0 && !capabilities.includes('FILE_XFER_DISABLED')) known.push(w.files);
  return formatList([...new Set(known.filter((word) => word !== undefined))]);
}

function useHidden(): boolean {
  const [hidden, setHidden] = useState(document.hidden);
  useEffect(() => {
    const changed = () => setHidden(document.hidden);
    document.addEventListener('visibilitychange', changed);
    return () => document.removeEventListener('visibilitychange', changed);
  }, []);
  return hidden;
}
