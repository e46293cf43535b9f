/** `guesthouse doctor`: what this computer can do for guests. */
import type { Finding, HostReport } from '../../../contract/host.ts';
import type { CommandGroup } from '../context.ts';
import { Exit, exitCodes } from '../exit-codes.ts';
import { printable, show, styled, type Terminal } from '../terminal.ts';
import { bytes } from '../units.ts';

export const addDoctor: CommandGroup = (program, { terminal, engine }) => {
  program
    .command('doctor')
    .description('say what this computer can do for guests, what is wrong and how to mend it')
    .option('--refresh', 'probe everything anew instead of using what is known since the last start of the computer')
    .action(async (options: { refresh?: boolean }) => {
      const client = await engine();
      const report = await client.call('host.report', { refresh: options.refresh ?? false }, { timeoutMs: 180_000 });
      show(terminal, report, () => describeReport(terminal, report));
      if (report.findings.some((finding) => finding.severity === 'problem')) throw new Exit(exitCodes.failed);
    });
};

const marks = { ok: '✓', info: 'i', warning: '!', problem: '✗' } as const;
const order: Finding['severity'][] = ['problem', 'warning', 'info', 'ok'];

function describeReport(terminal: Terminal, report: HostReport): string {
  const findings = [...report.findings].sort((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity));
  const head = `${report.hostname}: ${report.cpus} processors, ${bytes(report.memoryMiB * 1024 * 1024)} of memory, ${bytes(report.storeFreeBytes)} free for guests in ${report.storePath}`;
  return [printable(head), '', ...findings.map((finding) => describeFinding(terminal, finding))].join('\n');
}

function describeFinding(terminal: Terminal, finding: Finding): string {
  const style = { ok: 'green', info: 'dim', warning: 'yellow', problem: 'red' } as const;
  const lines = [
    `${styled(terminal, style[finding.severity], marks[finding.severity])} ${styled(terminal, 'bold', printable(finding.title))} ${styled(terminal, 'dim', `(${finding.id})`)}`,
    `  ${printable(finding.text)}`,
  ];
  if (finding.remedy) lines.push(`  → ${printable(finding.remedy)}`);
  if (finding.command) lines.push(`    ${printable(finding.command)}`);
  return lines.join('\n');
}
