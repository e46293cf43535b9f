/** How the app is started on this machine: switches and environment, and why each. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ElectronRuntime } from './electron-runtime.ts';
import { engineNode } from './prepare.ts';

export interface Launch {
  switches: string[];
  environment: Record<string, string>;
  /** One line for each thing that is not as it will be for users. */
  remarks: string[];
}

/** `underXvfb`: the window shows on a private display, which has no graphics card. */
export function planLaunch(runtime: ElectronRuntime, underXvfb: boolean): Launch {
  const launch: Launch = { switches: [], environment: { GUESTHOUSE_NODE: engineNode }, remarks: [] };
  if (runtime.kind === 'development') {
    launch.remarks.push(
      `Electron ${runtime.version} is a stand-in for development and tests; users get the release that package.json names.`,
    );
    launch.environment.GUESTHOUSE_DEVELOPMENT_RUNTIME = describeDevelopmentRuntime(runtime);
  }
  if (underXvfb) {
    launch.remarks.push('There is no display here, so the window shows on a private one in memory (Xvfb).');
    // A system without a desktop has no D-Bus either, about which Chromium would complain a dozen times.
    launch.switches.push('--disable-gpu', '--log-level=3');
  }
  const obstacle = sandboxObstacle(runtime);
  if (obstacle) {
    launch.remarks.push(`${obstacle}, so the window runs without its sandbox (--no-sandbox).`);
    launch.switches.push('--no-sandbox');
  }
  return launch;
}

/** How the app names a runtime that is not what users get. */
export function describeDevelopmentRuntime(runtime: ElectronRuntime): string {
  return `Electron ${runtime.version}, for development and tests only`;
}

/** Why Chromium's sandbox cannot be used here, or null. Chromium refuses to start then, unless it is told to do without. */
function sandboxObstacle(runtime: ElectronRuntime): string | null {
  if (process.platform !== 'linux') return null;
  if (process.getuid?.() === 0) return 'You are root, as whom Chromium refuses to make a sandbox';
  const helper = join(dirname(runtime.executablePath), 'chrome-sandbox');
  if (existsSync(helper) && statSync(helper).uid === 0 && (statSync(helper).mode & 0o4000) !== 0) return null;
  const isForbidden =
    kernelSetting('kernel/apparmor_restrict_unprivileged_userns') === '1' || kernelSetting('kernel/unprivileged_userns_clone') === '0';
  if (!isForbidden) return null;
  return `This system lets no program make a sandbox of its own (to allow it: sudo chown root ${helper} && sudo chmod 4755 ${helper})`;
}

function kernelSetting(name: string): string | null {
  try {
    return readFileSync(join('/proc/sys', name), 'utf8').trim();
  } catch {
    return null;
  }
}
