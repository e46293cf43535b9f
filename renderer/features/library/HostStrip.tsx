import { Link } from 'wouter';
import { useCall } from '../../state/use-call.ts';
import { Skeleton } from '../../ui/feedback.tsx';
import { words } from '../../words/en.ts';
import { formatBytes, formatMiB } from '../../words/format.ts';

/** What this computer has to give, in a line above its guests. */
export function HostStrip() {
  const { value: host } = useCall('host.report', {});
  if (!host)
    return (
      <div className="library-strip">
        <Skeleton width={320} />
      </div>
    );
  const worst = host.findings.some((finding) => finding.severity === 'problem');
  return (
    <div className="library-strip">
      <strong>
        <bdi>{host.hostname}</bdi>
      </strong>
      <span className="muted">{words.library.hostLine(host.cpus, formatMiB(host.memoryFreeMiB), formatMiB(host.memoryMiB))}</span>
      <span className="muted">{words.library.hostStore(formatBytes(host.storeFreeBytes))}</span>
      <Link href="/health">
        {worst ? words.health.summaryProblems(host.findings.filter((each) => each.severity === 'problem').length) : words.nav.health}
      </Link>
    </div>
  );
}
