/** `guesthouse guest import|export`: machines that come from other products, and guests that go to them. */
import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { type BootTest, type ExportFormat, exportFormat, type MachineFinding, type MachineReport } from '../../../contract/machine.ts';
import { type Context, findGuest } from '../context.ts';
import { followJob } from '../job-progress.ts';
import { facts, printable, show, styled, type Terminal } from '../terminal.ts';
import { bytes } from '../units.ts';

type ImportOptions = { name?: string; check?: boolean; bootTest: boolean; convert: boolean; trustPaths?: boolean };

type ExportOptions = { format: ExportFormat; overwrite?: boolean; withoutSnapshots?: boolean };

/** A machine is read whole as far as its tables go, over a disk that may be slow. */
const inspectTimeoutMs = 120_000;

export function addGuestTransfer(group: Command, { terminal, engine }: Context): void {
  group
    .command('import')
    .description('make a guest of a machine of VMware, VirtualBox, libvirt, UTM or Quickemu, of an OVA or of plain disks')
    .argument('<file>', '.capsule, .ova, .ovf, .vmx, .vbox, libvirt’s .xml, a UTM bundle, a Quickemu .conf, or a disk')
    .argument('[disks...]', 'further disks of the same machine')
    .option('--name <name>', 'what the guest is called (default: as in the source)')
    .option('--check', 'only say what would be imported and what is in the way')
    .option('--no-convert', 'leave the copy’s system without drivers for fast hardware that virt-v2v could give it')
    .option('--no-boot-test', 'do not start the copy once to see whether it boots')
    .option('--trust-paths', 'also copy disks outside the folder of the machine')
    .action(async (file: string, disks: string[], options: ImportOptions) => {
      const client = await engine();
      const source = { path: resolve(file), ...(disks.length > 0 ? { moreDisks: disks.map((disk) => resolve(disk)) } : {}) };
      if (options.check) {
        const report = await client.call('machine.inspect', source, { timeoutMs: inspectTimeoutMs });
        return show(terminal, report, (found) => describe(terminal, found));
      }
      const convert = options.convert ? {} : { convert: false };
      const wish = { ...source, ...convert, bootTest: options.bootTest, trustPaths: options.trustPaths ?? false };
      const named = options.name ? { ...wish, name: options.name } : wish;
      const { guest, job } = await client.call('machine.import', named, { timeoutMs: inspectTimeoutMs });
      await followJob(client, terminal, job.id);
      const test = await client.call('machine.bootTest', { guest: guest.id });
      if (!terminal.json) terminal.out(`Imported “${printable(guest.spec.name)}”. ${said(test)}\n`);
    });
}

export function addGuestExport(group: Command, { terminal, engine }: Context): void {
  group
    .command('export')
    .description('write a guest that is off to a file or folder, read it back and compare it')
    .argument('<guest>', 'name or id')
    .argument('<path>', 'what is written; its folder must be there')
    .addOption(new Option('--format <format>', 'what it is written as').choices(exportFormat.options).default('capsule'))
    .option('--overwrite', 'replace what is at the path')
    .option('--without-snapshots', 'of a capsule: only what the guest is now')
    .action(async (wanted: string, path: string, options: ExportOptions) => {
      const client = await engine();
      const { id, spec } = await findGuest(client, wanted);
      const target = resolve(path);
      const wish = {
        guest: id,
        format: options.format,
        path: target,
        overwrite: options.overwrite ?? false,
        withSnapshots: !options.withoutSnapshots,
      };
      await followJob(client, terminal, (await client.call('guest.export', wish)).id);
      if (!terminal.json) terminal.out(`Exported “${printable(spec.name)}” to ${printable(target)}.\n`);
    });
}

function said(test: BootTest | null): string {
  if (!test) return 'Whether it boots was not tried.';
  const verdicts = { booted: 'It booted', reading: 'It began to boot', idle: 'It did not boot', failed: 'It could not be started' };
  const drivers = test.drivers === null ? '' : `${test.drivers} `;
  return `${drivers}${verdicts[test.verdict]} when it was tried: ${test.text}`;
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
