/** Asks the shell for a byte stream and hands over the MessagePort that carries it. Runs in the page, where the shell's messages arrive. */
import type { GuesthouseError, Result } from '../../contract/errors.ts';
import type { ConsoleTarget, GuesthouseBridge } from '../../contract/shell.ts';

let lastToken = 0;
const portDeadlineMs = 10_000;

/**
 * The port of a new stream to `target`. The first message on it is `open` or `closed`.
 * Fails with the shell's error, or `console/unavailable` when no port came although the shell agreed.
 */
export async function openPort(bridge: Pick<GuesthouseBridge, 'openConsole'>, target: ConsoleTarget): Promise<Result<MessagePort>> {
  const token = `console-${++lastToken}-${crypto.randomUUID()}`;
  let stop = () => {};
  const arrived = new Promise<MessagePort | null>((resolve) => {
    const timer = setTimeout(() => resolve(null), portDeadlineMs);
    const listener = (event: MessageEvent<unknown>) => {
      // The preload posts into its own window; a message from any other frame is not from the shell.
      if (event.source !== window || !isPortMessage(event.data, token) || !event.ports[0]) return;
      resolve(event.ports[0]);
    };
    window.addEventListener('message', listener);
    stop = () => {
      clearTimeout(timer);
      window.removeEventListener('message', listener);
    };
  });
  try {
    const answer = await bridge.openConsole(target, token);
    if (!answer.ok) return answer;
    const port = await arrived;
    return port ? { ok: true, value: port } : { ok: false, error: noPort };
  } finally {
    stop();
  }
}

const noPort: GuesthouseError = {
  code: 'console/unavailable',
  message: 'The console could not be opened: the app did not hand over its connection.',
  hint: 'Connect again.',
};

function isPortMessage(data: unknown, token: string): boolean {
  return (
    typeof data === 'object' &&
    data !== null &&
    'type' in data &&
    data.type === 'guesthouse-console' &&
    'token' in data &&
    data.token === token
  );
}
