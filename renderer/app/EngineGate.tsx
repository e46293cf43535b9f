import { FileText, RotateCcw, Unplug } from 'lucide-react';
import { type ReactNode, useEffect, useState } from 'react';
import type { EngineConnection } from '../../contract/shell.ts';
import { copyText, shell } from '../state/bridge.ts';
import { useConnection, useLoaded } from '../state/store.ts';
import { Button } from '../ui/Button.tsx';
import { CopyText, EmptyState, Notice, Skeleton } from '../ui/feedback.tsx';
import { words } from '../words/en.ts';
import './EngineGate.css';

/** The page, or what stands in its place while the engine is not there. */
export function EngineGate({ children }: { children: ReactNode }) {
  const connection = useConnection();
  const loaded = useLoaded();
  if (connection.state === 'failed') return <EngineFailed connection={connection} />;
  if (!loaded) return connection.state === 'lost' ? <LostBanner connection={connection} /> : <StartingSkeleton />;
  const lost = connection.state === 'lost';
  return (
    <>
      {lost && <LostBanner connection={connection} />}
      <div className={lost ? 'gate gate-dim' : 'gate'}>{children}</div>
    </>
  );
}

function StartingSkeleton() {
  return (
    <div className="page" role="status" aria-label={words.engine.startingTitle}>
      <Skeleton width={160} height={28} />
      <div className="gate-skeleton">
        {Array.from({ length: 8 }, (_, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: shapes without identity
          <Skeleton key={index} height={190} round />
        ))}
      </div>
    </div>
  );
}

function LostBanner({ connection }: { connection: Extract<EngineConnection, { state: 'lost' }> }) {
  const [left, setLeft] = useState(Math.ceil(connection.retryInMs / 1000));
  useEffect(() => {
    const until = Date.now() + connection.retryInMs;
    const tick = () => setLeft(Math.max(0, Math.ceil((until - Date.now()) / 1000)));
    tick();
    const timer = setInterval(tick, 500);
    return () => clearInterval(timer);
  }, [connection]);
  return (
    <div className="gate-banner">
      <Notice
        tone="warning"
        role="status"
        title={words.engine.lostTitle}
        actions={
          <Button icon={RotateCcw} onPress={() => void shell('shell.restartEngine', {})}>
            {words.common.retry}
          </Button>
        }
      >
        <p className="muted selectable">{connection.text}</p>
        {/* Not announced every second. */}
        <p className="muted" aria-hidden="true">
          {words.engine.lostRetry(left)}
        </p>
      </Notice>
    </div>
  );
}

function EngineFailed({ connection }: { connection: Extract<EngineConnection, { state: 'failed' }> }) {
  return (
    <EmptyState
      icon={Unplug}
      level={1}
      title={words.engine.failedTitle}
      actions={
        <>
          <Button kind="primary" icon={RotateCcw} onPress={() => void shell('shell.restartEngine', {})}>
            {words.engine.restart}
          </Button>
          <Button icon={FileText} onPress={() => void shell('shell.openLogs', {})}>
            {words.engine.openLogs}
          </Button>
        </>
      }
    >
      <div className="stack selectable" role="alert">
        <p>{connection.text}</p>
        {connection.hint && <p>{connection.hint}</p>}
        <p>
          <CopyText text={connection.code} copyLabel={words.common.copyCode} copiedLabel={words.common.copied} onCopy={copyText} />
        </p>
      </div>
    </EmptyState>
  );
}
