/** "Debian 12 2026-11-23 09-15-02.png": what no file system minds. */
export function fileNameFor(guest: string, extension: string): string {
  const safe = guest
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is being replaced
    .replace(/[\\/:*?"<>|\u0000-\u001f]/g, ' ')
    .trim()
    .slice(0, 120);
  const now = new Date();
  const at = new Date(now.getTime() - now.getTimezoneOffset() * 60_000).toISOString().slice(0, 19).replace('T', ' ').replaceAll(':', '-');
  return `${safe} ${at}.${extension}`;
}
