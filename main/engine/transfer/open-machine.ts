/**
 * Finds out of which kind a machine is, has its description read, and finds the disks that it names. A description may name only what is in
 * its own folder or archive; what lies elsewhere is told, and used only when the user trusts it.
 */
import { lstat, open, readFile, realpath, stat } from 'node:fs/promises';
import { basename, dirname, extname, isAbsolute, join, relative, resolve } from 'node:path';
import { Failure } from '../../../contract/errors.ts';
import type { MachineKind } from '../../../contract/machine.ts';
import { type ByteSource, fileSource, slice } from '../images/byte-source.ts';
import { openMedium } from '../images/open-medium.ts';
import { emptyMachine, type ForeignMachine, notUnderstood } from './foreign-machine.ts';
import { parseLibvirt } from './formats/libvirt.ts';
import { parseOvf } from './formats/ovf.ts';
import { parseQuickemu } from './formats/quickemu.ts';
import { parseUtm } from './formats/utm.ts';
import { parseVirtualBox } from './formats/virtualbox.ts';
import { parseVmx } from './formats/vmware.ts';
import { type MachineDiskRef, recogniseDisk } from './machine-disk.ts';
import { checkHash, type ManifestEntry, manifestMaxBytes, parseManifest } from './manifest.ts';
import { type FoundCapsule, findCapsule } from './open-capsule.ts';
import { readTarMembers, type TarMember } from './tar-reader.ts';

export type FoundDisk = { file: string; ref: MachineDiskRef | null; problem: Failure | null; outside: boolean };

export type FoundMachine = {
  kind: MachineKind;
  machine: ForeignMachine;
  /** In the order of `machine.disks`. */
  disks: FoundDisk[];
  /** Hashes of the files that are copied, to be checked before; null when there is no manifest. */
  manifest: ManifestEntry[] | null;
  /** The machine's own folder; null for an archive. */
  folder: string | null;
  /** A guest of another Guesthouse, which is taken as it is. */
  capsule: FoundCapsule | null;
};

const descriptionMaxBytes = 4 * 1024 * 1024;
/** @throws Failure `machine/*` or `image/*` saying what is wrong with the machine as a whole. What is wrong with one disk is with that disk. */
export async function findMachine(path: string, moreDisks: readonly string[] = []): Promise<FoundMachine> {
  if (!isAbsolute(path) || path.includes('\0'))
    throw new Failure('image/file-missing', 'The path of a machine must be absolute.', { path: 'path' });
  const found = await stat(path).catch(() => null);
  if (found?.isDirectory()) return findInFolder(path);
  const ending = extname(path).toLowerCase();
  const folder = dirname(await realpath(path).catch(() => path));
  switch (ending) {
    case '.ova':
      return findInArchive(path);
    case '.capsule':
      return findInCapsule(path);
    case '.ovf': {
      const machine = parseOvf(await readDescription(path));
      return { kind: 'ovf', machine, disks: await disksIn(folder, machine), manifest: await manifestBeside(path), folder, capsule: null };
    }
    case '.vbox':
      return described('virtualbox', parseVirtualBox(await readDescription(path)), folder);
    case '.vmx':
      return described('vmware', parseVmx(await readDescription(path)), folder);
    case '.xml':
      return described('libvirt', parseLibvirt(await readDescription(path)), folder);
    case '.conf':
      return described('quickemu', parseQuickemu(await readDescription(path)), folder);
    case '.plist':
      return described('utm', parseUtm(await readDescription(path)), folder);
    default:
      return findDisks([path, ...moreDisks]);
  }
}

async function described(kind: MachineKind, machine: ForeignMachine, folder: string): Promise<FoundMachine> {
  return { kind, machine, disks: await disksIn(folder, machine), manifest: null, folder, capsule: null };
}

async function findInFolder(path: string): Promise<FoundMachine> {
  const folder = await realpath(path);
  const plist = join(folder, 'config.plist');
  if (await stat(plist).catch(() => null)) return described('utm', parseUtm(await readDescription(plist)), folder);
  throw new Failure('image/not-a-file', `${path} is a folder, and no machine of UTM.`, {
    hint: 'Choose the file in it that describes the machine: .ovf, .vbox, .vmx, .xml, .conf, or a disk.',
    path: 'path',
  });
}

async function findDisks(paths: readonly string[]): Promise<FoundMachine> {
  const machine = emptyMachine();
  machine.disks = paths.map((file) => ({ file, bus: null, controller: 'unknown', raw: false }));
  machine.nics = [{ model: null, modelName: 'unknown', mac: null }];
  const disks: FoundDisk[] = [];
  for (const file of paths) {
    // Opened as the rest of the engine opens media, so that what it is not is said in the same words.
    await (await openMedium(file)).file.close();
    disks.push({ file, ref: await recogniseDisk(file, null, false), problem: null, outside: false });
  }
  return { kind: 'disk', machine, disks, manifest: null, folder: null, capsule: null };
}

async function findInArchive(path: string): Promise<FoundMachine> {
  const medium = await openMedium(path);
  try {
    const fileName = basename(path);
    const archive = fileSource(medium.file, medium.sizeBytes);
    const members = await readTarMembers(archive, fileName);
    const [description, ...others] = members.filter(({ name }) => /\.ovf$/i.test(name));
    if (!description || others.length > 0)
      throw notUnderstood(`${fileName} holds ${others.length + (description ? 1 : 0)} descriptions instead of one.`);
    const content = (member: TarMember): ByteSource => slice(archive, member.offset, member.sizeBytes);
    const machine = parseOvf(await textOf(content(description), description.name));
    const list = members.find(({ name }) => /\.mf$/i.test(name));
    const manifest = list ? parseManifest(await textOf(content(list), list.name, manifestMaxBytes)) : null;
    await checkDescription(manifest, description.name, content(description));
    const disks: FoundDisk[] = [];
    for (const { file } of machine.disks) {
      const member = members.find(({ name }) => name === decoded(file));
      if (!member) disks.push({ file, ref: null, problem: missing(file, `the archive ${fileName}`), outside: false });
      else disks.push(await recognised(file, path, { offset: member.offset, sizeBytes: member.sizeBytes }, member.name));
    }
    return { kind: 'ova', machine, disks, manifest, folder: null, capsule: null };
  } finally {
    await medium.file.close();
  }
}

/** Its disks are not recognised but taken as they are, so only what they are called and where they are is told. */
async function findInCapsule(path: string): Promise<FoundMachine> {
  const capsule = await findCapsule(path);
  const { spec } = capsule.capsule;
  const machine = {
    ...emptyMachine(),
    name: spec.name,
    disks: capsule.disks.map(({ ref }, index) => {
      const bus = spec.disks[index]?.bus ?? 'sata';
      return { file: ref.name, bus, controller: bus, raw: false };
    }),
  };
  const disks = capsule.disks.map(({ ref }) => ({ file: ref.name, ref, problem: null, outside: false }));
  return { kind: 'capsule', machine, disks, manifest: null, folder: null, capsule };
}

async function recognised(file: string, path: string, member: MachineDiskRef['member'], name: string): Promise<FoundDisk> {
  try {
    return { file, ref: await recogniseDisk(path, member, false, name), problem: null, outside: false };
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown;
    return { file, ref: null, problem: thrown, outside: false };
  }
}

async function disksIn(folder: string, machine: ForeignMachine): Promise<FoundDisk[]> {
  const disks: FoundDisk[] = [];
  for (const { file, raw } of machine.disks) {
    const wanted = resolve(folder, decoded(file));
    try {
      const path = await realpath(wanted).catch(() => {
        throw missing(file, folder);
      });
      // By where it really is: a link in the folder could lead anywhere.
      const within = relative(folder, path);
      const outside = within.startsWith('..') || isAbsolute(within);
      if (!(await lstat(path)).isFile()) throw new Failure('image/not-a-file', `${file} is no regular file.`, { path: 'path' });
      // Nothing outside is opened unasked, not even to say what it is.
      disks.push({
        file,
        ref: outside ? { path, member: null, name: basename(path), format: 'raw' } : await recogniseDisk(path, null, raw),
        problem: null,
        outside,
      });
    } catch (thrown) {
      if (!(thrown instanceof Failure)) throw thrown;
      disks.push({ file, ref: null, problem: thrown, outside: false });
    }
  }
  return disks;
}

/** Looks at a disk outside the folder, once it is trusted. @throws Failure `image/*` */
export function recogniseOutside(found: FoundDisk, saidRaw: boolean): Promise<MachineDiskRef> {
  if (!found.ref) throw missing(found.file, 'its place');
  return recogniseDisk(found.ref.path, null, saidRaw);
}

function missing(file: string, where: string): Failure {
  return new Failure('image/file-missing', `The disk “${file}” of the machine is not in ${where}.`, {
    hint: 'Copy all the files of the machine into one folder, or export it again.',
    path: 'path',
  });
}

/** Names in an OVF are addresses: "my%20disk.vmdk". */
function decoded(file: string): string {
  try {
    return /%[0-9A-Fa-f]{2}/.test(file) ? decodeURIComponent(file) : file;
  } catch {
    return file;
  }
}

async function manifestBeside(path: string): Promise<ManifestEntry[] | null> {
  const beside = `${path.slice(0, -extname(path).length)}.mf`;
  const found = await lstat(beside).catch(() => null);
  if (!found?.isFile() || found.size > manifestMaxBytes) return null;
  const manifest = parseManifest(await readFile(beside, 'utf8'));
  const file = await open(path, 'r');
  try {
    await checkDescription(manifest, basename(path), fileSource(file, (await file.stat()).size));
  } finally {
    await file.close();
  }
  return manifest;
}

/** The description itself is small, so its hash is checked at once. */
async function checkDescription(manifest: ManifestEntry[] | null, name: string, content: ByteSource): Promise<void> {
  const entry = manifest?.find(({ file }) => file === name);
  if (entry) await checkHash(content, entry, new AbortController().signal, () => undefined);
}

async function readDescription(path: string): Promise<string> {
  const medium = await openMedium(path);
  try {
    return await textOf(fileSource(medium.file, medium.sizeBytes), basename(path));
  } finally {
    await medium.file.close();
  }
}

async function textOf(source: ByteSource, name: string, maxBytes = descriptionMaxBytes): Promise<string> {
  if (source.sizeBytes > maxBytes) throw notUnderstood(`${name} is larger than ${maxBytes / 1024} KiB.`);
  const bytes = await source.read(0, source.sizeBytes);
  // Some exporters for Windows write UTF-16.
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return bytes.toString('utf16le').replace(/^\ufeff/, '');
  return bytes.toString('utf8').replace(/^\ufeff/, '');
}
