import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

test.runIf(process.platform === 'linux')(
  'files that a process was born with are closed, and all that it needs itself goes on',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gh-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const script = `
    import { readdirSync, readlinkSync } from 'node:fs';
    import { closeInheritedFiles } from ${JSON.stringify(join(import.meta.dirname, 'inherited-files.ts'))};
    const has = () => readdirSync('/proc/self/fd').some((fd) => { try { return readlinkSync('/proc/self/fd/' + fd).endsWith('/given'); } catch { return false; } });
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
    const keepOpen = 'exec 60>"$0"; exec "$@"';
    const child = spawn('bash', ['-c', keepOpen, join(folder, 'given'), process.execPath, '--input-type=module', '-e', script]);
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk;
    });
    await new Promise((settle) => child.on('close', settle));
    expect(JSON.parse(output)).toEqual({ before: true, after: false });
  },
);
