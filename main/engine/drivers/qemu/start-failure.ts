/** QEMU's reasons for not starting, in words that name the remedy. Pure; what is not known is passed on as QEMU said it. */
import { StartFailure } from '../driver.ts';
import { lastWords } from './run-end.ts';
import type { ExitStatus } from './wrapper.ts';

type Translation = { pattern: RegExp; say(match: RegExpExecArray): { message: string; hint?: string } };

const translations: readonly Translation[] = [
  {
    pattern: /Could not set up host forwarding rule '([^']*)'/,
    say: ([, rule]) => ({
      message: `the port forward ${rule} cannot be set up, because the port is in use or may not be opened.`,
      hint: 'Choose another host port, or stop what holds it.',
    }),
  },
  {
    pattern: /Could not access KVM kernel module: (.*)/,
    say: ([, why]) => ({
      message: `KVM cannot be used: ${why}.`,
      hint: 'Add your user to the group kvm and log in again, or set the accelerator to "tcg".',
    }),
  },
  {
    pattern: /failed to initialize kvm: (.*)/i,
    say: ([, why]) => ({ message: `KVM did not start: ${why}.`, hint: 'Set the accelerator to "auto" or "tcg".' }),
  },
  {
    pattern: /failed to set MSR (0x[0-9a-f]+)/,
    say: ([, register]) => ({
      message: `KVM on this computer cannot give the guest its processor (MSR ${register}).`,
      hint: 'Set the processor model to "qemu64", or the accelerator to "tcg".',
    }),
  },
  {
    pattern: /Failed to get "(?:write|consistent read|shared "?[^"]*)" lock/,
    say: () => ({
      message: 'a disk is in use by another process.',
      hint: 'Find what has the file open (another virtual machine, a backup, a mount) and close it.',
    }),
  },
  {
    pattern: /Could not open '([^']*)': (No such file or directory|Permission denied)/,
    say: ([, path, why]) => ({
      message: `${path} cannot be opened: ${why === 'Permission denied' ? 'permission denied' : 'there is no such file'}.`,
    }),
  },
  {
    pattern: /file system may not support O_DIRECT|does not support O_DIRECT/,
    say: () => ({
      message: 'the file system of a disk cannot bypass the cache of the host.',
      hint: 'Set the cache of the disk to "writeback".',
    }),
  },
  {
    pattern: /Image is not in qcow2 format/,
    say: () => ({ message: 'a disk that should be a qcow2 image is not one.' }),
  },
  {
    pattern: /cannot set up guest memory '[^']*': (.*)/,
    say: ([, why]) => ({
      message: `the memory of the guest cannot be set aside: ${why}.`,
      hint: 'Give the guest less memory, or close other programs.',
    }),
  },
  {
    pattern: /'([^']*)' is not a valid device model name|Device '([^']*)' not found/,
    say: ([, first, second]) => ({
      message: `this QEMU has no device ${first ?? second}.`,
      hint: 'Install the complete QEMU, or change the hardware.',
    }),
  },
  {
    pattern: /unsupported machine type:? ?'?([^'\n]*)/,
    say: ([, machine]) => ({ message: `this QEMU does not know the machine type ${machine}.`, hint: 'Choose q35 or pc.' }),
  },
  {
    pattern: /unable to find CPU model '([^']*)'/,
    say: ([, model]) => ({ message: `this QEMU does not know the processor model ${model}.`, hint: 'Set the processor model to "auto".' }),
  },
  {
    pattern: /cannot create PID file: (.*)/i,
    say: () => ({ message: 'another QEMU still runs this guest.', hint: 'Wait for it to end.' }),
  },
];

/** The failure of a guest whose QEMU ended, or was given up, before it was ready. `log` is what it printed. */
export function startFailure(name: string, log: string, otherwise: string, exit: ExitStatus | null = null): StartFailure {
  const detail = lastWords(log);
  for (const { pattern, say } of translations) {
    const match = pattern.exec(log);
    if (!match) continue;
    const { message, hint } = say(match);
    return new StartFailure({ message: `${name} did not start: ${message}`, detail, ...(hint ? { hint } : {}) }, exit);
  }
  const said = /^(?:.*?qemu-system-\S+: )(.+)$/m.exec(log)?.[1];
  const message = `${name} did not start: ${said ? `QEMU says "${said}".` : otherwise}`;
  return new StartFailure({ message, ...(detail ? { detail } : {}) }, exit);
}
