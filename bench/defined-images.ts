/** Many images, without the gigabytes that their files would take: rows as imports write them, the same in every run. */
import { createHash } from 'node:crypto';
import type { OsIdentity } from '../contract/guest-spec.ts';
import type { ImageId } from '../contract/ids.ts';
import type { ImageArchitecture, InstalledPackage } from '../contract/image.ts';
import { createPackageStore } from '../main/engine/images/packages/store.ts';
import { createImageStore, type NewImage } from '../main/engine/images/store.ts';
import { silentLog } from '../main/engine/log/log.ts';
import { openDatabase } from '../main/engine/store/open-database.ts';

const systems: readonly [distro: string, name: string, family: OsIdentity['family'], versions: readonly string[]][] = [
  ['debian', 'Debian', 'linux', ['10', '11', '12', '12.5', '13']],
  ['ubuntu', 'Ubuntu', 'linux', ['20.04', '22.04', '24.04', '25.10']],
  ['fedora', 'Fedora Linux', 'linux', ['41', '42', '43']],
  ['alpinelinux', 'Alpine Linux', 'linux', ['3.9', '3.19', '3.20']],
  ['freebsd', 'FreeBSD', 'bsd', ['13.2', '14.0', '14.3']],
  ['win', 'Windows', 'windows', ['10', '11']],
];
const roles = ['web server', 'database', 'build runner', 'desktop', 'mail gateway', 'Prüfstand', 'kiosk', 'router'];
const tags = ['web', 'shop', 'audit', 'old', 'golden', 'lab', 'ci', 'staging', 'Lager'];
const architectures: readonly (ImageArchitecture | null)[] = ['x86_64', 'x86_64', 'x86_64', 'aarch64', null];

/** The image of a number. Those whose numbers are near have nothing in common. */
export function variedImage(index: number): NewImage {
  const digits = createHash('sha256').update(`image ${index}`).digest();
  const pick = <T>(values: readonly T[], at: number): T => values[(digits[at] ?? 0) % values.length] as T;
  const [distro, system, family, versions] = pick(systems, 0);
  const version = pick(versions, 1);
  const role = pick(roles, 2);
  const kind = (digits[3] ?? 0) % 4 === 0 ? 'iso' : 'disk';
  const month = `${2023 + ((digits[4] ?? 0) % 4)}-${String(1 + ((digits[5] ?? 0) % 12)).padStart(2, '0')}`;
  const isPatched = (digits[6] ?? 0) % 10 !== 0;
  return {
    id: `i${index.toString(36).padStart(9, '0')}` as ImageId,
    name: `${system} ${version} ${role} ${index}`,
    format: kind === 'iso' ? 'iso' : pick(['qcow2', 'qcow2', 'raw'] as const, 7),
    kind,
    builtIn: false,
    os: { id: `${distro}${version}`, name: `${system} ${version}`, family, version, distro },
    firmware: pick(['bios', 'uefi', 'uefi-secure'] as const, 8),
    sizeBytes: 50_000_000 + digits.readUInt32LE(9),
    virtualSizeBytes: 8_589_934_592 * (1 + ((digits[13] ?? 0) % 8)),
    sha256: digits.toString('hex'),
    label: kind === 'iso' ? `${distro}-${version}` : null,
    source: `/srv/images/${distro}/${version}/${role.replaceAll(' ', '-')}-${index}.${kind === 'iso' ? 'iso' : 'qcow2'}`,
    addedAt: `${month}-${String(1 + ((digits[14] ?? 0) % 28)).padStart(2, '0')}T08:00:00.000Z`,
    addedBy: pick(['root via app', 'anna via cli', 'ben via api'], 15),
    architecture: pick(architectures, 16),
    patchLevel: isPatched ? `${month}-${String(1 + ((digits[17] ?? 0) % 28)).padStart(2, '0')}` : null,
    patchLevelFrom: isPatched ? 'The day on which packages were last changed, by the time of /var/lib/dpkg/status.' : null,
    kernels: family === 'linux' ? [`6.${(digits[18] ?? 0) % 12}.${digits[19] ?? 0}-amd64`] : [],
    packages: family === 'linux' ? { manager: 'dpkg', count: 200 + digits.readUInt16LE(20) } : null,
    endOfLife: (digits[22] ?? 0) % 3 === 0 ? null : `${2024 + ((digits[22] ?? 0) % 8)}-06-30`,
    sourceUrl: (digits[23] ?? 0) % 2 === 0 ? `https://images.example.org/${distro}/${index}` : null,
    notes: (digits[24] ?? 0) % 5 === 0 ? `Kept for the ${role} of the second floor until the audit is over.` : '',
    tags: tags.filter((_, at) => ((digits[25] ?? 0) >> (at % 8)) % 2 === 1 && ((digits[26] ?? 0) + at) % 3 === 0),
    lifecycle: pick(['published', 'published', 'published', 'draft', 'deprecated'] as const, 27),
    series: index % 10 === 0 ? { name: `${system} ${role}`, version: index / 10 + 1, changeNote: `Updates of ${month}` } : null,
  };
}

const packagesEach = 2000;

/**
 * Two thousand packages of an image of Linux: most are those of its system, in the versions of one of 24 updates; a quarter are of its own out
 * of thirty thousand.
 */
function variedPackages(index: number, distro: string): InstalledPackage[] {
  const digits = createHash('sha256').update(`packages ${index}`).digest();
  const update = (digits[0] ?? 0) % 24;
  const common = packagesEach * 0.75;
  return Array.from({ length: packagesEach }, (_, at) => {
    if (at < common) return { name: `${distro}-library-${at}`, version: `1.${at % 40}.${at % 7 === 0 ? update : 0}-${1 + (at % 3)}` };
    const own = (digits.readUInt32LE(4) + at * 7919) % 30_000;
    return { name: `lib${(own * 40_503).toString(36)}-server-${own}`, version: `2.${own % 30}.${update}` };
  });
}

/**
 * Writes the images from number 1 to `count` into the database at `path`, which no engine has open. With their packages, which are twenty
 * million rows for ten thousand images, that takes minutes.
 */
export async function defineImages(path: string, count: number, { withPackages = false } = {}): Promise<void> {
  const database = await openDatabase({ path, backupsFolder: `${path}-backups`, clock: { nowMs: () => Date.now() }, log: silentLog });
  try {
    const store = createImageStore(database, silentLog);
    const packages = createPackageStore(database);
    database.transaction(() => {
      for (let index = 1; index <= count; index += 1) {
        const image = variedImage(index);
        store.insert(image);
        if (withPackages && image.packages) packages.save(image.id, variedPackages(index, image.os.distro ?? ''));
      }
    });
  } finally {
    database.close();
  }
}
