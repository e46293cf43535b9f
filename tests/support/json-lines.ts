/** QMP and the guest agent as a test speaks them: without any of the engine. */
import { createConnection, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { until } from './until.ts';

/** Connects to a socket that may not be there yet. */
export function connectTo(path: string): Promise<Socket> {
  return until(`${path} takes a connection`, () => {
    return new Promise<Socket | null>((resolve) => {
      const socket = createConnection(path, () => resolve(socket));
      socket.once('error', () => resolve(null));
    });
  });
}

/** Requests and answers as lines of JSON, one at a time; lines that are no answer (greetings, events, noise) are passed over. */
export class JsonLines {
  readonly #socket: Socket;
  #waiting: ((answer: Record<string, unknown>) => void)[] = [];

  constructor(socket: Socket) {
    this.#socket = socket;
    const lines = createInterface({ input: socket });
    // It says again what the socket says, as when QEMU ends with a request unread: that is for whoever opened the socket to hear.
    lines.on('error', () => undefined);
    lines.on('line', (line) => {
      const start = line.indexOf('{');
      if (start < 0) return;
      const answer = JSON.parse(line.slice(start)) as Record<string, unknown>;
      if ('return' in answer || 'error' in answer) this.#waiting.shift()?.(answer);
    });
  }

  async request(execute: string, input: object = {}): Promise<unknown> {
    const answered = new Promise<Record<string, unknown>>((resolve) => this.#waiting.push(resolve));
    this.#socket.write(`${JSON.stringify({ execute, arguments: input })}\n`);
    const answer = await answered;
    if ('error' in answer) throw new Error(`${execute}: ${JSON.stringify(answer.error)}`);
    return answer.return;
  }
}

/** What a shell command in a guest prints, byte by byte. @throws Error with its last words when it fails */
export async function runByAgent(agent: JsonLines, command: string, deadlineMs = 60_000): Promise<Buffer> {
  const started = await agent.request('guest-exec', { path: '/bin/sh', arg: ['-c', command], 'capture-output': true });
  const { pid } = started as { pid: number };
  type Status = { exited: boolean; exitcode?: number; 'out-data'?: string; 'err-data'?: string };
  const status = async () => (await agent.request('guest-exec-status', { pid })) as Status;
  const ended = await until(`${command} to end`, async () => (({ exited, ...rest }) => (exited ? rest : null))(await status()), deadlineMs);
  const bytes = (data = '') => Buffer.from(data, 'base64');
  if (ended.exitcode !== 0) throw new Error(`${command}: ${ended.exitcode} ${bytes(ended['err-data'])}`);
  return bytes(ended['out-data']);
}
