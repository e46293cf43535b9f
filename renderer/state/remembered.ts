/** Small choices of this window that no other client needs to know: sort order, columns, widths. Kept in the browser's storage. */
import { useCallback, useState } from 'react';

/** What was stored under `key`, when `accept` can make sense of it; else `fallback`. */
export function recall<T>(key: string, fallback: T, accept: (stored: unknown) => T | null): T {
  try {
    const text = localStorage.getItem(`guesthouse.${key}`);
    return text === null ? fallback : (accept(JSON.parse(text)) ?? fallback);
  } catch {
    return fallback;
  }
}

export function remember(key: string, value: unknown): void {
  try {
    localStorage.setItem(`guesthouse.${key}`, JSON.stringify(value));
  } catch {
    // A full or forbidden storage costs the memory of a choice, nothing else.
  }
}

/** Like `useState`, and remembered. */
export function useRemembered<T>(key: string, fallback: T, accept: (stored: unknown) => T | null): [T, (value: T) => void] {
  const [value, setValue] = useState(() => recall(key, fallback, accept));
  const set = useCallback(
    (next: T) => {
      setValue(next);
      remember(key, next);
    },
    [key],
  );
  return [value, set];
}
