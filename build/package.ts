/**
 * `npm run package`: the app as users get it, in dist/. Without arguments it makes the unpacked folder for this system, which needs no
 * network; `npm run package -- --installers` makes deb, AppImage, dmg or nsis, for which electron-builder fetches tools of its own.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { build, type Configuration } from 'electron-builder';
import { writeNotices } from './package/notices.ts';
import { projectRoot } from './places.ts';
import { describeDevelopmentRuntime } from './setup/electron-launch.ts';
import type { ElectronRuntime } from './setup/electron-runtime.ts';
import { engineNode, prepare, type StageLog, timed } from './setup/prepare.ts';

/** What better-sqlite3 needs, and so the engine. */
const neededNodeApi = 10;
/** Packages that are shipped as they are, and not in a bundle. spice-html5 stays a module of its own. */
const unbundledPackages = ['better-sqlite3', 'node-pty', '@spice-project/spice-html5'];

const log: StageLog = (stage, line) => console.log(`[${stage}] ${line}`);

async function makePackage(wantsInstallers: boolean): Promise<void> {
  const { runtime, starter } = await prepare(log);
  if (runtime.kind === 'development')
    log('package', `contains Electron ${runtime.version}, a stand-in for development and tests: not for users`);
  const carriesNode = nodeApiOf(runtime) < neededNodeApi;

  // Becomes the package's resources folder, see electron-builder.yml.
  const parts = join(projectRoot, 'out/package');
  rmSync(parts, { recursive: true, force: true });
  mkdirSync(join(parts, 'starter'), { recursive: true });
  for (const file of [starter.diskPath, starter.metadataPath]) copyFileSync(file, join(parts, 'starter', basename(file)));
  if (runtime.kind === 'development') {
    log('package', `contains Electron ${runtime.version}, a stand-in for development and tests: not for users`);
    writeFileSync(join(parts, 'development-runtime.txt'), describeDevelopmentRuntime(runtime));
  }
  if (carriesNode) {
    mkdirSync(join(parts, 'node/bin'), { recursive: true });
    copyFileSync(realpathSync(engineNode), join(parts, 'node/bin', basename(engineNode)));
  }
  writeFileSync(
    join(parts, 'THIRD-PARTY-NOTICES.txt'),
    writeNotices(bundledSources(), [...unbundledPackages, ...(carriesNode ? ['node'] : [])]),
  );

  // What electron-builder.yml cannot know.
  const config: Configuration = {
    electronVersion: runtime.version,
    electronDist: electronFolder(runtime),
    // The development runtime keeps its switches, so that tests can drive the package.
    ...(runtime.kind === 'official'
      ? {
          electronFuses: {
            // The engine is this program, run as Node.
            runAsNode: true,
            enableNodeOptionsEnvironmentVariable: false,
            enableNodeCliInspectArguments: false,
            enableEmbeddedAsarIntegrityValidation: process.platform !== 'linux',
            onlyLoadAppFromAsar: true,
            enableCookieEncryption: true,
          },
        }
      : {}),
  };
  await timed(log, 'package', () => build({ projectDir: projectRoot, publish: 'never', config, dir: !wantsInstallers }));
}

/** Electron's folder; on macOS the program lies three folders deep in it. */
function electronFolder({ executablePath }: ElectronRuntime): string {
  return process.platform === 'darwin' ? resolve(dirname(executablePath), '../../..') : dirname(executablePath);
}

function nodeApiOf({ executablePath }: ElectronRuntime): number {
  const environment = { ...process.env, ELECTRON_RUN_AS_NODE: '1' };
  return Number(execFileSync(executablePath, ['-p', 'process.versions.napi'], { encoding: 'utf8', env: environment }));
}

/** Files of node_modules that the bundles were made of, relative to the root, as their source maps name them. */
function bundledSources(): string[] {
  const out = join(projectRoot, 'out');
  const bundles = ['main', 'preload', 'engine', 'cli', 'renderer'];
  const maps = bundles.flatMap((name) =>
    readdirSync(join(out, name), { recursive: true, encoding: 'utf8' }).map((file) => join(name, file)),
  );
  return maps
    .filter((file) => file.endsWith('.map'))
    .flatMap((map) => {
      const { sources } = JSON.parse(readFileSync(join(out, map), 'utf8')) as { sources: string[] };
      const absolute = sources.map((source) => resolve(out, dirname(map), source));
      return absolute.filter((source) => source.includes('/node_modules/')).map((source) => relative(projectRoot, source));
    });
}

await makePackage(process.argv.includes('--installers'));
