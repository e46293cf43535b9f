/**
 * All that a page has beyond the web: one frozen object, derived from the contract's names. Runs in the sandbox of every page of ours;
 * whatever it passes on is checked again in main, which trusts no page.
 */
import { contextBridge, type IpcRendererEvent, ipcRenderer, webUtils } from 'electron';
import { callNames, shellCallNames } from '../contract/call-names.ts';
import type { GuesthouseError, Result } from '../contract/errors.ts';
import type { ClientMessage, ServerMessage } from '../contract/events.ts';
import type { GuesthouseBridge, ShellEvent, ShellInfo } from '../contract/shell.ts';
import { appOrigin, infoArgument, shellChannels } from '../contract/shell-channels.ts';

function readInfo(): ShellInfo {
  const argument = process.argv.find((word) => word.startsWith(infoArgument));
  if (!argument) throw new Error('the window was opened without its facts');
  return JSON.parse(decodeURIComponent(argument.slice(infoArgument.length))) as ShellInfo;
}

function refuse(name: unknown): Result<never> {
  const error: GuesthouseError = { code: 'call/unknown', message: `No call is named “${String(name)}”.` };
  return { ok: false, error };
}

const knownCalls: ReadonlySet<string> = new Set(callNames);
const knownShellCalls: ReadonlySet<string> = new Set(shellCallNames);

const eventListeners = new Set<(message: ServerMessage) => void>();
const shellListeners = new Set<(event: ShellEvent) => void>();

ipcRenderer.on(shellChannels.event, (_event, message: ServerMessage) => {
  for (const listener of [...eventListeners]) listener(message);
});
ipcRenderer.on(shellChannels.shellEvent, (_event, event: ShellEvent) => {
  for (const listener of [...shellListeners]) listener(event);
});
ipcRenderer.on(shellChannels.consolePort, (event: IpcRendererEvent, { token }: { token: string }) => {
  // A port cannot pass through the context bridge; the page's own window is the way into its world.
  window.postMessage({ type: 'guesthouse-console', token }, appOrigin, [...event.ports]);
});

const bridge: GuesthouseBridge = {
  info: readInfo(),
  call: (name, input) => (knownCalls.has(name) ? ipcRenderer.invoke(shellChannels.call, name, input) : Promise.resolve(refuse(name))),
  shell: (name, input) =>
    knownShellCalls.has(name) ? ipcRenderer.invoke(shellChannels.shell, name, input) : Promise.resolve(refuse(name)),
  subscribe(listener) {
    eventListeners.add(listener);
    // Every further listener wants a snapshot of its own, so the stream begins anew.
    ipcRenderer.send(shellChannels.subscribe);
    return () => {
      eventListeners.delete(listener);
      if (eventListeners.size === 0) ipcRenderer.send(shellChannels.unsubscribe);
    };
  },
  watch: (message: ClientMessage) => ipcRenderer.send(shellChannels.watch, message),
  onShellEvent(listener) {
    shellListeners.add(listener);
    ipcRenderer.send(shellChannels.ready);
    return () => shellListeners.delete(listener);
  },
  openConsole: (target, token) => ipcRenderer.invoke(shellChannels.openConsole, target, token),
  pathOfFile: (file) => (file instanceof File ? webUtils.getPathForFile(file) : ''),
};

// Sub-frames get nothing: our pages have none, and whatever one may be made to load is not ours.
if (window === window.top && location.origin === appOrigin) contextBridge.exposeInMainWorld('guesthouse', bridge);
