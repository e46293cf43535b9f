/** `guesthouse guest import`: machines that come from other products. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { BootTest, MachineFinding, MachineReport } from '../../../contract/machine.ts';
import type { Context } from '../context.ts';
import { followJob } from '../job-progress.ts';
import { facts, printable, show, styled, type Terminal } from '../terminal.ts';
import { bytes } from '../units.ts';

type ImportOptions = { name?: string; check?: boolean; bootTest: boolean; trustPaths?: boolean };

/** A machine is read whole as far as its tables go, over a disk that may be slow. */
const inspectTimeoutMs = 120_000;

export function addGuestTransfer(group: Command, { terminal, engine }: Context): void {
  group
    .command('import')
    .description('make a guest of a machine of VMware, VirtualBox, libvirt, UTM or Quickemu, of an OVA or of plain disks')
    .argument('<file>', '.ova, .ovf, .vmx, .vbox, libvirt’s .xml, a UTM bundle, a Quickemu .conf, or a disk')
    .argument('[disks...]', 'further disks of the same machine')
    .option('--name <name>', 'what the guest is called (default: as in the source)')
    .option('--check', 'only say what would be imported and what is in the way')
    .option('--no-boot-test', 'do not start the copy once to see whether it boots')
    .option('--trust-paths', 'also copy disks outside the folder of the machine')
    .action(async (file: string, disks: string[], options: ImportOptions) => {
      const client = await engine();
      const source = { path: resolve(file), ...(disks.length > 0 ? { moreDisks: disks.map((disk) => resolve(disk)) } : {}) };
      if (options.check) {
        const report = await client.call('machine.inspect', source, { timeoutMs: inspectTimeoutMs });
        return show(terminal, report, (found) => describe(terminal, found));
      }
      const wish = { ...source, bootTest: options.bootTest, trustPaths: options.trustPaths ?? false };
      const named = options.name ? { ...wish, name: options.name } : wish;
      const { guest, job } = await client.call('machine.import', named, { timeoutMs: inspectTimeoutMs });
      await followJob(client, terminal, job.id);
      const test = await client.call('machine.bootTest', { guest: guest.id });
      if (!terminal.json) terminal.out(`Imported “${printable(guest.spec.name)}”. ${said(test)}\n`);
    });
}

function said(test: BootTest | null): string {
  if (!test) return 'Whether it boots was not tried.';
  const verdicts = { booted: 'It booted', reading: 'It began to boot', idle: 'It did not boot', failed: 'It could not be started' };
  return `${verdicts[test.verdict]} when it was tried: ${test.text}`;
}

const marks = { problem: ['red', '✗'], warning: ['yellow', '!'], info: ['dim', '·'], ok: ['green', '✓'] } as const;

function describe(terminal: Terminal, report: MachineReport): string {
  const head = facts([
    ['Name', report.name],
    ['Kind', report.kind],
    ['Operating system', report.os.name],
    ['Recognised', report.recognisedBy],
    ['Hardware', `${report.cpus} processors, ${report.memoryMiB} MiB, ${report.firmware}${report.tpm ? ', TPM' : ''}`],
    ...report.disks.map((disk): [string, string] => [
      'Disk',
      `${disk.file} (${disk.format}, ${bytes(disk.fileSizeBytes)} of ${bytes(disk.virtualSizeBytes)}) on ${disk.bus}`,
    ]),
    ...report.nics.map((nic): [string, string] => ['Network card', `${nic.model}${nic.mac ? `, ${nic.mac}` : ''}`]),
  ]);
  const line = ({ severity, title, text, action }: MachineFinding) => {
    const [style, mark] = marks[severity];
    return `${styled(terminal, style, mark)} ${printable(title)}: ${printable(text)}\n    ${printable(action)}`;
  };
  return [head, '', ...report.findings.map(line)].join('\n');
}
