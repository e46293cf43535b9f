/** The serial console of a guest in this terminal. */
import { Failure } from '../../contract/errors.ts';
import { guestCannot } from '../../contract/guest-can.ts';
import type { Guest } from '../../contract/guest-state.ts';
import type { EngineClient } from '../client/engine-client.ts';
import { printable } from './terminal.ts';

/** Ctrl+], as telnet and virsh have it: hardly any program in a guest wants it. */
const escapeByte = 0x1d;

/**
 * Settles when the user leaves with Ctrl+], when standard input ends, or when the guest is off. The terminal is raw in between and always put back.
 * @throws Failure `guest/denied`, `console/unavailable`
 */
export async function joinSerialConsole(client: EngineClient, guest: Guest): Promise<void> {
  const reason = guestCannot(guest.state, 'console');
  if (reason) throw new Failure('guest/denied', reason);
  const socket = client.openSerial(guest.id);
  const { stdin, stdout, stderr } = process;
  const raw = stdin.isTTY === true;
  const restore = () => {
    if (raw) stdin.setRawMode(false);
    stdin.pause();
  };
  // Whatever ends this process, the user's terminal must not stay raw.
  process.once('exit', restore);
  try {
    await new Promise<void>((settle, fail) => {
      socket.on('open', () => {
        if (raw) {
          stderr.write(`Connected to “${printable(guest.spec.name)}”. Ctrl+] leaves.\n`);
          stdin.setRawMode(true);
        }
        stdin.on('data', (bytes: Buffer) => {
          const escapeAt = raw ? bytes.indexOf(escapeByte) : -1;
          const typed = escapeAt < 0 ? bytes : bytes.subarray(0, escapeAt);
          if (typed.length > 0) socket.send(typed);
          if (escapeAt >= 0) settle();
        });
        stdin.once('end', () => {
          // A pipe that ends leaves the guest a moment to answer what was piped in.
          setTimeout(settle, 1000);
        });
        stdin.resume();
      });
      socket.on('message', (data: Buffer) => {
        if (!stdout.write(data)) {
          socket.pause();
          stdout.once('drain', () => socket.resume());
        }
      });
      socket.on('close', () => settle());
      socket.on('error', (error) =>
        fail(new Failure('console/unavailable', `The serial console of “${guest.spec.name}” cannot be joined.`, { detail: error.message })),
      );
    });
    if (raw) stderr.write('\r\nDisconnected.\n');
  } finally {
    restore();
    process.off('exit', restore);
    socket.terminate();
  }
}
