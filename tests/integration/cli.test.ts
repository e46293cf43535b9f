/** The command line as a user runs it: the built program, a real engine, a real guest. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { z } from 'zod';
import { type CallName, calls } from '../../contract/calls.ts';
import { engineInfo, feedEvent } from '../../contract/events.ts';
import type { Guest } from '../../contract/guest-state.ts';
import { image } from '../../contract/image.ts';
import { job } from '../../contract/job.ts';
import { type CommandOptions, runGuesthouse } from '../support/command-line.ts';
import { makeLinuxDisk } from '../support/linux-disk.ts';
import { until } from '../support/until.ts';
import { processExists } from '../support/whole-engine.ts';

const home = mkdtempSync('/tmp/gh-');
const guesthouse = (args: string[], options: CommandOptions = {}) => runGuesthouse(home, args, options);

/** Runs with `--json` and gives what was printed, which must be what `schema` says. */
async function json<T>(schema: z.ZodType<T>, args: string[]): Promise<T> {
  const { status, out, err } = await guesthouse([...args, '--json']);
  if (status !== 0) throw new Error(`guesthouse ${args.join(' ')} ended with ${status}: ${err}`);
  return schema.parse(JSON.parse(out));
}

/** What a call of the contract answers: the JSON of the command line is exactly that. */
function outputOf<Name extends CallName>(name: Name): (typeof calls)[Name]['output'] {
  return calls[name].output;
}

afterAll(async () => {
  const { out } = await guesthouse(['engine', 'status', '--json']);
  const { engine } = z.object({ engine: engineInfo.nullable() }).parse(JSON.parse(out));
  if (engine) {
    await guesthouse(['guest', 'stop', 'Traveller']);
    await guesthouse(['engine', 'stop']);
    await until('the engine to end', () => !processExists(engine.pid));
  }
  rmSync(home, { recursive: true, force: true });
}, 120_000);

test('asking after the engine starts none and says so by its status', async () => {
  const { status, out } = await guesthouse(['engine', 'status', '--json']);
  expect(status).toBe(5);
  expect(JSON.parse(out)).toEqual({ running: false, engine: null });
  expect((await guesthouse(['engine', 'stop'])).status).toBe(0);
});

test('the first command that needs an engine starts one, and the next finds the same', async () => {
  const first = await json(engineInfo, ['engine', 'start']);
  const second = await json(z.object({ running: z.literal(true), engine: engineInfo }), ['engine', 'status']);
  expect(second.engine).toEqual(first);
  expect(first.home).toBe(home);
});

test('a wrong command line, an unknown name and an impossible verb end with a status of their own and a reason', async () => {
  expect((await guesthouse(['guest', 'explode'])).status).toBe(2);
  expect((await guesthouse(['guest', 'list', '--colour'])).status).toBe(2);
  const unknown = await guesthouse(['guest', 'show', 'Nobody']);
  expect([unknown.status, unknown.out]).toEqual([3, '']);
  expect(unknown.err).toContain('Nobody');
  const asJson = await guesthouse(['guest', 'show', 'Nobody', '--json']);
  expect(JSON.parse(asJson.err)).toMatchObject({ error: { code: 'guest/not-found' } });
  const missing = await guesthouse(['image', 'import', join(home, 'nowhere.iso'), '--json']);
  expect([missing.status, JSON.parse(missing.err).error.code]).toEqual([1, 'image/file-missing']);
});

test('images are imported with progress as lines of JSON, shown and deleted', async () => {
  const file = join(home, 'disk.raw');
  const bytes = Buffer.alloc(4 * 1024 * 1024, 7);
  bytes[510] = 0x55;
  bytes[511] = 0xaa;
  writeFileSync(file, bytes);
  const { status, out, err } = await guesthouse(['image', 'import', file, '--name', 'Seven', '--json']);
  expect([status, err]).toEqual([0, '']);
  for (const line of out.trim().split('\n')) expect(z.object({ job }).safeParse(JSON.parse(line)).error).toBeUndefined();
  expect((await json(z.array(image), ['image', 'list'])).map((one) => one.name).sort()).toEqual(['Guesthouse starter', 'Seven']);
  expect((await json(image, ['image', 'show', 'Seven'])).format).toBe('raw');
  expect((await guesthouse(['image', 'delete', 'Seven'])).status).toBe(0);
  expect(await json(z.array(image), ['image', 'list'])).toHaveLength(1);
}, 60_000);

test('the packages of an image are listed, found, and said to be unknown where they are', async () => {
  const disk = await makeLinuxDisk(join(home, 'web.img'), {
    osRelease: 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12"\n',
    database: {
      path: 'var/lib/dpkg/status',
      changedOn: '2026-06-17',
      content: ['openssl 3.0.15-1', 'libssl3 3.0.15-1', 'bash 5.2.15-2']
        .map((line) => line.split(' '))
        .map(([name, version]) => `Package: ${name}\nStatus: install ok installed\nVersion: ${version}\n`)
        .join('\n'),
    },
    kernels: [],
  });
  expect((await guesthouse(['image', 'import', disk])).status).toBe(0);
  expect((await guesthouse(['image', 'packages', 'web', 'SSL'])).out).toMatch(/libssl3\s+3\.0\.15-1\nopenssl\s+3\.0\.15-1\n/);
  const found = await json(outputOf('image.search'), ['image', 'search', 'package:libssl3']);
  expect(found.images.map(({ name }) => name)).toEqual(['web']);
  const empty = join(home, 'empty.img');
  writeFileSync(empty, Buffer.alloc(1024 * 1024));
  expect((await guesthouse(['image', 'import', empty])).status).toBe(0);
  expect((await guesthouse(['image', 'packages', 'empty'])).out).toContain('are not known');
  for (const name of ['web', 'empty']) expect((await guesthouse(['image', 'delete', name])).status).toBe(0);
}, 60_000);

test('images are searched, described, put in a series, compared and found by a saved search', async () => {
  const file = join(home, 'eight.raw');
  const bytes = Buffer.alloc(2 * 1024 * 1024, 8);
  bytes.writeUInt16LE(0xaa55, 510);
  writeFileSync(file, bytes);
  expect((await guesthouse(['image', 'import', file, '--name', 'Eight'])).status).toBe(0);
  const edited = await json(image, [
    ...['image', 'edit', 'Eight', '--os', 'Debian 12', '--patch-level', '2026-06', '--tag', 'web', '--url', 'https://example.org/eight'],
    ...['--series', 'Numbers', '--change', 'The first'],
  ]);
  expect(edited).toMatchObject({
    os: { name: 'Debian 12', version: '12' },
    patchLevel: '2026-06',
    tags: ['web'],
    series: { name: 'Numbers', version: 1, changeNote: 'The first' },
    byHand: ['os', 'patchLevel'],
  });
  const found = await json(outputOf('image.search'), ['image', 'search', 'os:debian version:>=12', 'patched:<2026-07', 'tag:web']);
  expect(found.images.map(({ name }) => name)).toEqual(['Eight']);
  expect((await guesthouse(['image', 'search', '-tag:web'])).status).toBe(2);
  expect((await guesthouse(['image', 'search', '--', '-tag:web'])).out).not.toContain('Eight');

  const wrong = await guesthouse(['image', 'search', 'patched:june']);
  expect([wrong.status, wrong.out]).toEqual([2, '']);
  expect(wrong.err).toContain('“patched:june” cannot be understood');
  expect((await guesthouse(['image', 'edit', 'Eight', '--patch-level', 'June'])).status).toBe(2);
  expect((await guesthouse(['image', 'edit', 'Eight'])).status).toBe(2);

  expect((await guesthouse(['image', 'searches', 'save', 'Web', 'tag:web', 'patched:any'])).status).toBe(0);
  expect((await guesthouse(['image', 'search', '--saved', 'web'])).out).toContain('Eight');
  expect(await json(outputOf('search.list'), ['image', 'searches', 'list'])).toMatchObject([{ name: 'Web', query: 'tag:web patched:any' }]);
  expect((await guesthouse(['image', 'searches', 'delete', 'Web'])).status).toBe(0);
  expect((await guesthouse(['image', 'search', '--saved', 'web'])).status).toBe(3);

  bytes.fill(9, 1024 * 1024, 1024 * 1024 + 65_536);
  writeFileSync(file, bytes);
  expect((await guesthouse(['image', 'import', file, '--name', 'Nine'])).status).toBe(0);
  expect((await guesthouse(['image', 'edit', 'Nine', '--series', 'Numbers', '--series-version', '1'])).status).toBe(2);
  await json(image, ['image', 'edit', 'Nine', '--series', 'numbers', '--change', 'A nine']);
  expect((await guesthouse(['image', 'versions', 'numbers'])).out).toMatch(/2 +Nine.*1 +Eight/s);
  const different = await json(outputOf('image.differences'), ['image', 'diff', 'Eight', 'Nine', '--content']);
  expect(different.content).toMatchObject({ changedBytes: 65_536, sameBytes: 2 * 1024 * 1024 - 65_536, onlyOneBytes: 0 });
  expect((await guesthouse(['image', 'diff', 'Eight', 'Nine'])).out).toContain('Changed:');
  expect((await guesthouse(['image', 'read', 'Eight'])).out).toMatch(/Patch level: +2026-06\n/);
  expect((await guesthouse(['image', 'outdated'])).out).toContain('No guest is out of date.');
  for (const name of ['Eight', 'Nine']) expect((await guesthouse(['image', 'delete', name])).status).toBe(0);
}, 120_000);

test('a guest is created, started until its agent answers, looked into, and shut down', async () => {
  const created = await guesthouse([
    'guest',
    'create',
    'Traveller',
    '--image',
    'starter',
    '--memory-mib',
    '256',
    '--cpus',
    '1',
    '--tag',
    'trip',
  ]);
  expect([created.status, created.err]).toEqual([0, '']);
  const [guest] = await json(outputOf('guest.list'), ['guest', 'list']);
  expect(guest?.spec).toMatchObject({ name: 'Traveller', memoryMiB: 256, tags: ['trip'] });
  expect((await guesthouse(['guest', 'create', 'Traveller', '--image', 'starter'])).status).toBe(2);

  expect((await guesthouse(['guest', 'exec', 'Traveller', '--', 'true'])).status).toBe(4);
  expect(await guesthouse(['guest', 'start', 'Traveller', '--wait', 'agent'], { deadlineMs: 180_000 })).toMatchObject({
    status: 0,
    err: '',
  });
  const again = await guesthouse(['guest', 'start', 'Traveller']);
  expect(again.status).toBe(0);

  const executed = await guesthouse(['guest', 'exec', 'Traveller', '--', '/bin/sh', '-c', 'echo out; echo err >&2; exit 7']);
  expect(executed).toEqual({ status: 7, out: 'out\n', err: 'err\n' });
  expect((await guesthouse(['guest', 'exec', 'Traveller', '--', '/no/such/program'])).status).toBe(125);

  const asked = await json(outputOf('guest.imageOrigin'), ['guest', 'facts', 'Traveller', '--ask']);
  const kernel = await guesthouse(['guest', 'exec', 'Traveller', '--', 'uname', '-r']);
  expect(asked).toMatchObject({ origin: { imageName: 'Guesthouse starter', present: true }, facts: { architecture: 'x86_64' } });
  expect(asked.facts?.kernels).toContain(kernel.out.trim());
  expect(asked.facts?.osName).toMatch(/Guesthouse/);

  const picture = join(home, 'screen.png');
  expect((await guesthouse(['guest', 'screenshot', 'Traveller', picture])).status).toBe(0);
  expect(readFileSync(picture).subarray(1, 4).toString()).toBe('PNG');
  expect((await guesthouse(['guest', 'type', 'Traveller', 'uname -a\\n'])).status).toBe(0);

  const serial = await guesthouse(['guest', 'console', 'Traveller'], { input: '\recho serial-$((6*7))\r' });
  expect(serial.status).toBe(0);
  expect(serial.out).toContain('serial-42');

  for (const [verb, status] of [
    ['pause', 'paused'],
    ['resume', 'running'],
  ] as const) {
    expect((await json(outputOf('guest.show'), ['guest', verb, 'Traveller'])).state.status).toBe(status);
  }
  expect((await guesthouse(['guest', 'delete', 'Traveller'])).status).toBe(4);
  expect((await guesthouse(['guest', 'rename', 'Traveller', '../etc'])).status).toBe(2);
  expect((await guesthouse(['guest', 'shutdown', 'Traveller'])).status).toBe(0);
  expect((await json(outputOf('guest.show'), ['guest', 'show', 'Traveller'])).state.status).toBe('off');

  expect((await guesthouse(['image', 'capture', 'Traveller', '--name', 'Taken', '--series', 'Trips', '--draft'])).status).toBe(0);
  expect(await json(image, ['image', 'show', 'Taken'])).toMatchObject({ series: { name: 'Trips', version: 1 }, lifecycle: 'draft' });
  expect((await guesthouse(['image', 'delete', 'Taken'])).status).toBe(0);
}, 300_000);

test('which way a guest’s clipboard is shared is said, changed and kept', async () => {
  const policy = async (...way: string[]) =>
    (await json(outputOf('guest.show'), ['guest', 'clipboard', 'Traveller', ...way])).spec.clipboard;
  expect(await policy()).toBe('both');
  expect(await policy('to-guest')).toBe('to-guest');
  expect((await guesthouse(['guest', 'clipboard', 'Traveller', 'sideways'])).status).toBe(2);
  expect((await json(outputOf('guest.show'), ['guest', 'show', 'Traveller'])).spec.clipboard).toBe('to-guest');
  expect(await policy('both')).toBe('both');
});

test('whether files are sent to a guest is said, changed and kept', async () => {
  const policy = async (...way: string[]) => (await json(outputOf('guest.show'), ['guest', 'files', 'Traveller', ...way])).spec.files;
  expect(await policy()).toBe('to-guest');
  expect(await policy('off')).toBe('off');
  expect((await guesthouse(['guest', 'files', 'Traveller', 'both'])).status).toBe(2);
  expect((await json(outputOf('guest.show'), ['guest', 'show', 'Traveller'])).spec.files).toBe('off');
  expect(await policy('to-guest')).toBe('to-guest');
});

test('a guest is renamed, deleted to the trash and restored', async () => {
  expect((await json(outputOf('guest.show'), ['guest', 'rename', 'traveller', 'Homebody'])).spec.name).toBe('Homebody');
  expect((await guesthouse(['guest', 'delete', 'Homebody'])).status).toBe(0);
  expect(await json(outputOf('guest.list'), ['guest', 'list'])).toEqual([]);
  const trashed: Guest[] = await json(outputOf('guest.list'), ['guest', 'list', '--trash']);
  expect(trashed.map((guest) => guest.spec.name)).toEqual(['Homebody']);
  expect((await guesthouse(['guest', 'restore', 'Homebody'])).status).toBe(0);
  expect((await guesthouse(['guest', 'rename', 'Homebody', 'Traveller'])).status).toBe(0);
});

test('jobs and events are listed in the shape of the contract', async () => {
  const jobs = await json(z.array(job), ['job', 'list', '--all']);
  expect(jobs.map((one) => one.kind)).toContain('guest.create');
  expect((await guesthouse(['job', 'wait', jobs[0]?.id ?? ''])).status).toBe(0);
  expect((await guesthouse(['job', 'show', 'j000000000'])).status).toBe(3);
  expect((await guesthouse(['job', 'cancel', jobs[0]?.id ?? ''])).status).toBe(4);
  const { out } = await guesthouse(['events', '--json']);
  const parsed: unknown = out.startsWith('[')
    ? JSON.parse(out)
    : out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
  const events = z.array(feedEvent).parse(parsed);
  expect(events.map((event) => event.kind)).toContain('guest.started');
});

test('the doctor’s findings are what the API says', async () => {
  const report = await json(outputOf('host.report'), ['doctor']);
  expect(report.findings.map((finding) => finding.id)).toEqual(
    expect.arrayContaining([expect.stringMatching(/^qemu\//), expect.stringMatching(/^accelerator\//)]),
  );
});

test('what is meant for a terminal has no colours and no bars where there is none', async () => {
  for (const args of [['guest', 'list'], ['doctor'], ['image', 'list'], ['events']]) {
    const { out, err } = await guesthouse(args);
    expect(`${out}${err}`).not.toContain('\u001b');
    expect(out).not.toContain('\r');
  }
});

test('completion scripts are given for each shell, and names are completed', async () => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { status, out } = await guesthouse(['completion', shell]);
    expect([status, out.includes('guesthouse')]).toEqual([0, true]);
  }
});

test('a disc with answers is built from options and a password that comes by a pipe', async () => {
  const path = join(home, 'seed.iso');
  const words = ['seed', 'build', 'kickstart', path, '--user', 'ann', '--password-stdin', '--hostname', 'web-1', '--package', 'git'];
  const { status, out, err } = await guesthouse(words, { input: 'correct-horse\nnot read\n' });
  expect([status, err]).toEqual([0, '']);
  expect(out).toContain('OEMDRV');
  const disc = readFileSync(path, 'latin1');
  expect(disc).toContain('network --bootproto=dhcp --onboot=yes --hostname="web-1"');
  const [, hash = '', salt = ''] = /--password="(\$6\$([^$]+)\$[^"]+)"/.exec(disc) ?? [];
  expect(execFileSync('openssl', ['passwd', '-6', '-salt', salt, '-stdin'], { input: 'correct-horse\n', encoding: 'utf8' }).trim()).toBe(
    hash,
  );
  const again = await guesthouse(words, { input: 'correct-horse\n' });
  expect([again.status === 0, again.err.includes('is there already')]).toEqual([false, true]);
});
