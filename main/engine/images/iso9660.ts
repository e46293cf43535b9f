/**
 * Reads what an ISO 9660 volume (ECMA-119) says of itself, its El Torito boot catalogue, and how long its UDF bridge says it is. Nothing is
 * believed: every length is bounded and every offset is checked against the file.
 */
import type { IsoTraits } from '../os/os-recognition.ts';
import type { ByteSource } from './byte-source.ts';

export type IsoReport = IsoTraits & {
  /** What the volume descriptors say the file has at least. */
  claimedSizeBytes: number;
  bootable: { bios: boolean; uefi: boolean };
  /** The day on which the volume was made, "2026-06-17". */
  madeOn: string | null;
};

const sectorBytes = 2048;
const firstDescriptorSector = 16;
const descriptorsMax = 32;

/** Null when the source is no ISO 9660 volume. */
export async function readIso(source: ByteSource): Promise<IsoReport | null> {
  let primary: Buffer | null = null;
  let bootCatalogueSector: number | null = null;
  for (let index = 0; index < descriptorsMax; index++) {
    const descriptor = await source.read((firstDescriptorSector + index) * sectorBytes, sectorBytes);
    if (descriptor.length < sectorBytes || descriptor.toString('latin1', 1, 6) !== 'CD001') break;
    const type = descriptor[0];
    if (type === 1) primary ??= descriptor;
    if (type === 0 && descriptor.toString('latin1', 7, 30) === 'EL TORITO SPECIFICATION')
      bootCatalogueSector ??= descriptor.readUInt32LE(0x47);
    if (type === 255) break;
  }
  if (!primary) return null;

  const blockBytes = primary.readUInt16LE(128);
  const blocks = primary.readUInt32LE(80);
  const usableBlock = blockBytes === 512 || blockBytes === 1024 || blockBytes === 2048;
  const volumeSizeBytes = blocks * (usableBlock ? blockBytes : sectorBytes);
  const fromCatalogue = bootCatalogueSector === null ? notBootable : await readBootCatalogue(source, bootCatalogueSector);
  const fromHybrid = await readHybrid(source);
  return {
    volumeId: textField(primary, 40, 32),
    systemId: textField(primary, 8, 32),
    publisherId: textField(primary, 318, 128),
    applicationId: textField(primary, 574, 128),
    volumeSizeBytes,
    // What UEFI starts is often appended behind the volume proper.
    claimedSizeBytes: Math.max(volumeSizeBytes, await udfEnd(source), fromCatalogue.endBytes, fromHybrid.endBytes),
    bootable: { bios: fromCatalogue.bios || fromHybrid.bios, uefi: fromCatalogue.uefi || fromHybrid.uefi },
    madeOn: dayField(primary, 813),
  };
}

/** Padded text without control characters: it is shown to people. */
function textField(buffer: Buffer, offset: number, length: number): string {
  return (
    buffer
      .toString('latin1', offset, offset + length)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is being removed
      .replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, ' ')
      .trim()
  );
}

/** The day of a date in digits (ECMA-119, 8.4.26.1). Zeros stand for none. */
function dayField(buffer: Buffer, offset: number): string | null {
  const match = /^((?:19|20|21)\d\d)(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])/.exec(buffer.toString('latin1', offset, offset + 8));
  return match && `${match[1]}-${match[2]}-${match[3]}`;
}

type BootReport = { bios: boolean; uefi: boolean; endBytes: number };
const notBootable: BootReport = { bios: false, uefi: false, endBytes: 0 };

/** Platforms with a bootable entry, after "El Torito" Bootable CD-ROM Format Specification 1.0, section 2. */
async function readBootCatalogue(source: ByteSource, sector: number): Promise<BootReport> {
  const found = { ...notBootable };
  const catalogue = await source.read(sector * sectorBytes, sectorBytes);
  // The validation entry: header id 1, and the key bytes 55 AA.
  if (catalogue.length < 64 || catalogue[0] !== 1 || catalogue[30] !== 0x55 || catalogue[31] !== 0xaa) return found;
  let platform = catalogue[1] ?? 0;
  for (let at = 32; at + 32 <= catalogue.length; at += 32) {
    const indicator = catalogue[at];
    if (indicator === 0x90 || indicator === 0x91) platform = catalogue[at + 1] ?? 0;
    else if (indicator === 0x88) {
      if (platform === 0xef) found.uefi = true;
      else if (platform === 0) found.bios = true;
      found.endBytes = Math.max(found.endBytes, catalogue.readUInt32LE(at + 8) * sectorBytes + catalogue.readUInt16LE(at + 6) * 512);
    } else if (indicator === 0 && at > 32) break;
  }
  return found;
}

/** An ISO that is also a disk ("isohybrid") carries a boot record of its own and, for UEFI, a partition of that kind. */
async function readHybrid(source: ByteSource): Promise<BootReport> {
  const record = await source.read(0, 512);
  if (record.length < 512 || record.readUInt16LE(510) !== 0xaa55) return notBootable;
  const entries = [0, 1, 2, 3].map((index) => record.subarray(446 + 16 * index, 462 + 16 * index));
  if (entries.every((entry) => entry[4] === 0)) return notBootable;
  const efi = entries.find((entry) => entry[4] === 0xef);
  return {
    bios: record.subarray(0, 440).some((byte) => byte !== 0),
    uefi: efi !== undefined,
    // Other partitions are often rounded up beyond the end of the file.
    endBytes: efi ? (efi.readUInt32LE(8) + efi.readUInt32LE(12)) * 512 : 0,
  };
}

/**
 * Where the UDF partition ends (ECMA-167). Windows' discs are UDF with a stub of ISO 9660 whose own size covers only the stub, so this is how a
 * disc that was cut short is recognised. 0 without UDF.
 */
async function udfEnd(source: ByteSource): Promise<number> {
  const anchor = await source.read(256 * sectorBytes, sectorBytes);
  if (anchor.length < sectorBytes || anchor.readUInt16LE(0) !== 2) return 0;
  const lengthBytes = Math.min(anchor.readUInt32LE(16), 64 * sectorBytes);
  const start = anchor.readUInt32LE(20);
  for (let at = 0; at < lengthBytes; at += sectorBytes) {
    const descriptor = await source.read(start * sectorBytes + at, sectorBytes);
    if (descriptor.length < sectorBytes) return 0;
    const tag = descriptor.readUInt16LE(0);
    if (tag === 5) return (descriptor.readUInt32LE(188) + descriptor.readUInt32LE(192)) * sectorBytes;
    if (tag === 8 || tag === 0) return 0;
  }
  return 0;
}
