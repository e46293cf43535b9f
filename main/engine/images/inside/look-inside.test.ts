import { existsSync, readFileSync } from 'node:fs';
import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { lookInside } from './look-inside.ts';

const answer =
  '<operatingsystems><operatingsystem><name>linux</name><distro>fedora</distro><product_name>Fedora 39</product_name><major_version>39</major_version><package_format>rpm</package_format><osinfo>fedora39</osinfo></operatingsystem></operatingsystems>';

/** Programs that stand in for virt-inspector and guestfish: what they do is a few lines of shell. */
async function standIns(inspector: string, guestfish: string | null = null) {
  const folder = await mkdtemp(join(tmpdir(), 'gh-look-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const program = async (name: string, lines: string) => {
    await writeFile(join(folder, name), `#!/bin/sh\necho "$@" > ${folder}/${name}.args\n${lines}\n`);
    await chmod(join(folder, name), 0o755);
    return join(folder, name);
  };
  const tools = {
    virtInspector: await program('virt-inspector', inspector),
    guestfish: guestfish && (await program('guestfish', guestfish)),
    emulated: true,
  };
  const scratchFolder = join(folder, 'i000000000.look');
  const look = (timeoutMs = 20_000, signal = new AbortController().signal) =>
    lookInside({ path: '/images/x.qcow2', format: 'qcow2', tools, scratchFolder, signal, timeoutMs });
  return { folder, look, said: (name: string) => readFileSync(join(folder, `${name}.args`), 'utf8').trim() };
}

test('the format of the disk is stated, it is opened for reading only, and nothing is left', async () => {
  const { folder, look, said } = await standIns(
    `touch "$LIBGUESTFS_TMPDIR/layer"; echo '${answer}'`,
    'echo kernels; echo 6.5.6-300.fc39.x86_64; echo "database var/lib/rpm/Packages"; echo "st_mtime_sec: 1781697600"',
  );
  expect(await look()).toMatchObject({
    state: 'found',
    inside: { osinfo: 'fedora39', kernels: ['6.5.6-300.fc39.x86_64'], patchLevel: '2026-06-17' },
  });
  expect(said('virt-inspector')).toBe('--no-icon --format=qcow2 -a /images/x.qcow2');
  expect(said('guestfish')).toMatch(/^--ro --format=qcow2 -a \/images\/x\.qcow2 -i -f /);
  expect(await readdir(folder)).not.toContain('i000000000.look');
});

test('a guestfish that fails takes nothing away from what virt-inspector said', async () => {
  const { look } = await standIns(`echo '${answer}'`, 'echo rubbish; exit 1');
  expect(await look()).toMatchObject({ state: 'found', inside: { osinfo: 'fedora39', kernels: [], patchLevel: null } });
});

test('a disk without a system is no failure', async () => {
  const { look } = await standIns('echo "<operatingsystems/>"');
  expect(await look()).toEqual({ state: 'no-system' });
});

test.each([
  ['hangs', 'sleep 600 & wait', /not done after 2 seconds/],
  ['says why it failed', 'echo "virt-inspector: error: no drives were added" >&2; exit 1', /^virt-inspector said: no drives were added\.$/],
  ['fails without a word', 'exit 1', /did not say why/],
  ['dies', 'kill -SEGV $$', /did not say why|by SIG|Segmentation fault/],
  ['says strange things', 'printf "virt-inspector: error: \\033[31mred\\007\\n" >&2; exit 1', /said: \[31mred\.$/],
  ['answers with garbage', 'head -c 100000 /dev/urandom', /cannot be understood/],
  ['answers with half of it', `echo '${answer.slice(0, 90)}'`, /cannot be understood/],
  ['never stops talking', 'yes "<operatingsystems>"', /more than any system has/],
])('a virt-inspector that %s is a reason in a sentence, and leaves nothing', async (what, lines, because) => {
  const { folder, look } = await standIns(lines);
  expect(await look(what === 'hangs' ? 2000 : 20_000)).toEqual({ state: 'not-done', because: expect.stringMatching(because) });
  expect((await readdir(folder)).sort()).toEqual(['virt-inspector', 'virt-inspector.args']);
});

test('one that is cancelled ends with all that it started, and the next need not wait for it', async () => {
  const { folder, look } = await standIns(`sleep 600 & echo $! > "$(dirname "$0")/pid"; wait`);
  const stop = new AbortController();
  const looking = look(60_000, stop.signal);
  const waitsForIt = new AbortController();
  const waiting = look(60_000, waitsForIt.signal);
  await expect
    .poll(() => existsSync(join(folder, 'pid')) && readFileSync(join(folder, 'pid'), 'utf8').trim(), { timeout: 20_000 })
    .toMatch(/^\d+$/);
  waitsForIt.abort(new Error('not any more'));
  await expect(waiting).rejects.toThrow('not any more');
  const pid = Number(readFileSync(join(folder, 'pid'), 'utf8'));
  stop.abort(new Error('enough'));
  await expect(looking).rejects.toThrow('enough');
  await expect.poll(() => existsSync(`/proc/${pid}`), { timeout: 20_000 }).toBe(false);
});
