/** The starter guest under a bare QEMU with a SPICE server, told what to do through its agent. */
import { join } from 'node:path';
import { cacheDirectory } from '../../build/places.ts';
import { ensureStarter } from '../../build/starter/make.ts';
import { connectTo, JsonLines, runByAgent } from './json-lines.ts';
import { type SpiceMachine, startSpiceMachine } from './spice-machine.ts';
import { until } from './until.ts';

export type SpiceStarter = SpiceMachine & {
  /** What a shell command prints. @throws Error when it fails */
  run(command: string): Promise<string>;
  runForBytes(command: string): Promise<Buffer>;
};

/**
 * Settles when the guest has started. `words` are its devices; there is a `virtio-serial-pci` already. `spice` are options of the
 * server, `environment` is added to QEMU's.
 */
export async function startSpiceStarter(
  words: (folder: string) => readonly string[],
  spice = '',
  environment: Record<string, string> = {},
): Promise<SpiceStarter> {
  const { diskPath } = await ensureStarter(cacheDirectory(), () => undefined);
  const machine = await startSpiceMachine(
    (folder) => [
      ...['-m', '256', '-drive', `if=none,id=disk,format=qcow2,snapshot=on,file=${diskPath}`, '-device', 'virtio-blk-pci,drive=disk'],
      ...['-device', 'virtio-serial-pci', '-chardev', `socket,id=qga,path=${join(folder, 'agent')},server=on,wait=off`],
      ...['-device', 'virtserialport,chardev=qga,name=org.qemu.guest_agent.0'],
      ...words(folder),
    ],
    // A server that finds the way slow, as on a busy computer, would send JPEG, for which Node has no decoder.
    `,jpeg-wan-compression=never${spice}`,
    environment,
  );
  const agent = new JsonLines(await connectTo(join(machine.folder, 'agent')));
  // Written into the port before the agent opens it, the question waits there for it.
  let answers = false;
  void agent.request('guest-ping').then(() => {
    answers = true;
  });
  await until('the guest to start', () => answers, 240_000);
  const runForBytes = (command: string) => runByAgent(agent, command);
  return { ...machine, runForBytes, run: async (command) => (await runForBytes(command)).toString() };
}
