import type { Guest } from '../../../contract/guest-state.ts';
import { ErrorPanel } from '../../parts/ErrorPanel.tsx';
import { copyText } from '../../state/bridge.ts';
import { useCall } from '../../state/use-call.ts';
import { CodeBlock, Skeleton } from '../../ui/feedback.tsx';
import { words } from '../../words/en.ts';
import { buildCommandLine } from './command-line.ts';

const h = words.guest.hardware;
const w = words.hardware;

/** QEMU's arguments as they are, or would be at a start. */
export function CommandLine({ guest }: { guest: Guest }) {
  const { value, error } = useCall('guest.arguments', { guest: guest.id }, guest.spec);
  if (error) return <ErrorPanel error={error} />;
  if (!value) return <Skeleton height={120} />;
  return (
    <div className="stack">
      <p className="muted">{h.commandNote}</p>
      <CodeBlock
        text={buildCommandLine(value.arguments)}
        label={h.command}
        copyLabel={words.common.copy}
        copiedLabel={words.common.copied}
        onCopy={copyText}
      />
    </div>
  );
}

/** The guest as a libvirt domain. */
export function LibvirtXml({ guest }: { guest: Guest }) {
  const { value, error } = useCall('guest.libvirtXml', { guest: guest.id }, guest.spec);
  if (error) return <ErrorPanel error={error} />;
  if (!value) return <Skeleton height={120} />;
  return (
    <div className="stack">
      <p className="muted">{w.xmlNote}</p>
      <CodeBlock text={value.xml} label={w.items.xml} copyLabel={words.common.copy} copiedLabel={words.common.copied} onCopy={copyText} />
    </div>
  );
}
