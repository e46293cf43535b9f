/** Light, dark or as the system: the setting, remembered here as well so that the first window has the right colour before the engine is there. */
import { readFileSync, writeFileSync } from 'node:fs';
import { type BrowserWindow, nativeTheme } from 'electron';
import { type Settings, settings } from '../../contract/settings.ts';
import type { LibraryMirror } from './library-mirror.ts';
import { backgroundColor } from './windows.ts';

export type ThemeOptions = { path: string; mirror: LibraryMirror; windows: () => BrowserWindow[] };

export function followTheme({ path, mirror, windows }: ThemeOptions): void {
  nativeTheme.themeSource = readTheme(path);
  nativeTheme.on('updated', () => {
    for (const window of windows()) window.setBackgroundColor(backgroundColor());
  });
  mirror.listen((message) => {
    if (message.type !== 'snapshot' && message.type !== 'settings') return;
    const { theme } = mirror.settings;
    if (theme === nativeTheme.themeSource) return;
    nativeTheme.themeSource = theme;
    try {
      writeFileSync(path, theme, { mode: 0o600 });
    } catch {
      // The first window of the next start has the wrong colour for a moment; that is all.
    }
  });
}

function readTheme(path: string): Settings['theme'] {
  try {
    return settings.shape.theme.parse(readFileSync(path, 'utf8').trim());
  } catch {
    return 'system';
  }
}
