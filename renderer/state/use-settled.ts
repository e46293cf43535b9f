import { useEffect, useState } from 'react';

/** `value` once it has not changed for `quietMs`: what is typed is asked about when the typing pauses. */
export function useSettled<T>(value: T, quietMs: number): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), quietMs);
    return () => clearTimeout(timer);
  }, [value, quietMs]);
  return settled;
}
