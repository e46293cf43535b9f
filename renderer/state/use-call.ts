import { useCallback, useEffect, useRef, useState } from 'react';
import type { CallInput, CallName, CallOutput } from '../../contract/calls.ts';
import type { GuesthouseError } from '../../contract/errors.ts';
import { call } from './bridge.ts';

export type Loaded<T> = {
  /** The newest answer; it stays while a newer one is asked for. */
  value: T | null;
  error: GuesthouseError | null;
  loading: boolean;
  /** Asks again. */
  reload: () => void;
};

/**
 * Makes a reading call and keeps its answer. Asked again when the input or `version` changes; an answer that was overtaken by a newer
 * question is dropped. A null input asks nothing.
 */
export function useCall<Name extends CallName>(name: Name, input: CallInput<Name> | null, version: unknown = 0): Loaded<CallOutput<Name>> {
  const [answer, setAnswer] = useState<{ value: CallOutput<Name> | null; error: GuesthouseError | null }>({ value: null, error: null });
  const [loading, setLoading] = useState(input !== null);
  const [round, setRound] = useState(0);
  const key = JSON.stringify(input);
  const latest = useRef(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the input is compared by its text; version and round only ask again
  useEffect(() => {
    const mine = ++latest.current;
    if (input === null) {
      setAnswer({ value: null, error: null });
      setLoading(false);
      return;
    }
    setLoading(true);
    void call(name, input).then((result) => {
      if (mine !== latest.current) return;
      setLoading(false);
      if (result.ok) setAnswer({ value: result.value, error: null });
      else setAnswer((before) => ({ value: before.value, error: result.error }));
    });
    return () => {
      latest.current += 1;
    };
  }, [name, key, version, round]);
  const reload = useCallback(() => setRound((before) => before + 1), []);
  return { ...answer, loading, reload };
}
