/** `words` as a shell takes them, one option with its value a line. Nothing is lost when it is pasted. */
export function buildCommandLine(words: readonly string[]): string {
  const lines: string[] = [];
  words.forEach((word, index) => {
    const quoted = quote(word);
    if (index === 0 || (word.startsWith('-') && word !== '-')) lines.push(quoted);
    else lines.push(`${lines.pop()} ${quoted}`);
  });
  return lines.join(' \\\n  ');
}

function quote(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
