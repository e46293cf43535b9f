import { useState } from 'react';
import { type MonitorScreen, useMonitorScreen } from './use-screen.ts';

type Props = Omit<MonitorScreen, 'host' | 'takesFocus' | 'onScale'> & { head: number };

/** A monitor beside the first one. */
export function BesideMonitor(props: Props) {
  const [host, setHost] = useState<HTMLDivElement | null>(null);
  useMonitorScreen({ ...props, host, takesFocus: false, onScale: () => undefined });
  return <div className="console-host-box" data-head={props.head} ref={setHost} />;
}
