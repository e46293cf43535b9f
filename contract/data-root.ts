/**
 * Where an engine keeps its data and where its clients find it: the one rule that the engine, the app and the command
 * line share. All other names on disk are the engine's own (main/engine/files/layout.ts).
 */

export type DataRoot = {
  home: string;
  /** Holds sockets; empty when nothing runs. */
  run: string;
  logs: string;
  engineSocket: string;
};

/** Everything in one folder, as `GUESTHOUSE_HOME` and `--home` ask for. `home` is absolute. */
export function dataRootAt(home: string, run = `${home}/run`, logs = `${home}/logs`): DataRoot {
  return { home, run, logs, engineSocket: `${run}/engine.sock` };
}

/** `GUESTHOUSE_HOME` (absolute) when it is set, else the XDG folders of the user whose home folder is `userHome`. */
export function dataRootOf(environment: Record<string, string | undefined>, userHome: string): DataRoot {
  if (environment.GUESTHOUSE_HOME) return dataRootAt(environment.GUESTHOUSE_HOME.replace(/(?<=.)\/+$/, ''));
  const data = environment.XDG_DATA_HOME || `${userHome}/.local/share`;
  const state = environment.XDG_STATE_HOME || `${userHome}/.local/state`;
  return dataRootAt(`${data}/guesthouse`, `${state}/guesthouse/run`, `${state}/guesthouse/logs`);
}
