import { constants } from 'node:os';

/** Names of signals by number: 9 is "SIGKILL". */
export const signals: Readonly<Record<number, string>> = Object.fromEntries(
  Object.entries(constants.signals).map(([name, number]) => [number, name]),
);
