import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { projectRoot } from '../places.ts';
import { starterBuildPackages } from '../starter/packages.ts';

/** What the script itself uses. The probes must see nothing else of the machine that runs the tests. */
const tools = ['bash', 'sed', 'grep', 'tail', 'env', 'uname', 'cat'];

/** Runs the check on a system that has only the given programs, each with a shell script as its body. */
function check(programs: Record<string, string>, { asUser = false } = {}): { status: number | null; output: string } {
  const directory = mkdtempSync(join(tmpdir(), 'gh-system-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  for (const tool of tools) symlinkSync(execFileSync('which', [tool], { encoding: 'utf8' }).trim(), join(directory, tool));
  for (const [name, body] of Object.entries({ ldconfig: '', ...programs })) {
    writeFileSync(join(directory, name), `#!/bin/bash\n${body}\n`);
    chmodSync(join(directory, name), 0o755);
  }
  // Which user runs the tests must not matter, nor may PATH grow by the folders where real systems keep their programs.
  const rights = asUser ? 'may_install() { return 1; }' : 'may_install() { return 0; }; as_root() { "$@"; }';
  const script = `source build/setup/bootstrap.sh; ${rights}; requirements() { echo "$FEW"; }; PATH=$ONLY; ensure_system_packages`;
  const few = [
    'cmd:qemu-system-x86_64|needed|qemu-system-x86|runs the guests',
    'cmd:swtpm|useful|swtpm|TPM 2.0 for guests',
    'lib:libgtk-3.so.0|needed|libgtk-3-0t64 libgtk-3-0|the window (Electron)',
  ].join('\n');
  const result = spawnSync('bash', ['--norc', '--noprofile', '-c', script], {
    cwd: projectRoot,
    encoding: 'utf8',
    env: { PATH: directory, ONLY: directory, FEW: few, TMPDIR: directory },
  });
  return { status: result.status, output: result.stdout + result.stderr };
}

/** What set-up installs there, and how. */
const onLinux = (name: string, check: () => void) =>
  test(name, ({ skip }) => {
    if (process.platform !== 'linux') skip('this is no Linux');
    check();
  });

const node = (version: string) => `echo v${version}`;
/** An apt that knows the packages of Debian 12 and makes no mistake. */
const apt = {
  'apt-get': 'echo "apt-get $*"',
  'apt-cache': 'case "$*" in *t64*) exit 1 ;; policy*) echo "  Candidate: 18.20.4" ;; *) exit 0 ;; esac',
};

onLinux('a system that lacks nothing is left alone', () => {
  const complete = { node: node('20.20.2'), npm: '', 'qemu-system-x86_64': '', swtpm: '', ldconfig: 'echo " libgtk-3.so.0 (libc6) => /x"' };
  expect(check({ ...apt, ...complete })).toEqual({ status: 0, output: '' });
});

onLinux('what is missing is named with its reason and installed, under the name that this release knows', () => {
  const { status, output } = check({ ...apt, node: node('20.20.2'), npm: '' });
  expect(status).toBe(0);
  expect(output).toMatch(/qemu-system-x86 +runs the guests/);
  expect(output).toContain('apt-get install -y --no-install-recommends qemu-system-x86 swtpm libgtk-3-0\n');
});

onLinux('who may not install is given the exact command', () => {
  const { status, output } = check({ ...apt, node: node('20.20.2'), npm: '' }, { asUser: true });
  expect(status).toBe(1);
  expect(output).toContain('  sudo apt-get install -y --no-install-recommends qemu-system-x86 swtpm libgtk-3-0\n');
});

onLinux('a missing Node is installed where apt has one that is new enough', () => {
  expect(check(apt).output).toContain('install -y --no-install-recommends nodejs npm qemu-system-x86');
  const { status, output } = check({ ...apt, 'apt-cache': 'case "$*" in policy*) echo "  Candidate: 12.22.9" ;; esac' });
  expect(status).toBe(1);
  expect(output).toContain('Node.js was not found');
  expect(output).toContain('https://nodejs.org');
});

onLinux('a Node that is too old is named with the remedy', () => {
  const { status, output } = check({ ...apt, node: node('16.20.0'), npm: '' });
  expect(status).toBe(1);
  expect(output).toMatch(/Node\.js v16\.20\.0 at .* is too old/);
});

onLinux('without apt nothing is installed, and only what is needed keeps it from starting', () => {
  const bare = check({ node: node('24.0.0'), npm: '' });
  expect(bare.status).toBe(1);
  expect(bare.output).toMatch(/qemu-system-x86_64 +runs the guests \(needed; on Debian: qemu-system-x86\)/);
  const enough = check({ node: node('24.0.0'), npm: '', 'qemu-system-x86_64': '', ldconfig: 'echo " libgtk-3.so.0 (libc6) => /x"' });
  expect(enough.status).toBe(0);
  expect(enough.output).toMatch(/swtpm +TPM 2.0 for guests \(useful/);
});

test('what the starter guest is built with is looked for', () => {
  const script = readFileSync(join(import.meta.dirname, 'system-packages.sh'), 'utf8');
  // Wherever there is apt there is dpkg.
  for (const name of starterBuildPackages.filter((each) => each !== 'apt' && each !== 'dpkg')) expect(script).toContain(`|${name}|`);
});
