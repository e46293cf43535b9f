/**
 * The most that a guest may use of this computer's processors, by a control group of its own (cgroup v2). The engine needs a part of the
 * tree that is its to divide: a systemd user session delegates one where its administrator lets it.
 * https://docs.kernel.org/admin-guide/cgroup-v2.html#cpu-interface-files
 */
import { access, constants, mkdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';

const periodMicroseconds = 100_000;
const root = '/sys/fs/cgroup';

/** Paths, so that a test can look at a tree of its own. */
export type QuotaPlaces = { root: string; ownGroup: string };

export async function quotaPlaces(): Promise<QuotaPlaces> {
  return { root, ownGroup: await readFile('/proc/self/cgroup', 'utf8').catch(() => '') };
}

/**
 * Limits the process, or frees it again. `run` is the guest's run folder, whose name becomes the group's.
 * @returns why it cannot be done here, in a sentence; null when it was
 */
export async function setCpuQuota(pid: number, run: string, percent: number | null, places?: QuotaPlaces): Promise<string | null> {
  const found = await findTree(places ?? (await quotaPlaces()));
  if ('problem' in found) return percent === null ? null : found.problem;
  const group = groupOf(found.tree, run);
  try {
    if (percent === null) {
      await writeFile(join(group, 'cpu.max'), `max ${periodMicroseconds}`).catch(ignoreMissing);
      return null;
    }
    await writeFile(join(found.tree, 'cgroup.subtree_control'), '+cpu');
    await mkdir(group, { recursive: true });
    await writeFile(join(group, 'cpu.max'), `${Math.round((percent / 100) * periodMicroseconds)} ${periodMicroseconds}`);
    await writeFile(join(group, 'cgroup.procs'), String(pid));
    return null;
  } catch (thrown) {
    return `The processors of a guest cannot be limited here: ${thrown instanceof Error ? thrown.message : thrown}`;
  }
}

/** Removes the group of a guest that ended. A group with a process in it stays. */
export async function dropCpuQuota(run: string): Promise<void> {
  const found = await findTree(await quotaPlaces());
  if ('tree' in found) await rmdir(groupOf(found.tree, run)).catch(() => {});
}

/** Why the processors of a guest cannot be limited on this computer; null when they can. */
export async function quotaProblem(places?: QuotaPlaces): Promise<string | null> {
  const found = await findTree(places ?? (await quotaPlaces()));
  return 'problem' in found ? found.problem : null;
}

const groupOf = (tree: string, run: string): string => join(tree, `guesthouse-${basename(run)}`);

async function findTree({ root: top, ownGroup }: QuotaPlaces): Promise<{ tree: string } | { problem: string }> {
  const controllers = await readFile(join(top, 'cgroup.controllers'), 'utf8').catch(() => null);
  if (controllers === null)
    return { problem: 'This computer does not use control groups of version 2, so a guest’s processors cannot be limited.' };
  // A group with processes in it cannot be divided, so guests get groups beside the engine's own.
  const own = /^0::(.+)$/m.exec(ownGroup)?.[1] ?? '/';
  const tree = own === '/' ? top : join(top, own, '..');
  const offered = await readFile(join(tree, 'cgroup.controllers'), 'utf8').catch(() => '');
  if (!offered.split(/\s+/).includes('cpu')) {
    return {
      problem: 'The part of the control groups that Guesthouse runs in has no say over processors, so a guest’s cannot be limited.',
    };
  }
  const mayDivide = await access(join(tree, 'cgroup.subtree_control'), constants.W_OK).then(
    () => true,
    () => false,
  );
  return mayDivide ? { tree } : { problem: 'Guesthouse may not make control groups here, so a guest’s processors cannot be limited.' };
}

function ignoreMissing(thrown: NodeJS.ErrnoException): void {
  if (thrown.code !== 'ENOENT') throw thrown;
}
