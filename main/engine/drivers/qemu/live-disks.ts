/** Disks of a QEMU that runs: which file each writes to, and having all of them write to other files at once. */
import type { Disk } from '../../../../contract/guest-spec.ts';
import type { QmpClient } from '../../qmp/qmp-client.ts';
import { deviceOfNode, fileNodeOf, overlayNodes } from './arguments/storage.ts';

type Node = { 'node-name'?: string; drv: string; file: string };

/** The node upon which the device of each disk works now, by the disk's id. */
async function activeNodes(qmp: QmpClient): Promise<Map<string, string>> {
  const active = new Map<string, string>();
  for (const { inserted } of await qmp.execute('query-block', {})) {
    const node = inserted?.['node-name'];
    const device = node ? deviceOfNode(node) : null;
    if (node && device) active.set(device, node);
  }
  return active;
}

const namedNodes = (qmp: QmpClient): Promise<Node[]> => qmp.execute('query-named-block-nodes', { flat: true });

/** @throws QmpError */
export async function diskFiles(qmp: QmpClient): Promise<Map<string, string>> {
  const nodes = new Map((await namedNodes(qmp)).map((node) => [node['node-name'], node.file]));
  const files = new Map<string, string>();
  for (const [device, node] of await activeNodes(qmp)) {
    const path = nodes.get(fileNodeOf(node));
    if (path) files.set(device, path);
  }
  return files;
}

/**
 * Puts an empty qcow2 file upon each disk: all at once, or none. The guest should stand still, or the disks are of one instant and its
 * requests under way are not.
 * @throws QmpError; then nothing has changed
 */
export async function switchDisks(qmp: QmpClient, disks: readonly { disk: Disk; path: string }[]): Promise<void> {
  const names = (await namedNodes(qmp)).map((node) => node['node-name'] ?? '');
  const active = await activeNodes(qmp);
  const added: string[] = [];
  try {
    const actions = [];
    for (const { disk, path } of disks) {
      const node = active.get(disk.id);
      if (!node) throw new Error(`QEMU has no disk ${disk.id}.`);
      const [file, overlay] = overlayNodes(disk, path, nextNumber(disk.id, names));
      for (const one of [file, overlay]) {
        await qmp.execute('blockdev-add', one);
        added.push(one['node-name']);
      }
      actions.push({ type: 'blockdev-snapshot' as const, data: { node, overlay: overlay['node-name'] } });
    }
    if (actions.length > 0) await qmp.execute('transaction', { actions });
  } catch (thrown) {
    for (const name of added.reverse()) await qmp.execute('blockdev-del', { 'node-name': name }).catch(() => {});
    throw thrown;
  }
}

/** The first number that no node of the disk has. */
function nextNumber(diskId: string, names: readonly string[]): number {
  const taken = names.flatMap((name) => (deviceOfNode(name) === diskId ? [Number(/-s(\d+)$/.exec(name)?.[1] ?? 0)] : []));
  return Math.max(0, ...taken) + 1;
}
