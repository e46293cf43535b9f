/**
 * Has a disk of a guest that runs, or a layer under it, take in what it builds upon. QEMU copies; this says when the copy counts.
 *
 * ```
 *   block-stream ─► pending ─► flush ─► job-finalize ─► the file names its new base ─► nodes of what was taken in are closed
 * ```
 * QEMU would name the new base without having written down where the copied data lie; killed then, the file would read wrong. So a job
 * waits until all is flushed, and one that lost its engine waits for the next, which ends it: what it copied stays, and is passed over
 * when the work is begun again.
 *
 * INVARIANT: what a file reads as never changes by it, wherever QEMU or the engine is killed (`tests/integration/layers-live.test.ts`).
 */
import { Failure } from '../../../../../contract/errors.ts';
import type { QmpClient } from '../../../qmp/qmp-client.ts';
import type { BlockNodeInfo, QemuJob } from '../../../qmp/qmp-commands.ts';
import type { LiveTaking } from '../../driver.ts';
import { deviceOfNode, fileNodeOf } from '../arguments/storage.ts';
import { diskFiles } from '../live-disks.ts';

const lookEveryMs = 100;
/** On a slow disk with much to write; the guest runs on meanwhile. */
const flushTimeoutMs = 300_000;
/** How long a job that was cancelled may take to let go. */
const cancelTimeoutMs = 30_000;
const jobPrefix = 'layers-';

type NamedNode = BlockNodeInfo & { 'node-name': string };

/** @throws QmpError, Failure `image/in-use`, `guest/qemu-refused`, or the signal's reason; then nothing has changed but that some is copied */
export async function takeInBases(qmp: QmpClient, taking: LiveTaking): Promise<void> {
  const { depth, upon, bytesPerSecond, signal, progress } = taking;
  signal.throwIfAborted();
  await settleLayerJobs(qmp);
  const nodes = await diskNodesOf(qmp);
  const chain = await chainOf(qmp, nodes, taking);
  const [node, below] = [chain[depth], upon === null ? undefined : chain[upon.depth]];
  if (!node || (upon !== null && !below)) throw notAsWritten(taking.top);
  const id = `${jobPrefix}${node['node-name']}`;
  const file = nodes.find((one) => one['node-name'] === fileNodeOf(node['node-name']));
  if (file?.ro) await reopenFile(qmp, file, false);
  const end = hearEnd(qmp, id);
  try {
    await qmp.execute('block-stream', {
      'job-id': id,
      device: node['node-name'],
      ...(below && upon ? { 'base-node': below['node-name'], 'backing-file': upon.name } : {}),
      speed: bytesPerSecond,
      'auto-finalize': false,
      'auto-dismiss': true,
    });
    try {
      await watch(qmp, end, signal, progress);
      await flush(qmp, node['node-name']);
      await qmp.execute('job-finalize', { id }, { timeoutMs: flushTimeoutMs });
      await untilGone(qmp, id, flushTimeoutMs);
      if (end.how !== 'completed') throw copyFailure(end.error);
    } catch (thrown) {
      await giveUp(qmp, id);
      throw thrown;
    }
    await flush(qmp, node['node-name']);
  } finally {
    end.stop();
    await settleLayerJobs(qmp);
  }
}

/** Ends what an engine before left of such work, and closes the files that no disk reads any more. Idempotent. */
export async function settleLayerJobs(qmp: QmpClient): Promise<void> {
  for (const { id } of await qmp.execute('query-jobs', {})) if (id.startsWith(jobPrefix)) await giveUp(qmp, id);
  let nodes = await diskNodesOf(qmp);
  for (const node of nodes) {
    const isFile = fileNodeOf(node['node-name']) === node['node-name'];
    const above = nodes.find((one) => one !== node && fileNodeOf(one['node-name']) === node['node-name']);
    // A layer was opened for writing and nothing writes to it any more.
    if (isFile && /-f\d+$/.test(node['node-name']) && !node.ro && above?.ro) await reopenFile(qmp, node, true);
  }
  // A node that another one or a device uses is refused; a file is only free once what gave it a meaning is gone.
  for (;;) {
    let closed = 0;
    for (const { 'node-name': name } of nodes) {
      await qmp.execute('blockdev-del', { 'node-name': name }).then(
        () => closed++,
        () => undefined,
      );
    }
    if (closed === 0) return;
    nodes = await diskNodesOf(qmp);
  }
}

/** The nodes of disks, without those of CDs. */
async function diskNodesOf(qmp: QmpClient): Promise<NamedNode[]> {
  const nodes = await qmp.execute('query-named-block-nodes', { flat: true });
  const ours = nodes.filter((node): node is NamedNode => deviceOfNode(node['node-name'] ?? '') !== null);
  const withFormat = new Set(ours.flatMap(({ drv, 'node-name': name }) => (drv === 'qcow2' ? [deviceOfNode(name)] : [])));
  return ours.filter((node) => withFormat.has(deviceOfNode(node['node-name'])));
}

/**
 * The nodes of the disk that writes to `top`, the uppermost first. Files have got other names since they were opened, so a file is known by
 * its place; nodes that are no part of a chain were closed before.
 */
async function chainOf(qmp: QmpClient, nodes: readonly NamedNode[], { top, length }: LiveTaking): Promise<NamedNode[]> {
  const disk = [...(await diskFiles(qmp))].find(([, path]) => path === top)?.[0];
  const chain = nodes
    .filter((one) => deviceOfNode(one['node-name']) === disk && fileNodeOf(one['node-name']) !== one['node-name'])
    .sort((one, other) => heightOf(other['node-name']) - heightOf(one['node-name']));
  if (chain.length !== length) throw notAsWritten(top);
  return chain;
}

/** What was put upon a disk while it ran lies over what it was started with, and that over what it builds upon. */
function heightOf(node: string): number {
  const [, kind, number] = /-(s|b)(\d+)$/.exec(node) ?? [];
  return kind === 's' ? Number(number) : kind === 'b' ? -Number(number) : 0;
}

const notAsWritten = (top: string): Failure =>
  new Failure('image/in-use', `QEMU has other files open under ${top} than it names.`, {
    hint: 'It is tried again when the guest is off.',
  });

async function reopenFile(qmp: QmpClient, { 'node-name': name, file, cache }: NamedNode, readOnly: boolean): Promise<void> {
  const options = {
    driver: 'file',
    'node-name': name,
    filename: file,
    'read-only': readOnly,
    'auto-read-only': false,
    cache: { direct: cache?.direct ?? false, 'no-flush': cache?.['no-flush'] ?? false },
  };
  await qmp.execute('blockdev-reopen', { options: [options] });
}

/** QMP has no command of its own for it. */
async function flush(qmp: QmpClient, node: string): Promise<void> {
  const said = await qmp.execute('human-monitor-command', { 'command-line': `qemu-io ${node} flush` }, { timeoutMs: flushTimeoutMs });
  if (said.trim() !== '') throw new Failure('guest/qemu-refused', `QEMU could not write down what it copied: ${said.trim()}`);
}

const find = async (qmp: QmpClient, id: string): Promise<QemuJob | undefined> =>
  (await qmp.execute('query-jobs', {})).find((job) => job.id === id);

type JobEnd = { id: string; how: 'completed' | 'cancelled' | null; error: string | undefined; stop(): void };

/**
 * Hears how a job ends, which QEMU says once and before it forgets the job. One that is kept until it is dismissed would not do: its filter
 * stays in the graph without what it filtered, and `query-named-block-nodes` then brings QEMU 7.2 down, with the guest
 * (`tests/integration/layers-live.test.ts`).
 */
function hearEnd(qmp: QmpClient, id: string): JobEnd {
  const end: JobEnd = { id, how: null, error: undefined, stop: () => undefined };
  end.stop = qmp.onEvent(({ event, data }) => {
    if (data.device !== id || (event !== 'BLOCK_JOB_COMPLETED' && event !== 'BLOCK_JOB_CANCELLED')) return;
    if (typeof data.error === 'string') end.error = data.error;
    end.how = event === 'BLOCK_JOB_COMPLETED' && end.error === undefined ? 'completed' : 'cancelled';
  });
  return end;
}

/** Until all is copied. @throws Failure with what QEMU says went wrong, or the signal's reason */
async function watch(qmp: QmpClient, end: JobEnd, signal: AbortSignal, progress: LiveTaking['progress']): Promise<void> {
  for (;;) {
    const job = await find(qmp, end.id);
    if (!job) throw copyFailure(end.error);
    progress(job['current-progress'], job['total-progress']);
    if (job.status === 'pending') return;
    await pauseOrAbort(signal);
  }
}

function copyFailure(error: string | undefined): Failure {
  if (error && /no space/i.test(error)) {
    return new Failure('store/full', 'There is no room left to copy what a disk builds upon.', { hint: 'Free some space.', detail: error });
  }
  return new Failure('guest/qemu-refused', `QEMU could not copy what a disk builds upon${error ? `: ${error}` : '.'}`);
}

/** A moment, or until it is to end, which must not wait for the next look. */
async function pauseOrAbort(signal: AbortSignal): Promise<void> {
  await new Promise<void>((done) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      done();
    };
    const timer = setTimeout(end, lookEveryMs);
    signal.addEventListener('abort', end);
  });
  signal.throwIfAborted();
}

async function untilGone(qmp: QmpClient, id: string, timeoutMs: number): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const job = await find(qmp, id);
    if (!job) return;
    // Begun by an older Guesthouse, which did not have QEMU forget it.
    if (job.status === 'concluded') await qmp.execute('job-dismiss', { id }).catch(() => undefined);
    if (Date.now() > deadline) throw new Failure('guest/not-responding', 'QEMU does not end copying what a disk builds upon.');
    await new Promise((done) => setTimeout(done, 20));
  }
}

/** What is copied so far stays in the file, and reads the same. A QEMU that has ended has nothing left to give up. */
async function giveUp(qmp: QmpClient, id: string): Promise<void> {
  await qmp.execute('job-cancel', { id }).catch(() => undefined);
  await untilGone(qmp, id, cancelTimeoutMs).catch(() => undefined);
}
