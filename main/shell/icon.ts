/** The app's icon as pictures, drawn from assets/icon.svg: Electron takes no SVG. */
import { join } from 'node:path';
import { app, type NativeImage, nativeImage } from 'electron';

const folder = () => join(app.getAppPath(), 'out', 'assets', 'icons');

/** For windows and notifications. */
export function nativeIcon(): NativeImage {
  return nativeImage.createFromPath(join(folder(), '256x256.png'));
}

/** For the tray: 16 px with a sharper one for dense screens. */
export function trayIcon(): NativeImage {
  const icon = nativeImage.createFromPath(join(folder(), '16x16.png'));
  const dense = nativeImage.createFromPath(join(folder(), '32x32.png'));
  if (!dense.isEmpty()) icon.addRepresentation({ scaleFactor: 2, buffer: dense.toPNG() });
  return icon;
}
