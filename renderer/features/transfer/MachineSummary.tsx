import type { MachineFinding, MachineReport } from '../../../contract/machine.ts';
import { OsLogo } from '../../parts/OsLogo.tsx';
import { Disclosure, Notice } from '../../ui/feedback.tsx';
import { words } from '../../words/en.ts';
import { formatBytes, formatCount, formatInteger, formatMiB } from '../../words/format.ts';
import { transferWords } from '../../words/transfer.ts';

const w = transferWords;
const severities = ['problem', 'warning', 'info', 'ok'] as const;

/** What a machine is, and what was found out about it, the gravest first. */
export function MachineSummary({ report }: { report: MachineReport }) {
  const firmware = words.guest.firmwares[report.firmware];
  const cpus = formatCount(report.cpus, 'processor', 'processors');
  return (
    <>
      <section className="machine selectable">
        <OsLogo os={report.os} size={40} />
        <div className="grow">
          <div className="machine-name">
            <bdi>{report.name}</bdi>
          </div>
          <div className="small muted">
            {w.kinds[report.kind]} · {report.os.name} · {w.hardware(cpus, formatMiB(report.memoryMiB), firmware)}
          </div>
          <ul className="machine-disks small">
            {report.disks.map((disk) => (
              <li key={disk.file}>
                <bdi>{disk.file}</bdi>{' '}
                <span className="muted">
                  {w.disk(disk.format, formatBytes(disk.fileSizeBytes), formatBytes(disk.virtualSizeBytes), disk.bus.toUpperCase())}
                </span>
              </li>
            ))}
          </ul>
        </div>
      </section>
      {severities.map((severity) => {
        const findings = report.findings.filter((finding) => finding.severity === severity);
        if (findings.length === 0) return null;
        const list = findings.map((finding) => <Found key={`${finding.id} ${finding.text}`} finding={finding} />);
        return severity === 'problem' || severity === 'warning' ? (
          <section key={severity} className="stack">
            <h2>{w.severities[severity]}</h2>
            {list}
          </section>
        ) : (
          <Disclosure key={severity} title={`${w.severities[severity]} (${formatInteger(findings.length)})`} open={severity === 'info'}>
            <div className="stack">{list}</div>
          </Disclosure>
        );
      })}
    </>
  );
}

function Found({ finding }: { finding: MachineFinding }) {
  return (
    <Notice tone={finding.severity} title={finding.title}>
      <p className="selectable">{finding.text}</p>
      <p className="selectable">
        <strong>{w.action}:</strong> {finding.action}
      </p>
    </Notice>
  );
}
