/** What main and the preload say to each other: channel names, and how a page's facts are handed to its preload. */

/** Every channel of Electron's IPC that the app uses; main answers no other. */
export const shellChannels = {
  /** page → main, answered: an engine call. */
  call: 'guesthouse:call',
  /** page → main, answered: a shell call. */
  shell: 'guesthouse:shell',
  /** page → main, answered: open a console. */
  openConsole: 'guesthouse:open-console',
  /** page → main: begin or end the engine's events, watch guests. */
  subscribe: 'guesthouse:subscribe',
  unsubscribe: 'guesthouse:unsubscribe',
  watch: 'guesthouse:watch',
  /** page → main: tell what you told before (the engine's connection, full screen). */
  ready: 'guesthouse:ready',
  /** main → page. */
  event: 'guesthouse:event',
  shellEvent: 'guesthouse:shell-event',
  consolePort: 'guesthouse:console-port',
} as const;

/** The origin of every page of ours. */
export const appScheme = 'app';
export const appHost = 'guesthouse';
export const appOrigin = `${appScheme}://${appHost}`;

/** A preload's command line carries `ShellInfo` as JSON after this. */
export const infoArgument = '--guesthouse-info=';
