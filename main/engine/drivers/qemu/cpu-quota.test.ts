import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { quotaProblem, setCpuQuota } from './cpu-quota.ts';

/** Files as the kernel would have them: a session with a group for the engine. */
function tree(controllers: string): { root: string; ownGroup: string; session: string } {
  const root = mkdtempSync('/tmp/gh-cg-');
  onTestFinished(() => rmSync(root, { recursive: true }));
  const session = join(root, 'user.slice', 'session');
  mkdirSync(join(session, 'engine'), { recursive: true });
  writeFileSync(join(root, 'cgroup.controllers'), 'cpu memory');
  writeFileSync(join(session, 'cgroup.controllers'), controllers);
  writeFileSync(join(session, 'cgroup.subtree_control'), '');
  return { root, ownGroup: '0::/user.slice/session/engine\n', session };
}

test('a guest gets a group of its own with the limit, and no limit lifts it again', async () => {
  const places = tree('cpu memory');
  expect(await quotaProblem(places)).toBeNull();
  expect(await setCpuQuota(4711, '/run/gabcdefghi', 50, places)).toBeNull();
  const group = join(places.session, 'guesthouse-gabcdefghi');
  expect(readFileSync(join(group, 'cpu.max'), 'utf8')).toBe('50000 100000');
  expect(readFileSync(join(group, 'cgroup.procs'), 'utf8')).toBe('4711');
  expect(await setCpuQuota(4711, '/run/gabcdefghi', null, places)).toBeNull();
  expect(readFileSync(join(group, 'cpu.max'), 'utf8')).toBe('max 100000');
});

test('where control groups are of the first version, or have no say over processors, the reason is said', async () => {
  expect(await quotaProblem({ root: '/nowhere', ownGroup: '' })).toMatch(/version 2/);
  const places = tree('memory');
  expect(await setCpuQuota(1, '/run/g', 50, places)).toMatch(/no say over processors/);
  expect(await setCpuQuota(1, '/run/g', null, places)).toBeNull();
});
