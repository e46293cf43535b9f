import { CircleCheck, CircleMinus, CircleX, RefreshCw } from 'lucide-react';
import { useState } from 'react';
import type { AcceleratorVerdict, Finding, HostReport } from '../../../contract/host.ts';
import { ErrorPanel } from '../../parts/ErrorPanel.tsx';
import { ProgramDetails, ProgramText } from '../../parts/ProgramText.tsx';
import { TimeText } from '../../parts/TimeText.tsx';
import { useCall } from '../../state/use-call.ts';
import { Button } from '../../ui/Button.tsx';
import { Disclosure, Notice, Skeleton } from '../../ui/feedback.tsx';
import { words } from '../../words/en.ts';
import { formatBytes, formatInteger, formatMiB } from '../../words/format.ts';
import './health.css';

const severities = ['problem', 'warning', 'info', 'ok'] as const;

/** What this computer can do for guests: what is missing first, each with its remedy. */
export function HealthPage() {
  const [round, setRound] = useState(0);
  const { value: host, error, loading } = useCall('host.report', round === 0 ? {} : { refresh: true }, round);
  return (
    <div className="page">
      <header className="page-header">
        <h1>{words.health.title}</h1>
        {host && !loading && (
          <span className="muted small">
            {words.health.checkedAt} <TimeText at={host.checkedAt} />
          </span>
        )}
        <Button icon={RefreshCw} busy={loading} onPress={() => setRound(round + 1)}>
          {loading ? words.health.checking : words.health.recheck}
        </Button>
      </header>
      {error && <ErrorPanel error={error} />}
      {!host && loading && (
        <div className="stack" role="status" aria-label={words.health.checking}>
          <Skeleton height={56} round />
          <Skeleton height={120} round />
          <Skeleton height={120} round />
        </div>
      )}
      {host && <Report host={host} />}
    </div>
  );
}

function Report({ host }: { host: HostReport }) {
  const of = (severity: Finding['severity']) => host.findings.filter((finding) => finding.severity === severity);
  const problems = of('problem').length;
  const warnings = of('warning').length;
  return (
    <div className="health">
      <div className="health-main">
        <p className="health-summary">
          {problems > 0
            ? words.health.summaryProblems(problems)
            : warnings > 0
              ? words.health.summaryWarnings(warnings)
              : words.health.summaryGood}
        </p>
        {severities.map((severity) => {
          const findings = of(severity);
          if (findings.length === 0) return null;
          const list = findings.map((finding) => <FindingNotice key={finding.id} finding={finding} />);
          // What is in order is there to be looked up, not to be read first.
          return severity === 'ok' ? (
            <Disclosure
              key={severity}
              title={`${words.health.severities[severity]} (${formatInteger(findings.length)})`}
              open={problems + warnings === 0}
            >
              <div className="stack">{list}</div>
            </Disclosure>
          ) : (
            <section key={severity} className="stack">
              <h2>{words.health.severities[severity]}</h2>
              {list}
            </section>
          );
        })}
      </div>
      <aside className="health-side">
        <Computer host={host} />
      </aside>
    </div>
  );
}

function FindingNotice({ finding }: { finding: Finding }) {
  return (
    <Notice tone={finding.severity} title={finding.title}>
      <p className="selectable">{finding.text}</p>
      {finding.remedy && (
        <p className="selectable">
          <strong>{words.health.remedy}:</strong> {finding.remedy}
        </p>
      )}
      {finding.command && <ProgramText text={finding.command} label={words.health.command} />}
      {finding.detail && <ProgramDetails text={finding.detail} />}
      <p className="faint small mono selectable">{finding.id}</p>
    </Notice>
  );
}

function Computer({ host }: { host: HostReport }) {
  const told = new Set(host.findings.map(({ text }) => text));
  return (
    <>
      <section>
        <h2>{words.health.computer}</h2>
        <dl className="health-facts selectable">
          <dt>{words.health.computer}</dt>
          <dd>{host.hostname}</dd>
          <dt>{words.health.processors}</dt>
          <dd>{formatInteger(host.cpus)}</dd>
          <dt>{words.health.memory}</dt>
          <dd>{words.health.memoryLine(formatMiB(host.memoryFreeMiB), formatMiB(host.memoryMiB))}</dd>
          <dt>{words.health.store}</dt>
          <dd>
            {words.health.storeLine(formatBytes(host.storeFreeBytes), formatBytes(host.storeTotalBytes))}
            <div className="mono muted">{host.storePath}</div>
          </dd>
        </dl>
      </section>
      {host.qemu.map((qemu) => (
        <section key={qemu.path}>
          <h2>
            {words.health.qemu} {qemu.version} · {qemu.architecture}
          </h2>
          <p className="mono muted selectable">{qemu.path}</p>
          <h3>{words.health.accelerators}</h3>
          <ul className="stack">
            {qemu.accelerators.map((verdict) => (
              <Accelerator key={verdict.name} verdict={verdict} toldAlready={told.has(verdict.reason)} />
            ))}
          </ul>
        </section>
      ))}
    </>
  );
}

/** `toldAlready`: a finding beside it gives the reason. */
function Accelerator({ verdict, toldAlready }: { verdict: AcceleratorVerdict; toldAlready: boolean }) {
  const [Icon, label, tone] = verdict.usable
    ? ([CircleCheck, words.health.usable, 'good'] as const)
    : verdict.present
      ? ([CircleX, words.health.unusable, 'bad'] as const)
      : ([CircleMinus, words.health.absent, 'none'] as const);
  return (
    <li className={`accelerator accelerator-${tone}`}>
      <Icon size={16} aria-hidden="true" />
      <div className="selectable">
        <div>
          <strong>{words.create.acceleratorNames[verdict.name]}</strong> · {label}
        </div>
        {!toldAlready && <div className="muted small">{verdict.reason}</div>}
      </div>
    </li>
  );
}
