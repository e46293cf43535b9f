/**
 * The job that writes a guest to a file or folder of the user's choice. All is made under another name beside it, each disk is read back and
 * compared with the guest's before anything gets the name that was asked for.
 */
import { createHash } from 'node:crypto';
import { copyFile, lstat, mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { Failure } from '../../../contract/errors.ts';
import type { Disk, GuestSpec } from '../../../contract/guest-spec.ts';
import { guestId } from '../../../contract/ids.ts';
import { exportFormat } from '../../../contract/machine.ts';
import { version } from '../../../contract/version.ts';
import type { Feed } from '../feed/feed.ts';
import { syncFile, syncFolder, toWriteFailure } from '../files/durable.ts';
import type { GuestFiles, Layout } from '../files/layout.ts';
import type { Guests } from '../guests/guests.ts';
import type { HostCapabilities } from '../host/capabilities.ts';
import { fileSource, slice } from '../images/byte-source.ts';
import { demandSpace, withSpaceWatched } from '../images/copy-medium.ts';
import { openMedium } from '../images/open-medium.ts';
import { type ExportFormat as DiskExport, exportDisk, type StatedDisk, sameContent } from '../images/qemu-img.ts';
import type { JobDefinition, StepContext } from '../jobs/job-definition.ts';
import { readBases } from '../layers/disk-chain.ts';
import type { Snapshots } from '../snapshots/snapshots.ts';
import { type CapsuleFile, type CapsuleManifest, capsuleManifestName, capsuleMembersMax } from './capsule.ts';
import { buildDomain } from './libvirt-writer.ts';
import { checkHash, type ManifestEntry } from './manifest.ts';
import { buildOvf } from './ovf-writer.ts';
import { readTarMembers } from './tar-reader.ts';
import { hashFile, type NewMember, writeTar } from './tar-writer.ts';
import { writeCapsule } from './write-capsule.ts';

const exportInput = z.object({
  guestId,
  format: exportFormat,
  path: z.string(),
  overwrite: z.boolean(),
  /** Of a capsule. */
  withSnapshots: z.boolean().default(false),
  /** A folder beside `path`, where all is made. */
  staging: z.string(),
});
export type ExportInput = z.infer<typeof exportInput>;

export type ExportGuests = Pick<Guests, 'show' | 'hold'>;

type Deps = {
  layout: Pick<Layout, 'layer'>;
  guests: ExportGuests;
  snapshots: Pick<Snapshots, 'carried' | 'whileUntouched'>;
  host: Pick<HostCapabilities, 'qemuImgPath'>;
  feed: Feed;
  keepFreeBytesAt: (folder: string) => Promise<number>;
};

/** How each disk is written, and with which ending. */
const diskFormats: Record<ExportInput['format'], { disk: DiskExport; ending: string }> = {
  capsule: { disk: 'qcow2', ending: 'qcow2' },
  ova: { disk: 'streamVmdk', ending: 'vmdk' },
  libvirt: { disk: 'qcow2', ending: 'qcow2' },
  qcow2: { disk: 'qcow2', ending: 'qcow2' },
  raw: { disk: 'raw', ending: 'img' },
  vmdk: { disk: 'vmdk', ending: 'vmdk' },
  vhdx: { disk: 'vhdx', ending: 'vhdx' },
  vdi: { disk: 'vdi', ending: 'vdi' },
};

/** What the first step found out for the second. A resumed job runs both again. */
type Written = {
  spec: GuestSpec;
  disks: { disk: Disk; file: string }[];
  firmware: { file: string; role: 'nvram' | 'tpm' }[];
  /** The archive is there already, with these hashes in it. */
  hashes: ManifestEntry[] | null;
};

export function defineExport({ layout, guests, snapshots, host, feed, keepFreeBytesAt }: Deps): JobDefinition<ExportInput> {
  const written = new Map<string, Written>();

  const writeDisks = ({ input, signal, progress }: StepContext<ExportInput>) =>
    guests.hold(input.guestId, 'clone', async (held) => {
      held.sayBusy('The guest is being exported. It can be used when that has ended.');
      const { spec } = held.stored;
      const qemuImg = await host.qemuImgPath();
      const { disk: format, ending } = diskFormats[input.format];
      await makeStaging(input.staging);
      const keepFreeBytes = await keepFreeBytesAt(input.staging);
      const tree = input.withSnapshots ? snapshots.carried(input.guestId) : null;
      if (input.format === 'capsule' && tree && tree.snapshots.length > 0) {
        const { files } = held;
        const archive = join(input.staging, archiveName);
        const hashes = await snapshots.whileUntouched(input.guestId, () =>
          writeCapsule({ spec, files, layout, tree, qemuImg, staging: input.staging, archive, keepFreeBytes, signal, progress }),
        );
        written.set(input.guestId, { spec, disks: [], firmware: [], hashes });
        return;
      }
      const total = 2 * spec.disks.reduce((sum, disk) => sum + disk.sizeBytes, 0);
      let before = 0;
      const disks: Written['disks'] = [];
      for (const disk of spec.disks) {
        const source = await statedDisk(disk, spec, held.files);
        const file = `${disk.id}.${ending}`;
        const target = join(input.staging, file);
        const onProgress = (share: number) => progress(Math.round(before + share * disk.sizeBytes), total);
        await demandSpace(target, 0, keepFreeBytes);
        await withSpaceWatched(target, keepFreeBytes, signal, (watched) =>
          exportDisk(qemuImg, source, format, target, { signal: watched, onProgress }),
        );
        before += disk.sizeBytes;
        if (!(await sameContent(qemuImg, source, format, target, { signal, onProgress }))) throw differs(spec.name, disk.id);
        before += disk.sizeBytes;
        await syncFile(target);
        disks.push({ disk, file });
      }
      const firmware = input.format === 'capsule' ? await copyFirmware(held.files, input.staging) : [];
      written.set(input.guestId, { spec, disks, firmware, hashes: null });
    });

  const assemble = async ({ input, signal, progress }: StepContext<ExportInput>) => {
    const made = written.get(input.guestId);
    if (!made) return;
    if (input.format === 'libvirt') {
      const paths = made.disks.map(({ file }) => join(input.path, file));
      await writeFile(join(input.staging, `${plainName(made.spec.name)}.xml`), buildDomain(made.spec, paths), { mode: 0o600 });
    }
    if (input.format !== 'ova' && input.format !== 'capsule') return;
    const target = join(input.staging, archiveName);
    if (made.hashes) {
      const { size } = await stat(target);
      let read = 0;
      await readBack(target, made.hashes, signal, (bytes) => {
        read += bytes;
        progress(Math.min(read, size), size);
      });
      return;
    }
    const sizes = await Promise.all(
      [...made.disks, ...made.firmware].map(async ({ file }) => (await stat(join(input.staging, file))).size),
    );
    const total = 3 * sizes.reduce((sum, size) => sum + size, 0);
    let done = 0;
    const onBytes = (bytes: number) => {
      done += bytes;
      progress(Math.min(done, total), total);
    };
    await demandSpace(target, total / 3, await keepFreeBytesAt(input.staging));
    const { members, hashes } = await (input.format === 'ova' ? ovaMembers : capsuleMembers)(made, input.staging, signal, onBytes);
    await writeTar(target, members, signal, onBytes);
    await readBack(target, hashes, signal, onBytes);
  };

  return {
    kind: 'guest.export',
    parseInput: (value) => exportInput.parse(value),
    afterCrash: 'resume',
    cancellable: true,
    steps: [
      {
        name: 'Write its disks and read them back',
        weight: 70,
        run: writeDisks,
        undo: async ({ staging, guestId: id }) => {
          written.delete(id);
          await rm(staging, { recursive: true, force: true });
        },
      },
      { name: 'Put it together', weight: 29, run: assemble },
      {
        name: 'Give it its name',
        weight: 1,
        async run({ input }) {
          const made = written.get(input.guestId);
          if (!made) return;
          const archived = input.format === 'ova' || input.format === 'capsule';
          const [only, ...others] = made.disks;
          const isFile = archived || (input.format !== 'libvirt' && only !== undefined && others.length === 0);
          await giveName(isFile ? join(input.staging, archived ? archiveName : (only?.file ?? '')) : input.staging, input);
          await rm(input.staging, { recursive: true, force: true });
          written.delete(input.guestId);
          feed.record({
            severity: 'info',
            kind: 'guest.exported',
            text: `${made.spec.name} was exported to ${input.path}, read back and compared.`,
            guestId: input.guestId,
          });
        },
      },
    ],
  };
}

const archiveName = 'archive.tar';

async function makeStaging(staging: string): Promise<void> {
  try {
    await rm(staging, { recursive: true, force: true });
    await mkdir(staging, { mode: 0o700 });
  } catch (thrown) {
    throw toWriteFailure(thrown, staging);
  }
}

async function statedDisk(disk: Disk, spec: GuestSpec, files: GuestFiles): Promise<StatedDisk> {
  const path = disk.location.kind === 'store' ? files.disk(disk.location.file) : disk.location.path;
  const bases = disk.format === 'qcow2' ? await readBases(path, files.bases, `The disk ${disk.id} of ${spec.name}`) : [];
  return { path, format: disk.format, bases };
}

/** The firmware's variables and the TPM's state, where there are any: a guest that never ran has neither. */
async function copyFirmware(files: GuestFiles, staging: string): Promise<Written['firmware']> {
  const copied: Written['firmware'] = [];
  if (await lstat(files.nvram).catch(() => null)) {
    await copyFile(files.nvram, join(staging, 'nvram.fd'));
    copied.push({ file: 'nvram.fd', role: 'nvram' });
  }
  for (const name of await readdir(files.tpmState).catch(() => [])) {
    // swtpm's lock is no state.
    if (!/^[a-zA-Z0-9][a-zA-Z0-9._-]{0,60}$/.test(name)) continue;
    await copyFile(join(files.tpmState, name), join(staging, `tpm-${name}`));
    copied.push({ file: `tpm-${name}`, role: 'tpm' });
  }
  return copied;
}

type Archive = { members: NewMember[]; hashes: ManifestEntry[] };

async function ovaMembers(made: Written, staging: string, signal: AbortSignal, onBytes: (bytes: number) => void): Promise<Archive> {
  const name = plainName(made.spec.name);
  const files = [];
  for (const { disk, file } of made.disks) {
    const { sha256, sizeBytes } = await hashFile(join(staging, file), signal);
    onBytes(sizeBytes);
    files.push({ file, sha256, fileSizeBytes: sizeBytes, virtualSizeBytes: disk.sizeBytes });
  }
  const description = buildOvf(made.spec, files);
  const hashes: ManifestEntry[] = [
    { file: `${name}.ovf`, algorithm: 'sha256', hex: createHash('sha256').update(description).digest('hex') },
    ...files.map(({ file, sha256 }) => ({ file, algorithm: 'sha256' as const, hex: sha256 })),
  ];
  const manifest = hashes.map(({ file, hex }) => `SHA256(${file})= ${hex}\n`).join('');
  return {
    // Readers of streams want the description first.
    members: [
      { name: `${name}.ovf`, content: { text: description } },
      { name: `${name}.mf`, content: { text: manifest } },
      ...files.map(({ file, fileSizeBytes }) => ({ name: file, content: { path: join(staging, file), sizeBytes: fileSizeBytes } })),
    ],
    hashes,
  };
}

async function capsuleMembers(made: Written, staging: string, signal: AbortSignal, onBytes: (bytes: number) => void): Promise<Archive> {
  const files: CapsuleFile[] = [];
  const all = [
    ...made.disks.map(({ disk, file }) => ({ file, role: 'disk' as const, diskId: disk.id })),
    ...made.firmware.map((one) => ({ ...one, diskId: null })),
  ];
  for (const { file, role, diskId } of all) {
    const { sha256, sizeBytes } = await hashFile(join(staging, file), signal);
    onBytes(sizeBytes);
    files.push({ name: file, role, diskId, base: null, sizeBytes, sha256 });
  }
  const manifest: CapsuleManifest = {
    capsule: 1,
    madeBy: `Guesthouse ${version}`,
    exportedAt: new Date().toISOString(),
    spec: made.spec,
    files,
    snapshots: [],
  };
  return {
    members: [
      { name: capsuleManifestName, content: { text: JSON.stringify(manifest, null, 2) } },
      ...files.map(({ name, sizeBytes }) => ({ name, content: { path: join(staging, name), sizeBytes } })),
    ],
    hashes: files.map(({ name, sha256 }) => ({ file: name, algorithm: 'sha256', hex: sha256 })),
  };
}

/** Reads the finished archive as an importer would. @throws Failure `export/differs` */
async function readBack(
  archive: string,
  hashes: readonly ManifestEntry[],
  signal: AbortSignal,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const medium = await openMedium(archive);
  try {
    const whole = fileSource(medium.file, medium.sizeBytes);
    const members = await readTarMembers(whole, basename(archive), capsuleMembersMax);
    for (const entry of hashes) {
      const member = members.find(({ name }) => name === entry.file);
      if (!member)
        throw new Failure('export/differs', `${entry.file} is missing in what was written.`, {
          hint: 'Try again, on another disk if need be.',
        });
      await checkHash(slice(whole, member.offset, member.sizeBytes), entry, signal, onBytes);
    }
  } finally {
    await medium.file.close();
  }
}

/** Puts the finished file or folder in its place; what was there goes only once the new one has its name. */
async function giveName(from: string, { path, overwrite, staging }: ExportInput): Promise<void> {
  const there = await lstat(path).catch(() => null);
  if (there && !overwrite) throw exists(path);
  const replaced = `${staging}.replaced`;
  try {
    if ((await stat(from)).isFile()) await syncFile(from);
    if (there) await rename(path, replaced);
    try {
      await rename(from, path);
    } catch (thrown) {
      if (there) await rename(replaced, path);
      throw thrown;
    }
    await syncFolder(dirname(path));
    await rm(replaced, { recursive: true, force: true });
  } catch (thrown) {
    throw toWriteFailure(thrown, path);
  }
}

/** @throws Failure `export/exists` */
export function exists(path: string): Failure {
  return new Failure('export/exists', `There is something at ${path} already.`, {
    hint: 'Choose another name, or allow it to be replaced.',
    path: 'path',
  });
}

function differs(name: string, diskId: string): Failure {
  return new Failure('export/differs', `The disk ${diskId} of ${name} was written, but reads back differently.`, {
    hint: 'Check the disk that it was written to, then try again.',
  });
}

/** A name for a file inside an archive or folder: letters and digits that every product takes. */
function plainName(name: string): string {
  const plain = name
    .normalize('NFKD')
    .replaceAll(/[^a-zA-Z0-9._-]+/g, '-')
    .replaceAll(/^[-.]+|[-.]+$/g, '')
    .slice(0, 60);
  return plain || 'guest';
}
