/** The starter guest under a bare QEMU, without any of the engine: what is tested through it is the guest alone. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connectTo, JsonLines } from './json-lines.ts';
import { SerialText } from './serial-text.ts';

export type MachineChoices = {
  /** For sockets and logs; short, since socket paths are limited. */
  folder: string;
  medium: { disk: string; bus: 'virtio' | 'sata' } | { iso: string };
  firmware: 'bios' | 'uefi';
};

export type StarterMachine = {
  /** All that the guest wrote on its serial port since QEMU began to listen. */
  serial: SerialText;
  sendSerial(line: string): void;
  qmp(command: string, input?: object): Promise<unknown>;
  /** Asks the guest agent. A command that has no answer, such as a shutdown, must not be waited for. */
  agent(command: string, input?: object): Promise<unknown>;
  /** QEMU's exit status, once it ended by itself or was killed. */
  exited: Promise<number | null>;
  kill(): void;
};

const ovmf = { code: '/usr/share/OVMF/OVMF_CODE_4M.fd', variables: '/usr/share/OVMF/OVMF_VARS_4M.fd' };

async function buildArguments({ folder, medium, firmware }: MachineChoices): Promise<string[]> {
  const args = ['-machine', 'q35,accel=tcg', '-cpu', 'max', '-m', '512', '-smp', '1', '-nodefaults', '-no-user-config', '-display', 'none'];
  args.push('-device', 'virtio-vga', '-netdev', 'user,id=net0,restrict=on', '-device', 'virtio-net-pci,netdev=net0,romfile=');
  args.push('-chardev', `socket,id=serial0,path=${folder}/serial,server=on,wait=off,logfile=${folder}/serial.log`);
  args.push('-serial', 'chardev:serial0', '-qmp', `unix:${folder}/qmp,server=on,wait=off`);
  args.push('-device', 'virtio-serial', '-chardev', `socket,id=agent0,path=${folder}/agent,server=on,wait=off`);
  args.push('-device', 'virtserialport,chardev=agent0,name=org.qemu.guest_agent.0');
  if (firmware === 'uefi') {
    const variables = join(folder, 'variables.fd');
    await copyFile(ovmf.variables, variables);
    args.push('-drive', `if=pflash,unit=0,format=raw,readonly=on,file=${ovmf.code}`);
    args.push('-drive', `if=pflash,unit=1,format=raw,file=${variables}`);
  }
  if ('iso' in medium) {
    args.push('-drive', `if=none,id=medium0,format=raw,readonly=on,file=${medium.iso}`, '-device', 'ide-cd,drive=medium0,bootindex=1');
  } else {
    const device = medium.bus === 'virtio' ? 'virtio-blk-pci' : 'ide-hd';
    args.push('-drive', `if=none,id=medium0,format=qcow2,file=${medium.disk}`, '-device', `${device},drive=medium0,bootindex=1`);
  }
  return args;
}

/** Starts it; settles when QEMU takes commands. */
export async function startMachine(choices: MachineChoices): Promise<StarterMachine> {
  const { folder } = choices;
  const qemu: ChildProcess = spawn('qemu-system-x86_64', await buildArguments(choices), { stdio: ['ignore', 'ignore', 'inherit'] });
  const exited = new Promise<number | null>((resolve) => qemu.once('exit', (status) => resolve(status)));
  try {
    const qmp = new JsonLines(await connectTo(join(folder, 'qmp')));
    await qmp.request('qmp_capabilities');
    const serial = await connectTo(join(folder, 'serial'));
    serial.resume();
    const agent = new JsonLines(await connectTo(join(folder, 'agent')));
    return {
      serial: new SerialText(() => readFileSync(join(folder, 'serial.log'), 'utf8')),
      sendSerial: (line) => void serial.write(`${line}\n`),
      qmp: (command, input) => qmp.request(command, input),
      agent: (command, input) => agent.request(command, input),
      exited,
      kill: () => void qemu.kill('SIGKILL'),
    };
  } catch (error) {
    qemu.kill('SIGKILL');
    throw error;
  }
}
