/**
 * `npm run icons`: draws assets/icon.svg in every size that a system asks for. The pictures are kept in the repository, since a checkout
 * needs them before it can draw anything; `build/icons.test.ts` notices when they no longer match the drawing.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from './places.ts';
import { planLaunch } from './setup/electron-launch.ts';
import { ensureElectronRuntime } from './setup/electron-runtime.ts';
import { hasDisplay, startPrivateDisplay } from './setup/private-display.ts';

export const iconSizes = [16, 24, 32, 48, 64, 128, 256, 512, 1024] as const;
export const iconDirectory = join(projectRoot, 'assets/icons');

/** Names the drawing that the pictures were made from. */
export function hashDrawing(): string {
  return createHash('sha256')
    .update(readFileSync(join(projectRoot, 'assets/icon.svg')))
    .digest('hex');
}

async function drawIcons(): Promise<void> {
  const runtime = await ensureElectronRuntime(console.log);
  const display = hasDisplay() ? null : await startPrivateDisplay();
  const launch = planLaunch(runtime, display !== null);
  mkdirSync(iconDirectory, { recursive: true });
  try {
    await new Promise<void>((resolve, reject) => {
      const painter = join(import.meta.dirname, 'icon-painter');
      const request = JSON.stringify({ drawing: join(projectRoot, 'assets/icon.svg'), directory: iconDirectory, sizes: iconSizes });
      const environment = { ...process.env, ...launch.environment, ...display?.environment };
      const child = spawn(runtime.executablePath, [...launch.switches, painter, request], {
        stdio: ['ignore', 'inherit', 'ignore'],
        env: environment,
      });
      child.on('error', reject);
      child.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`The painter ended with ${code}.`))));
    });
  } finally {
    await display?.stop();
  }
  writeFileSync(join(iconDirectory, 'drawn-from.txt'), `${hashDrawing()}\n`);
  console.log(`drew ${iconSizes.length} icons into ${iconDirectory}`);
}

if (import.meta.main) await drawIcons();
