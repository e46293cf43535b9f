/**
 * Open files that the engine was born with and never asked for. Chromium does not mark all of its own to be closed for children, so that an
 * engine started by the app would keep the window's shared memory and sockets for as long as guests run, and hand them on to QEMU.
 */
import { closeSync, readdirSync, readFileSync } from 'node:fs';

const closeOnExec = 0o2000000;

/**
 * Closes what this process was born with and would pass on. What Node itself has opened is marked to be closed for children, and so are the
 * first few inherited ones (libuv's uv_disable_stdio_inheritance): neither is touched. Linux only; elsewhere nothing is known of open files.
 */
export function closeInheritedFiles(): void {
  if (process.platform !== 'linux') return;
  for (const name of readdirSync('/proc/self/fd')) {
    const file = Number(name);
    if (file <= 2) continue;
    try {
      const flags = /^flags:\s+([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${file}`, 'utf8'));
      if (flags && (Number.parseInt(flags[1] ?? '', 8) & closeOnExec) === 0) closeSync(file);
    } catch {
      // The folder's own handle, closed since.
    }
  }
}
