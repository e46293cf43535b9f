import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { createEngineLog } from './engine-log.ts';
import { redactFields, redactText } from './redact.ts';

function freshFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'gh-log-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test('lines are JSON with instant, level, fields and message, in a file that only its owner reads', async () => {
  const folder = freshFolder();
  const path = join(folder, 'logs', 'engine.log');
  const log = createEngineLog({ path, foreground: false });
  log.child({ room: 'jobs' }).warn({ job: 'j000000000' }, 'A job was slow.');
  await log.close();
  expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({
    level: 'warn',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    pid: process.pid,
    room: 'jobs',
    job: 'j000000000',
    message: 'A job was slow.',
  });
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test('the log is bounded however much is written', async () => {
  const folder = freshFolder();
  const log = createEngineLog({ path: join(folder, 'engine.log'), foreground: false, fileSizeBytes: 4096 });
  for (let line = 0; line < 600; line++) log.info({ line }, 'x'.repeat(200));
  await log.close();
  const files = readdirSync(folder);
  expect(files.length).toBeLessThanOrEqual(5);
  expect(files.every((name) => /^engine(\.\d)?\.log$/.test(name))).toBe(true);
});

test('a log that cannot be written is said once on stderr and does not stop the engine', () => {
  const said: string[] = [];
  const log = createEngineLog({
    path: '/proc/nowhere/engine.log',
    foreground: false,
    stderr: { write: (line: string) => said.push(line) },
  });
  log.info({}, 'one');
  log.info({}, 'two');
  expect(said).toHaveLength(1);
});

test('in the foreground every line goes to stderr as well', async () => {
  const said: string[] = [];
  const log = createEngineLog({
    path: join(freshFolder(), 'engine.log'),
    foreground: true,
    stderr: { write: (line: string) => said.push(line) },
  });
  log.info({}, 'hello');
  await log.close();
  expect(said.join('')).toContain('"message":"hello"');
});

test('secrets are taken out by the name of their field, wherever it stands', () => {
  expect(redactFields({ spice: { password: 'hunter2', port: 1 }, list: [{ ticket: 'abc' }], token: { deep: 1 } })).toEqual({
    spice: { password: '[redacted]', port: 1 },
    list: [{ ticket: '[redacted]' }],
    token: '[redacted]',
  });
});

test('secrets are taken out of texts, command lines, addresses and JSON inside a string', () => {
  const embedded = JSON.stringify({
    detail: JSON.stringify({ execute: 'set_password', arguments: { password: 'hun"ter2', protocol: 'spice' } }),
  });
  expect(redactText(embedded)).not.toContain('ter2');
  expect(redactText(embedded)).toContain('spice');
  expect(redactText('-spice password=hunter2,port=1')).toBe('-spice password=[redacted],port=1');
  expect(redactText('opened vnc://root:hunter2@host:5900/')).toBe('opened vnc://root:[redacted]@host:5900/');
});

test('no password survives in a line, whatever characters it has', async () => {
  const folder = freshFolder();
  const path = join(folder, 'engine.log');
  const said: string[] = [];
  const log = createEngineLog({ path, foreground: true, stderr: { write: (line: string) => said.push(line) } });
  fc.assert(
    fc.property(fc.string({ minLength: 6, unit: 'grapheme' }), (secret) => {
      said.length = 0;
      log
        .child({ password: `<<${secret}>>` })
        .error({ inner: { ticket: `<<${secret}>>` }, error: Object.assign(new Error('no'), { secret: `<<${secret}>>` }) }, 'no');
      expect(said.join('')).not.toContain('<<');
    }),
  );
  await log.close();
});
