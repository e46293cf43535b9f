/** Images as text: the table of many and the facts of one. */
import type { Image, InstalledPackage } from '../../contract/image.ts';
import type { ImageDifferences, PackageDifferences } from '../../contract/image-catalogue.ts';
import { facts, type Terminal, table } from './terminal.ts';
import { bytes, localTime } from './units.ts';

export function listImages(terminal: Terminal, images: readonly Image[]): string {
  if (images.length === 0) return 'There are no images. “guesthouse image import FILE” adds one.';
  return table(terminal, images, [
    { title: 'NAME', value: (image) => image.name },
    { title: 'KIND', value: (image) => image.kind },
    { title: 'OS', value: (image) => image.os.name },
    { title: 'PATCHED', value: (image) => image.patchLevel ?? '–' },
    { title: 'SIZE', value: (image) => bytes(image.sizeBytes), align: 'right' },
    { title: 'ID', value: (image) => image.id },
  ]);
}

/** The versions of a series, newest first. */
export function listVersions(terminal: Terminal, images: readonly Image[]): string {
  return table(terminal, images, [
    { title: 'VERSION', value: (image) => String(image.series?.version ?? ''), align: 'right' },
    { title: 'NAME', value: (image) => image.name },
    { title: 'LIFECYCLE', value: (image) => image.lifecycle },
    { title: 'PATCHED', value: (image) => image.patchLevel ?? '–' },
    { title: 'GUESTS', value: (image) => String(image.madeGuests.length), align: 'right' },
    { title: 'CHANGE', value: (image) => image.series?.changeNote.split('\n')[0] ?? '' },
  ]);
}

export function describeImage(image: Image): string {
  const { series, packages } = image;
  const patched = image.patchLevel && `${image.patchLevel}${image.patchLevelFrom ? ` (${image.patchLevelFrom})` : ''}`;
  return facts([
    ['Name', image.name],
    ['Id', image.id],
    ['Kind', `${image.kind} (${image.format})`],
    ['Lifecycle', image.lifecycle],
    ['Series', series ? `${series.name}, version ${series.version}` : null],
    ['Change', series?.changeNote ? series.changeNote : null],
    ['Operating system', image.os.name],
    ['Patch level', patched],
    ['End of updates', image.endOfLife],
    ['Architecture', image.architecture],
    ['Kernels', image.kernels.length > 0 ? image.kernels.join(', ') : null],
    ['Packages', packages ? `${packages.count === null ? 'managed' : packages.count} by ${packages.manager}` : null],
    ['How it was read', image.factsFrom],
    ['Firmware', image.firmware],
    ['Size', `${bytes(image.sizeBytes)} on disk, ${bytes(image.virtualSizeBytes)} for a guest`],
    ['Label', image.label],
    ['Tags', image.tags.length > 0 ? image.tags.join(', ') : null],
    ['SHA-256', image.sha256],
    ['Copied from', image.source],
    ['Address', image.sourceUrl],
    ['Its checksum', image.sourceChecksum],
    ['Added', `${localTime(image.addedAt)} by ${image.addedBy}`],
    ['Written by hand', image.byHand.length > 0 ? image.byHand.join(', ') : null],
    ['In the CD drive of', image.usedBy.length > 0 ? image.usedBy.join(', ') : null],
    ['Built upon by', image.builtUponBy.length > 0 ? image.builtUponBy.join(', ') : null],
    ['Guests made of it', image.madeGuests.length > 0 ? image.madeGuests.map(({ name }) => name).join(', ') : null],
    ['Notes', image.notes === '' ? null : image.notes],
  ]);
}

/** The width of the line that shows where two disks differ. */
const mapCells = 64;
const shades = [' ', '░', '▒', '▓', '█'];

export function describeDifferences(
  terminal: Terminal,
  one: Image,
  other: Image,
  { fields, packages, content, cannotCompare }: ImageDifferences,
): string {
  const shown = (field: string, value: string | null) => (value === null ? '–' : field.endsWith('Bytes') ? bytes(Number(value)) : value);
  const known = table(terminal, fields, [
    { title: '', value: ({ field }) => field.replace('Bytes', '') },
    { title: one.name, value: ({ field, one: value }) => shown(field, value) },
    { title: other.name, value: ({ field, other: value }) => shown(field, value) },
  ]);
  const rows = packages ? `${known}\n\n${describePackages(terminal, packages)}` : known;
  if (!content) return `${rows}\n\n${cannotCompare ?? 'The contents were not compared.'}`;
  const differing = content.changedBytes + content.onlyOneBytes + content.onlyOtherBytes;
  const counts = facts([
    ['Equal', bytes(content.sameBytes)],
    ['Changed', bytes(content.changedBytes)],
    [`Only in ${one.name}`, bytes(content.onlyOneBytes)],
    [`Only in ${other.name}`, bytes(content.onlyOtherBytes)],
  ]);
  return `${rows}\n\n${counts}${differing === 0 ? '\nThe contents are the same.' : `\n\n[${drawMap(content.map)}]`}`;
}

function describePackages(terminal: Terminal, { added, removed, changed }: PackageDifferences): string {
  const rows = [
    ...changed.map(({ name, one, other }) => ({ sign: ' ', name, text: `${one} → ${other}` })),
    ...added.map(({ name, version }) => ({ sign: '+', name, text: version })),
    ...removed.map(({ name, version }) => ({ sign: '-', name, text: version })),
  ];
  if (rows.length === 0) return 'Their packages are the same.';
  return table(terminal, rows, [
    { title: '', value: ({ sign }) => sign },
    { title: 'PACKAGE', value: ({ name }) => name },
    { title: 'VERSION', value: ({ text }) => text },
  ]);
}

export function listPackages(terminal: Terminal, packages: readonly InstalledPackage[]): string {
  return table(terminal, packages, [
    { title: 'PACKAGE', value: ({ name }) => name },
    { title: 'VERSION', value: ({ version }) => version },
  ]);
}

/** Each cell stands for an equal part of the disk, darker the more of it differs. */
function drawMap(shares: readonly number[]): string {
  const cells = Math.min(mapCells, shares.length);
  return Array.from({ length: cells }, (_, cell) => {
    const part = shares.slice(Math.floor((cell * shares.length) / cells), Math.floor(((cell + 1) * shares.length) / cells));
    const share = part.reduce((sum, value) => sum + value, 0) / part.length;
    return shades[share === 0 ? 0 : Math.min(shades.length - 1, 1 + Math.floor(share * (shades.length - 1)))];
  }).join('');
}
