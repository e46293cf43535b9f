import type { ConsoleSession, SessionView } from '../../console/session.ts';
import { consoleWords } from '../../words/console.ts';
import { formatPercent, formatRate } from '../../words/format.ts';
import { useStats } from './use-stats.ts';

type Props = {
  session: ConsoleSession | null;
  view: SessionView | null;
  scale: number;
  grabbed: boolean;
  pointerLocked: boolean;
  onGrab: () => void;
};

/** What the connection does: protocol, size, pictures, round trip, bytes, and who has the keyboard. */
export function ConsoleStrip({ session, view, scale, grabbed, pointerLocked, onGrab }: Props) {
  const connected = view?.phase === 'connected';
  const grabWords = pointerLocked ? consoleWords.grabbedPointer : grabbed ? consoleWords.grabbed : consoleWords.grabHint;
  return (
    <section className="console-strip" aria-label={consoleWords.strip}>
      <span className="console-fact" data-fact="protocol">
        {connected ? view.console?.protocol : view?.phase === 'connecting' ? consoleWords.connecting : consoleWords.disconnected}
      </span>
      {connected && view.size && (
        <span className="console-fact" data-fact="size">
          {consoleWords.size(view.size.widthPx, view.size.heightPx)}
          {scale !== 1 && <span className="muted"> · {formatPercent(scale)}</span>}
        </span>
      )}
      {connected && <Figures session={session} />}
      <span className="console-strip-space" />
      {connected && (
        <button
          type="button"
          className={grabbed ? 'console-grab console-grab-on' : 'console-grab'}
          onClick={onGrab}
          tabIndex={grabbed ? -1 : 0}
        >
          {grabWords}
        </button>
      )}
    </section>
  );
}

/** Drawn anew by themselves, as they change every second. */
function Figures({ session }: { session: ConsoleSession | null }) {
  const stats = useStats(session);
  return (
    <>
      <span className="console-fact" data-fact="fps" title={consoleWords.framesTitle}>
        {consoleWords.framesPerSecond(Math.round(stats.framesPerSecond))}
      </span>
      <span className="console-fact" data-fact="latency" title={consoleWords.latencyTitle}>
        {stats.latencyMs === null ? consoleWords.latencyNone : consoleWords.latency(formatMs(stats.latencyMs))}
      </span>
      <span className="console-fact console-bytes" data-fact="bytes" title={consoleWords.bytesTitle}>
        ↓ {formatRate(stats.bytesInPerSecond)} ↑ {formatRate(stats.bytesOutPerSecond)}
      </span>
    </>
  );
}

function formatMs(ms: number): string {
  return ms < 10 ? ms.toFixed(1) : ms.toFixed(0);
}
