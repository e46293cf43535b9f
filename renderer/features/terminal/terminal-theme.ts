/** The terminal's colours from the window's tokens. xterm.js wants them as plain colours, so the browser is asked what each comes to. */
import type { ITheme } from '@xterm/xterm';

/** The sixteen ANSI colours, readable on either background. */
const ansi = {
  dark: [
    '#2b3036',
    '#ff7b72',
    '#56c16a',
    '#e0a53a',
    '#6cb6ff',
    '#d2a8ff',
    '#5fbdd0',
    '#c6ccd2',
    '#79828b',
    '#ffa198',
    '#7ee08f',
    '#f2cc60',
    '#96ccff',
    '#e2c5ff',
    '#8fdbe8',
    '#f4f6f8',
  ],
  light: [
    '#24292e',
    '#b3202b',
    '#1a7030',
    '#875500',
    '#0a58b0',
    '#7a3aa0',
    '#17677a',
    '#5c656e',
    '#4b545c',
    '#cc2b37',
    '#218a3c',
    '#a06800',
    '#1f6fd0',
    '#9450bd',
    '#1f8096',
    '#16191c',
  ],
} as const;

const names = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'] as const;

export function terminalTheme(): ITheme {
  const probe = document.createElement('span');
  document.body.append(probe);
  const colour = (token: string) => {
    probe.style.color = `var(${token})`;
    return getComputedStyle(probe).color;
  };
  const background = colour('--sunken');
  const theme: ITheme = {
    background,
    foreground: colour('--text'),
    cursor: colour('--accent'),
    cursorAccent: background,
    selectionBackground: colour('--accent-soft'),
  };
  probe.remove();
  const colours = ansi[isDark(background) ? 'dark' : 'light'];
  names.forEach((name, index) => {
    theme[name] = colours[index] ?? '';
    theme[`bright${name.charAt(0).toUpperCase()}${name.slice(1)}` as 'brightRed'] = colours[index + 8] ?? '';
  });
  return theme;
}

function isDark(rgb: string): boolean {
  const [red = 0, green = 0, blue = 0] = (rgb.match(/[\d.]+/g) ?? []).map(Number);
  return red * 0.299 + green * 0.587 + blue * 0.114 < 128;
}

/** Calls whenever light changes to dark or back. Returns how to stop. */
export function onThemeChange(changed: () => void): () => void {
  const query = matchMedia('(prefers-color-scheme: dark)');
  const observer = new MutationObserver(changed);
  query.addEventListener('change', changed);
  observer.observe(document.documentElement, { attributeFilter: ['data-theme'] });
  return () => {
    query.removeEventListener('change', changed);
    observer.disconnect();
  };
}
