/**
 * The app with nothing attached to its windows. A driver of pages keeps every window awake as if it were shown and in front, so what a
 * hidden one costs could not be seen; this one only asks the main process, through Node's inspector, and only between measurements.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { WebSocket } from 'ws';
import { planLaunch } from '../build/setup/electron-launch.ts';
import { ensureElectronRuntime } from '../build/setup/electron-runtime.ts';
import { type PrivateDisplay, startPrivateDisplay } from '../build/setup/private-display.ts';

export type UnwatchedApp = {
  pid: number;
  /** Where its windows are. */
  display: PrivateDisplay;
  /** The value of a JavaScript expression in the main process. */
  inMain(expression: string): Promise<unknown>;
  /** The value of a JavaScript expression in the first window's page, or null while there is no window. */
  inPage(expression: string): Promise<unknown>;
  /** Hides every window, or shows them. */
  hide(hidden: boolean): Promise<void>;
  /** Gives the first window that size, at the corner of the display. */
  resize(widthPx: number, heightPx: number): Promise<void>;
};

const startDeadlineMs = 30_000;

/** Starts Electron with `words` (an app's folder first) and ends it afterwards. */
export async function withUnwatchedApp<T>(
  words: readonly string[],
  environment: NodeJS.ProcessEnv,
  action: (app: UnwatchedApp) => Promise<T>,
  screen: { width?: number; height?: number } = {},
): Promise<T> {
  const runtime = await ensureElectronRuntime(() => undefined);
  const launch = planLaunch(runtime, true);
  const display = await startPrivateDisplay(screen);
  try {
    const child = spawn(runtime.executablePath, ['--inspect=127.0.0.1:0', ...launch.switches, ...words], {
      env: { ...environment, ...launch.environment, ...display.environment },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const ended = new Promise<void>((settle) => child.once('exit', () => settle()));
    try {
      const inspector = await connect(await inspectorAddress(child));
      try {
        if (child.pid === undefined) throw new Error('the app has no process');
        const windows = "process.mainModule.require('electron').BrowserWindow.getAllWindows()";
        return await action({
          pid: child.pid,
          display,
          inMain: (expression) => inspector.evaluate(expression),
          inPage: (expression) =>
            inspector.evaluate(`${windows}[0]?.webContents.executeJavaScript(${JSON.stringify(expression)}, true) ?? null`),
          hide: async (hidden) => {
            await inspector.evaluate(`for (const window of ${windows}) window.${hidden ? 'hide' : 'show'}()`);
          },
          resize: async (widthPx, heightPx) => {
            await inspector.evaluate(`${windows}[0].setBounds({ x: 0, y: 0, width: ${widthPx}, height: ${heightPx} })`);
          },
        });
      } finally {
        inspector.close();
      }
    } finally {
      child.kill('SIGTERM');
      await ended;
    }
  } finally {
    await display.stop();
  }
}

/** Node says it on the error output: “Debugger listening on ws://…”. */
function inspectorAddress(child: ChildProcess): Promise<string> {
  return new Promise((found, failed) => {
    if (!child.stderr) throw new Error('the app was started without an error output');
    const timer = setTimeout(() => failed(new Error('the app opened no inspector')), startDeadlineMs);
    child.once('exit', (code) => failed(new Error(`the app ended with ${code} while it was starting`)));
    createInterface({ input: child.stderr }).on('line', (line) => {
      const address = /^Debugger listening on (ws:\S+)/.exec(line)?.[1];
      if (!address) return;
      clearTimeout(timer);
      found(address);
    });
  });
}

type Answer = {
  id?: number;
  error?: { message: string };
  result?: { result?: { value?: unknown }; exceptionDetails?: { text: string; exception?: { description?: string } } };
};

/** Runtime.evaluate of the Chrome DevTools Protocol, which Node's inspector speaks. */
async function connect(address: string): Promise<{ evaluate(expression: string): Promise<unknown>; close(): void }> {
  const socket = new WebSocket(address);
  const waiting = new Map<number, (answer: Answer) => void>();
  let last = 0;
  socket.on('message', (data) => {
    const answer = JSON.parse(String(data)) as Answer;
    if (answer.id === undefined) return;
    waiting.get(answer.id)?.(answer);
    waiting.delete(answer.id);
  });
  await new Promise((opened, failed) => socket.once('open', opened).once('error', failed));
  return {
    async evaluate(expression) {
      const id = ++last;
      const answered = new Promise<Answer>((settle) => waiting.set(id, settle));
      socket.send(JSON.stringify({ id, method: 'Runtime.evaluate', params: { expression, awaitPromise: true, returnByValue: true } }));
      const { error, result } = await answered;
      const failure = error?.message ?? result?.exceptionDetails?.exception?.description ?? result?.exceptionDetails?.text;
      if (failure) throw new Error(failure);
      return result?.result?.value;
    },
    close: () => socket.close(),
  };
}
