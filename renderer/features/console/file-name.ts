/** Names have 255 bytes at most; the rest is for the time, the ending, and what is added while a file grows. */
const longestNameBytes = 180;

/** "Debian 12 2026-11-23 09-15-02.png": what no file system minds. */
export function fileNameFor(guest: string, extension: string, now = new Date()): string {
  const safe = cut(
    guest
      // What turns the direction of text would let a name look as if it ended in something else.
      // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is being replaced
      .replace(/[\\/:*?"<>|\u0000-\u001f\u007f\u202a-\u202e\u2066-\u2069]/g, ' ')
      // A name that begins with a dot is hidden.
      .replace(/^[\s.]+/, ''),
  ).trim();
  const at = new Date(now.getTime() - now.getTimezoneOffset() * 60_000).toISOString().slice(0, 19).replace('T', ' ').replaceAll(':', '-');
  return `${safe} ${at}.${extension}`.trim();
}

/** Between what people take for characters. */
function cut(text: string): string {
  let bytes = 0;
  let kept = '';
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    bytes += new TextEncoder().encode(segment).byteLength;
    if (bytes > longestNameBytes) break;
    kept += segment;
  }
  return kept;
}
