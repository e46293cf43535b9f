/**
 * Finds in a capsule what its list of contents names, and reads the head of every disk and layer before another program does. A name of a file
 * is compared and never followed: a member is a range of the archive.
 */
import { basename } from 'node:path';
import { Failure } from '../../../contract/errors.ts';
import { type ByteSource, fileSource, slice } from '../images/byte-source.ts';
import { acceptedHeader } from '../images/inspect.ts';
import { openMedium } from '../images/open-medium.ts';
import { qcow2HeaderBytes } from '../images/qcow2-header.ts';
import {
  type Capsule,
  type CapsuleFile,
  capsuleManifestMaxBytes,
  capsuleManifestName,
  capsuleMembersMax,
  parseCapsule,
  tpmFileOf,
} from './capsule.ts';
import { notUnderstood } from './foreign-machine.ts';
import type { MachineDiskRef } from './machine-disk.ts';
import { readTarMembers, type TarMember } from './tar-reader.ts';

export type CapsuleMember = { ref: MachineDiskRef; sha256: string };
/** A file of a disk, present or frozen. `base` is the name of the layer that it builds upon. */
export type CapsuleDisk = CapsuleMember & { base: string | null; virtualSizeBytes: number };
/** A file besides disks. */
export type CapsuleExtra = CapsuleMember & {
  role: Exclude<CapsuleFile['role'], 'disk'>;
  /** What it is called in the guest's folder, where the role does not say it. */
  file: string;
  /** Of which snapshot, by its name in the capsule; null is the present. */
  snapshot: string | null;
};

export type FoundCapsule = {
  capsule: Capsule;
  layers: CapsuleDisk[];
  /** As the spec has them. */
  disks: CapsuleDisk[];
  extras: CapsuleExtra[];
};

/** More than any firmware's variables or TPM's state need. */
const extraMaxBytes = 64 * 1024 * 1024;
const pngSignature = Buffer.from('89504e470d0a1a0a', 'hex');

/** @throws Failure `machine/not-understood`, `machine/archive-refused`, `image/*` */
export async function findCapsule(path: string): Promise<FoundCapsule> {
  const medium = await openMedium(path);
  try {
    const archive = fileSource(medium.file, medium.sizeBytes);
    const members = await readTarMembers(archive, basename(path), capsuleMembersMax);
    const [list] = members;
    if (list?.name !== capsuleManifestName) throw notUnderstood(`${basename(path)} is no capsule.`);
    const capsule = parseCapsule(await manifestText(slice(archive, list.offset, list.sizeBytes)));
    const byName = new Map(members.map((member) => [member.name, member]));
    const memberOf = ({ name, sizeBytes }: Pick<CapsuleFile, 'name' | 'sizeBytes'>): TarMember => {
      const member = byName.get(name);
      if (member?.sizeBytes === sizeBytes) return member;
      throw notUnderstood(`${name} is missing in it, or has another size than its list of contents says.`);
    };
    const diskAt = async ({ name, base, sizeBytes, sha256 }: Omit<CapsuleFile, 'role' | 'diskId'>): Promise<CapsuleDisk> => {
      const { offset } = memberOf({ name, sizeBytes });
      const ref: MachineDiskRef = { path, member: { offset, sizeBytes }, name, format: 'qcow2' };
      const { virtualSizeBytes } = carriedHeader(await slice(archive, offset, sizeBytes).read(0, qcow2HeaderBytes), sizeBytes, name, base);
      return { ref, base, virtualSizeBytes, sha256 };
    };
    const extraAt = async (file: CapsuleFile, snapshot: string | null): Promise<CapsuleExtra[]> => {
      const { name, role, sizeBytes, sha256 } = file;
      if (role === 'disk') return [];
      const { offset } = memberOf(file);
      if (role !== 'memory' && sizeBytes > extraMaxBytes) throw notUnderstood(`${name} is larger than such a file is.`);
      if (role === 'thumbnail' && !(await slice(archive, offset, sizeBytes).read(0, 8)).equals(pngSignature))
        throw notUnderstood(`${name} is no picture.`);
      const ref: MachineDiskRef = { path, member: { offset, sizeBytes }, name, format: 'raw' };
      return [{ ref, sha256, role, file: role === 'tpm' ? tpmFileOf(name) : name, snapshot }];
    };

    const found: FoundCapsule = { capsule, layers: [], disks: [], extras: [] };
    for (const layer of capsule.layers) found.layers.push(await diskAt(layer));
    for (const { id } of capsule.spec.disks) {
      const file = capsule.files.find(({ role, diskId }) => role === 'disk' && diskId === id);
      if (file) found.disks.push(await diskAt(file));
    }
    for (const file of capsule.files) found.extras.push(...(await extraAt(file, null)));
    for (const { id, files } of capsule.snapshots) for (const file of files) found.extras.push(...(await extraAt(file, id)));
    return found;
  } finally {
    await medium.file.close();
  }
}

/**
 * The header of a disk that is taken as it is.
 * @param base the name that it has to have for what it builds upon; null when it has to stand alone
 * @throws Failure `image/*`
 */
export function carriedHeader(head: Buffer, sizeBytes: number, name: string, base: string | null): { virtualSizeBytes: number } {
  const header = acceptedHeader(head, { sizeBytes }, name, base);
  const problem =
    header.backingFile !== base
      ? `should build upon ${base} and does not`
      : header.snapshots > 0
        ? 'has snapshots inside it'
        : header.dirty || header.corrupt
          ? 'was not closed'
          : null;
  if (problem)
    throw new Failure('image/corrupt', `“${name}” cannot be used: it ${problem}.`, { hint: 'Export the capsule again.', path: 'path' });
  return header;
}

async function manifestText(source: ByteSource): Promise<string> {
  if (source.sizeBytes > capsuleManifestMaxBytes)
    throw notUnderstood(`its list of contents is larger than ${capsuleManifestMaxBytes / 1024 ** 2} MiB.`);
  const pieces: Buffer[] = [];
  for (let at = 0; at < source.sizeBytes; ) {
    const piece = await source.read(at, 1024 * 1024);
    if (piece.length === 0) break;
    pieces.push(piece);
    at += piece.length;
  }
  return Buffer.concat(pieces).toString('utf8');
}
