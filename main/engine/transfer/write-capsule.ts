/**
 * Writes a guest with its snapshots into a capsule: every layer once, as it lies in the store, with the name of what it builds upon changed to
 * that in the capsule. So an unpacked capsule is a chain that QEMU's own tools read, and its size is that of what it holds.
 *
 * INVARIANT: each disk and each layer of a capsule reads as in the store (`tests/integration/capsule-snapshots.test.ts`).
 */
import { existsSync } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../../../contract/errors.ts';
import type { DiskFormat, GuestSpec } from '../../../contract/guest-spec.ts';
import { version } from '../../../contract/version.ts';
import type { GuestFiles, Layout } from '../files/layout.ts';
import { demandSpace, withSpaceWatched } from '../images/copy-medium.ts';
import { editBase, qcow2HeaderBytes } from '../images/qcow2-header.ts';
import { aloneBytes, compareDisks, convertDisk, readsTheSame, rewriteDisk } from '../images/qemu-img.ts';
import { type DiskLink, readBases, readHeader } from '../layers/disk-chain.ts';
import type { CarriedTree } from '../snapshots/store.ts';
import { type CapsuleFile, type CapsuleManifest, capsuleManifestName, parseCapsule } from './capsule.ts';
import type { ManifestEntry } from './manifest.ts';
import { type FileContent, hashFile, type NewMember, writeTar } from './tar-writer.ts';

type CapsuleWish = {
  spec: GuestSpec;
  files: GuestFiles;
  layout: Pick<Layout, 'layer'>;
  tree: CarriedTree;
  qemuImg: string;
  /** A folder for what has to be written anew, and the archive in it. */
  staging: string;
  archive: string;
  keepFreeBytes: number;
  signal: AbortSignal;
  progress: (bytesDone: number, bytesTotal: number) => void;
};

/** A file of a disk and what it builds upon, the nearest first. */
type Node = DiskLink & { bases: readonly DiskLink[] };
type Ready = { name: string; base: string | null; content: FileContent; sha256: string };

/** @returns the hashes of all that was written, to be read back. @throws Failure of the store, of qemu-img, or `export/differs` */
export async function writeCapsule(wish: CapsuleWish): Promise<ManifestEntry[]> {
  const { spec, files, tree, archive, keepFreeBytes, signal } = wish;
  const { layers, disks } = await nodesOf(wish);
  const extras = await extrasOf(files, tree);
  const names = new Map([...layers.keys()].map((path, index) => [path, `layer.${index + 1}.qcow2`]));
  const total = 2 * (await sizesOf([...layers.values(), ...disks.values(), ...extras.map(({ path }) => ({ path }))]));
  let done = 0;
  const onBytes = (bytes: number) => {
    done += bytes;
    wish.progress(Math.min(done, total), total);
  };

  const ready = async (node: Node, name: string): Promise<Ready> => {
    const base = node.bases[0] ? (names.get(node.bases[0].path) ?? null) : null;
    const path = await asQcow2(node, name, wish);
    const head = base === null ? undefined : await headWith(path, base);
    const { sha256, sizeBytes } = await hashFile(path, signal, head);
    onBytes(sizeBytes);
    return { name, base, content: { path, sizeBytes, ...(head ? { head } : {}) }, sha256 };
  };
  const readyLayers: Ready[] = [];
  for (const [path, node] of layers) readyLayers.push(await ready(node, names.get(path) ?? ''));
  const readyDisks: (Ready & { diskId: string })[] = [];
  for (const [diskId, node] of disks) readyDisks.push({ ...(await ready(node, `${diskId}.qcow2`)), diskId });
  const readyExtras: (Ready & Extra)[] = [];
  for (const extra of extras) {
    const { sha256, sizeBytes } = await hashFile(extra.path, signal);
    onBytes(sizeBytes);
    readyExtras.push({ ...extra, base: null, content: { path: extra.path, sizeBytes }, sha256 });
  }

  const fileOf = (
    { name, content, sha256 }: Ready,
    role: CapsuleFile['role'],
    diskId: string | null = null,
    base: string | null = null,
  ) => ({
    name,
    role,
    diskId,
    base,
    sizeBytes: content.sizeBytes,
    sha256,
  });
  const extrasOfSnapshot = (id: string | null) =>
    readyExtras.filter(({ snapshot }) => snapshot === id).map((extra) => fileOf(extra, extra.role));
  const manifest: CapsuleManifest = {
    capsule: 2,
    madeBy: `Guesthouse ${version}`,
    exportedAt: new Date().toISOString(),
    spec,
    files: [...readyDisks.map((disk) => fileOf(disk, 'disk', disk.diskId, disk.base)), ...extrasOfSnapshot(null)],
    layers: readyLayers.map(({ name, base, content, sha256 }) => ({ name, base, sizeBytes: content.sizeBytes, sha256 })),
    snapshots: tree.snapshots.map(({ id, parentId, createdAt, disks: kept, spec: text, nvram: _, tpm: __, ...snapshot }) => ({
      ...snapshot,
      id,
      parent: parentId,
      takenAt: createdAt,
      spec: JSON.parse(text) as Record<string, unknown>,
      disks: kept.map((disk) => ({ id: disk.id, layer: names.get(wish.layout.layer(disk.layer)) ?? '' })),
      files: extrasOfSnapshot(id),
    })),
    present: tree.currentId,
    schedule: tree.schedule,
  };
  const text = JSON.stringify(manifest, null, 1);
  // As whoever opens it will: what could not be opened is not written.
  parseCapsule(text);
  const all = [...readyLayers, ...readyDisks, ...readyExtras];
  await demandSpace(
    archive,
    all.reduce((sum, { content }) => sum + content.sizeBytes, Buffer.byteLength(text)),
    keepFreeBytes,
  );
  const members: NewMember[] = [{ name: capsuleManifestName, content: { text } }, ...all.map(({ name, content }) => ({ name, content }))];
  await writeTar(archive, members, signal, onBytes);
  return all.map(({ name, sha256 }) => ({ file: name, algorithm: 'sha256', hex: sha256 }));
}

/** About how large a capsule would be with all snapshots, and without any. @throws Failure `image/*` when a disk cannot be read */
export async function measureCapsule(
  wish: Pick<CapsuleWish, 'spec' | 'files' | 'layout' | 'tree' | 'qemuImg'>,
): Promise<{ allBytes: number; presentBytes: number }> {
  const { layers, disks } = await nodesOf(wish);
  const extras = await extrasOf(wish.files, wish.tree);
  let allBytes = 0;
  for (const { path, format } of [...layers.values(), ...disks.values(), ...extras.map((extra) => ({ ...extra, format: null }))]) {
    const { size, blocks } = await stat(path);
    allBytes += format !== null && mustBeWrittenAnew(format, size, blocks) ? blocks * 512 : size;
  }
  const alone = [...disks.values()].map((disk) => aloneBytes(wish.qemuImg, disk));
  const state = extras.filter(({ snapshot }) => snapshot === null).map(async ({ path }) => (await stat(path)).size);
  const presentBytes = (await Promise.all([...alone, ...state])).reduce((sum, bytes) => sum + bytes, 0);
  return { allBytes, presentBytes };
}

/** Every layer that a disk of the guest or of a snapshot leads to, each after what it builds upon; and the guest's disks by their ids. */
async function nodesOf({ spec, files, layout, tree }: Pick<CapsuleWish, 'spec' | 'files' | 'layout' | 'tree'>) {
  const layers = new Map<string, Node>();
  const disks = new Map<string, Node>();
  const addLayers = (chain: readonly DiskLink[]) => {
    for (const [below, link] of chain.toReversed().entries())
      if (!layers.has(link.path)) layers.set(link.path, { ...link, bases: chain.slice(chain.length - below) });
  };
  for (const snapshot of tree.snapshots) {
    for (const { id, layer } of snapshot.disks) {
      const path = layout.layer(layer);
      addLayers([{ path, format: 'qcow2' }, ...(await readBases(path, files.bases, `The disk ${id} of “${snapshot.name}”`))]);
    }
  }
  for (const { id, location, format } of spec.disks) {
    const path = location.kind === 'store' ? files.disk(location.file) : location.path;
    const bases = format === 'qcow2' ? await readBases(path, files.bases, `The disk ${id} of ${spec.name}`) : [];
    addLayers(bases);
    disks.set(id, { path, format, bases });
  }
  return { layers, disks };
}

type Extra = { name: string; path: string; role: Exclude<CapsuleFile['role'], 'disk'>; snapshot: string | null };

/** What the guest and its snapshots have besides disks. */
async function extrasOf(files: GuestFiles, tree: CarriedTree): Promise<Extra[]> {
  const extras = await stateOf(files, '', null);
  for (const [index, snapshot] of tree.snapshots.entries()) {
    const kept = files.snapshot(snapshot.id);
    const prefix = `s${index + 1}.`;
    extras.push(
      ...(await stateOf({ nvram: snapshot.nvram ? kept.nvram : '', tpmState: snapshot.tpm ? kept.tpmState : '' }, prefix, snapshot.id)),
    );
    if (snapshot.memory) extras.push({ name: `${prefix}memory.state`, path: kept.memory, role: 'memory', snapshot: snapshot.id });
    if (existsSync(kept.thumbnail))
      extras.push({ name: `${prefix}thumbnail.png`, path: kept.thumbnail, role: 'thumbnail', snapshot: snapshot.id });
  }
  return extras;
}

/** The firmware's variables and the TPM's state, where there are any: a guest that never ran has neither. */
async function stateOf(
  { nvram, tpmState }: Pick<GuestFiles, 'nvram' | 'tpmState'>,
  prefix: string,
  snapshot: string | null,
): Promise<Extra[]> {
  const extras: Extra[] = existsSync(nvram) ? [{ name: `${prefix}nvram.fd`, path: nvram, role: 'nvram', snapshot }] : [];
  for (const name of await readdir(tpmState).catch(() => [])) {
    // swtpm's lock is no state.
    if (/^[a-zA-Z0-9][a-zA-Z0-9._-]{0,60}$/.test(name))
      extras.push({ name: `${prefix}tpm-${name}`, path: join(tpmState, name), role: 'tpm', snapshot });
  }
  return extras;
}

/** A file with fewer of its bytes on the disk than this has holes that are worth another file. */
const wholeShare = 0.75;
const holesMinBytes = 16 * 1024 * 1024;

function mustBeWrittenAnew(format: DiskFormat, size: number, blocks: number): boolean {
  return format === 'raw' || (size - blocks * 512 >= holesMinBytes && blocks * 512 <= size * wholeShare);
}

/** Whether a qcow2 file is as whoever opens a capsule takes it; one of the user's own that is used in place need not be. */
async function isPlain(path: string, name: string): Promise<boolean> {
  const { snapshots, dirty } = await readHeader(path, name);
  return snapshots === 0 && !dirty;
}

/** The file itself; or, of a raw one and of one with large holes, which an archive would fill, a copy without them that reads the same. */
async function asQcow2({ path, format, bases }: Node, name: string, wish: CapsuleWish): Promise<string> {
  const { qemuImg, staging, keepFreeBytes, signal } = wish;
  const { size, blocks } = await stat(path);
  const isClosed = format === 'qcow2' && (await isPlain(path, name));
  if (isClosed && !mustBeWrittenAnew(format, size, blocks)) return path;
  const target = join(staging, name);
  const onProgress = () => undefined;
  await withSpaceWatched(target, keepFreeBytes, signal, (watched) =>
    format === 'raw'
      ? convertDisk(qemuImg, { source: path, sourceFormat: 'raw', target, signal: watched, onProgress })
      : rewriteDisk(qemuImg, { path, bases, target, signal: watched, onProgress }),
  );
  const same =
    format === 'raw'
      ? await readsTheSame(
          qemuImg,
          [
            { path, format },
            { path: target, format: 'qcow2' },
          ],
          signal,
        )
      : await compareDisks(qemuImg, { path, bases }, { path: target, bases }, signal);
  if (same) return target;
  throw new Failure('export/differs', `${name} was written anew, but reads back differently.`, {
    hint: 'Check the disk that it was written to, then try again.',
  });
}

/** The beginning of a file of the store, with the name that its base has in the capsule. There every layer is qcow2. */
async function headWith(path: string, base: string): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const head = Buffer.alloc(qcow2HeaderBytes);
    const { bytesRead } = await file.read(head, 0, head.length, 0);
    const edited = editBase(head.subarray(0, bytesRead), base, 'qcow2');
    if (edited) return edited;
    throw new Failure('image/corrupt', `${path} names what it builds upon in a way that cannot be changed.`);
  } finally {
    await file.close();
  }
}

async function sizesOf(nodes: readonly { path: string }[]): Promise<number> {
  const sizes = await Promise.all(nodes.map(async ({ path }) => (await stat(path)).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}
