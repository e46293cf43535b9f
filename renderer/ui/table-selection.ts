/** How the keyboard moves in a list and what is selected by it. Pure. */

/** `replace` selects the row alone, `toggle` adds or removes it, `extend` selects all between the last one chosen and it. */
export type SelectionMove = 'replace' | 'toggle' | 'extend';

/** Where a key leads; null for keys that do not move, and where there is nothing. `at` is -1 before anything was chosen. */
export function moveCursor(key: string, at: number, count: number, page: number): number | null {
  if (count === 0) return null;
  const target = { ArrowDown: at + 1, ArrowUp: at < 0 ? 0 : at - 1, PageDown: at + page, PageUp: at - page, Home: 0, End: count - 1 }[key];
  return target === undefined ? null : Math.max(0, Math.min(count - 1, target));
}

export function rangeKeys(keys: readonly string[], from: number, to: number): Set<string> {
  return new Set(keys.slice(Math.min(from, to), Math.max(from, to) + 1));
}

/** The next row whose text begins with what was typed. The same letter again leads to the one after. */
export function typedTarget(texts: readonly string[], typed: string, at: number): number | null {
  const low = typed.toLocaleLowerCase();
  const [letter = ''] = low;
  const isRepeated = low.length > 1 && [...low].every((each) => each === letter);
  const wanted = isRepeated ? letter : low;
  const from = low.length === 1 || isRepeated ? at + 1 : at;
  for (let step = 0; step < texts.length; step += 1) {
    const index = (from + step) % texts.length;
    if (texts[index]?.toLocaleLowerCase().startsWith(wanted)) return index;
  }
  return null;
}
