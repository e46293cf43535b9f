/** What every part of the engine writes to the log: fields for machines first, then a sentence for people. Made by `engine-log.ts`. */
export type Log = {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  /** The same log with fields that every line carries: `log.child({ room: 'jobs' })`. */
  child(fields: Record<string, unknown>): Log;
};

/** A log that goes nowhere, for tests. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => silentLog };
