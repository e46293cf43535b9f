/**
 * A disk with Debian's cloud-init and what that calls, out of Debian's packages: nothing is installed and nothing is configured, as in an
 * image of a cloud before its first start. It has no kernel and no init of its own: Debian's systemd takes minutes to come up under
 * emulation, and what is tried with this disk is cloud-init alone. Kept in the cache, outside the tree.
 */
import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheDirectory } from '../../build/places.ts';
import { runCommand } from '../../build/starter/commands.ts';
import { fetchPackages, resolvePackages, systemLists, unpackPackages } from '../../build/starter/debian.ts';
import { kernelPackages } from '../../build/starter/packages.ts';
import { UnpackedTools } from '../../build/starter/unpacked-tools.ts';

/** cloud-init with its Python, and the programs that it calls. Libraries follow from their dependencies. */
const packages = [
  ...['cloud-init', 'python3-minimal', 'python3.11', 'python3.11-minimal', 'media-types', 'python3-attr', 'python3-certifi'],
  ...['python3-chardet', 'python3-charset-normalizer', 'python3-configobj', 'python3-idna', 'python3-jinja2', 'python3-json-pointer'],
  ...['python3-jsonpatch', 'python3-jsonschema', 'python3-markupsafe', 'python3-netifaces', 'python3-oauthlib', 'python3-pyrsistent'],
  ...['python3-requests', 'python3-serial', 'python3-six', 'python3-urllib3', 'python3-yaml'],
  ...[
    'base-files',
    'base-passwd',
    'bash',
    'coreutils',
    'dash',
    'debianutils',
    'e2fsprogs',
    'findutils',
    'grep',
    'gzip',
    'hostname',
    'ifupdown',
  ],
  ...['iproute2', 'libc-bin', 'login', 'mawk', 'mount', 'openssh-client', 'passwd', 'procps', 'sed', 'tar', 'tzdata', 'util-linux'],
];

const sizeMiB = 512;
/** Of the datasources only that of our discs is looked for, as Debian's own images have it; an RSA key takes a minute under emulation. */
const configuration = 'datasource_list: [NoCloud, None]\nssh_genkeytypes: [ed25519]\n';

/** The disk, a bare ext4 file system. Takes half a minute and 30 MB of packages when it is not in the cache. Never written to. */
export async function cloudInitDisk(): Promise<string> {
  const folder = join(cacheDirectory(), 'test-fixtures');
  // The starter has the kernel.
  const found = (await resolvePackages(kernelPackages, packages, systemLists)).filter(({ name }) => !name.startsWith('linux-'));
  const recipe = createHash('sha256')
    .update(await readFile(import.meta.filename))
    .update(found.map(({ name, version }) => `${name} ${version}\n`).join(''))
    .digest('hex');
  const disk = join(folder, `cloud-init-${recipe.slice(0, 16)}.img`);
  if (existsSync(disk)) return disk;
  const scratch = join(folder, `building-${randomUUID()}`);
  try {
    const root = join(scratch, 'root');
    await fetchPackages(found, join(folder, 'packages'), systemLists);
    await unpackPackages(found, join(folder, 'packages'), root);
    await prepare(root);
    const half = join(scratch, 'disk.img');
    await runCommand('mke2fs', ['-q', '-t', 'ext4', '-E', 'root_owner=0:0', '-d', root, half, `${sizeMiB}M`], {
      environment: { PATH: `${process.env.PATH}:/usr/sbin:/sbin` },
    });
    await rename(half, disk);
    return disk;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** What the packages' scripts would do when they are installed, as far as cloud-init needs it. */
async function prepare(root: string): Promise<void> {
  const at = (path: string) => join(root, path);
  await copyFile(at('usr/share/base-passwd/passwd.master'), at('etc/passwd'));
  await copyFile(at('usr/share/base-passwd/group.master'), at('etc/group'));
  const accounts = (await readFile(at('etc/passwd'), 'utf8')).trim().split('\n');
  await writeFile(at('etc/shadow'), accounts.map((line) => `${line.split(':')[0]}:*:19000:0:99999:7:::\n`).join(''));
  await chmod(at('etc/shadow'), 0o640);
  await writeFile(at('etc/cloud/cloud.cfg.d/90-test.cfg'), configuration);
  await writeFile(at('etc/network/interfaces'), 'source /etc/network/interfaces.d/*\n');
  await symlink('mawk', at('usr/bin/awk'));
  await mkdir(at('var/lib/dpkg'), { recursive: true });
  await writeFile(at('var/lib/dpkg/status'), '');
  // Otherwise every start of Python under emulation compiles all of it anew.
  const tools = await UnpackedTools.open(root);
  await tools.run('usr/bin/python3.11', ['-m', 'compileall', '-q', at('usr/lib/python3'), at('usr/lib/python3.11')], {
    environment: { PYTHONHOME: at('usr') },
  });
}
