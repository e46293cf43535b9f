import { CircleCheck, CircleDashed, CircleX, FileText, RotateCcw } from 'lucide-react';
import { Dialog, DialogTrigger, Heading, Popover } from 'react-aria-components';
import type { EngineConnection } from '../../contract/shell.ts';
import { TimeText } from '../parts/TimeText.tsx';
import { shell } from '../state/bridge.ts';
import { useConnection, useEngineStore } from '../state/store.ts';
import { Button } from '../ui/Button.tsx';
import { words } from '../words/en.ts';

const icons = { starting: CircleDashed, connected: CircleCheck, lost: CircleX, failed: CircleX } satisfies Record<
  EngineConnection['state'],
  unknown
>;

/** How the engine is, and what can be done about it. */
export function EngineChip() {
  const connection = useConnection();
  const engine = useEngineStore((state) => state.engine);
  const tone = connection.state === 'connected' ? 'top-chip-ok' : connection.state === 'starting' ? '' : 'top-chip-bad';
  return (
    <DialogTrigger>
      <Button kind="quiet" icon={icons[connection.state]} className={`top-chip ${tone}`} tooltip={words.engine[connection.state]}>
        <span className="top-chip-text">{words.engine[connection.state]}</span>
      </Button>
      <Popover className="popover top-popover" placement="bottom end" offset={4}>
        <Dialog className="top-panel">
          <Heading slot="title" level={2}>
            {words.engine.panel}
          </Heading>
          {engine && (
            <dl className="selectable">
              <dt>{words.engine.version}</dt>
              <dd>{engine.version}</dd>
              <dt>{words.engine.process}</dt>
              <dd>{engine.pid}</dd>
              <dt>{words.engine.since}</dt>
              <dd>
                <TimeText at={engine.startedAt} />
              </dd>
              <dt>{words.engine.home}</dt>
              <dd className="mono">{engine.home}</dd>
            </dl>
          )}
          <div className="row row-wrap">
            <Button icon={RotateCcw} tooltip={words.engine.restartNote} onPress={() => void shell('shell.restartEngine', {})}>
              {words.engine.restart}
            </Button>
            <Button icon={FileText} onPress={() => void shell('shell.openLogs', {})}>
              {words.engine.openLogs}
            </Button>
          </div>
        </Dialog>
      </Popover>
    </DialogTrigger>
  );
}
