/**
 * Open files that the engine was born with and never asked for. Chromium does not mark all of its own to be closed for children, so that an
 * engine started by the app would keep the window's shared memory and sockets for as long as guests run, and hand them on to QEMU.
 */
import { closeSync, constants, fstatSync, readdirSync, readFileSync } from 'node:fs';

const closeOnExec = 0o2000000;
const accessMode = 0o3;

/**
 * Closes what this process was born with and would pass on. What Node itself has opened is marked to be closed for children, and so are the
 * first few inherited ones (libuv's uv_disable_stdio_inheritance): neither is touched. Linux only; elsewhere nothing is known of open files.
 *
 * Files with a name that are only read stay: a thread of Node may have one open at this very moment without that mark (with
 * NODE_EXTRA_CA_CERTS it reads certificates so), and would later close whatever has its number by then: EBADF, anywhere. To keep one costs nothing.
 */
export function closeInheritedFiles(): void {
  if (process.platform !== 'linux') return;
  for (const name of readdirSync('/proc/self/fd')) {
    const file = Number(name);
    if (file <= 2) continue;
    try {
      const found = /^flags:\s+([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${file}`, 'utf8'));
      const flags = Number.parseInt(found?.[1] ?? '', 8);
      if (Number.isNaN(flags) || (flags & closeOnExec) !== 0) continue;
      const { nlink, mode } = fstatSync(file);
      if ((mode & constants.S_IFMT) === constants.S_IFREG && nlink > 0 && (flags & accessMode) === constants.O_RDONLY) continue;
      closeSync(file);
    } catch {
      // The folder's own handle, closed since.
    }
  }
}
