import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

test('files that a process was born with are closed but for what it may be reading, and all that it needs itself goes on', async ({
  skip,
}) => {
  if (process.platform !== 'linux') skip('there is no /proc');
  const folder = mkdtempSync(join(tmpdir(), 'gh-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const script = `
    import { readdirSync, readlinkSync } from 'node:fs';
    import { closeInheritedFiles } from ${JSON.stringify(join(import.meta.dirname, 'inherited-files.ts'))};
    const open = (name) => readdirSync('/proc/self/fd').some((fd) => { try { return readlinkSync('/proc/self/fd/' + fd).includes(name); } catch { return false; } });
    const has = () => ['/given', '/gone', '/read'].filter(open);
    const before = has();
    closeInheritedFiles();
    const after = has();
    // Timers, the thread pool and the network still work.
    await new Promise((settle) => setTimeout(settle, 10));
    await (await import('node:fs/promises')).readFile('/proc/self/status');
    const server = (await import('node:net')).createServer();
    await new Promise((settle) => server.listen(${JSON.stringify(join(folder, 's'))}, settle));
    server.close();
    console.log(JSON.stringify({ before, after }));`;
  // One that is written to, one without a name that is only read, as shared memory is, and one with a name.
  const keepOpen = 'cd "$0"; echo > gone; echo > read; exec 60>given 61<gone 62<read; rm gone; exec "$@"';
  const child = spawn('bash', ['-c', keepOpen, folder, process.execPath, '--input-type=module', '-e', script]);
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk;
  });
  await new Promise((settle) => child.on('close', settle));
  expect(JSON.parse(output)).toEqual({ before: ['/given', '/gone', '/read'], after: ['/read'] });
});
