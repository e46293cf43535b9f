import { expect, test } from 'vitest';
import { findProgram, terminalEnvironment, terminalTransport } from './terminal-transport.ts';

type Ended = { text: string; reason: string; clean: boolean };

async function runIn(columns: number, script: string, typed: string): Promise<Ended> {
  const open = await terminalTransport({ file: '/bin/sh', arguments: ['-c', script], columns, rows: 24 });
  return new Promise((settle) => {
    let text = '';
    const transport = open({
      open: () => transport.write(Buffer.from(typed), () => {}),
      data: (bytes) => {
        text += Buffer.from(bytes).toString();
      },
      closed: (reason, clean) => settle({ text, reason, clean }),
    });
  });
}

test('a program runs in a terminal of the size that was asked for and hears what is typed', async () => {
  const { text, clean } = await runIn(91, 'stty size; read line; echo "heard $line"', 'hello\n');
  expect(text).toContain('24 91');
  expect(text).toContain('heard hello');
  expect(clean).toBe(true);
});

test('how a program ended is told', async () => {
  expect(await runIn(80, 'exit 3', '')).toMatchObject({ reason: 'The session ended with status 3.', clean: false });
});

test('closing ends the program', async () => {
  const open = await terminalTransport({ file: '/bin/sh', arguments: ['-c', 'echo $$; exec sleep 60'], columns: 80, rows: 24 });
  const pid = await new Promise<number>((settle) => {
    const transport = open({
      open() {},
      data: (bytes) => {
        transport.close();
        settle(Number.parseInt(Buffer.from(bytes).toString(), 10));
      },
      closed() {},
    });
  });
  const deadline = Date.now() + 5000;
  const lives = () => {
    try {
      process.kill(pid, 0);
      return true;
    } catch {
      return false;
    }
  };
  while (lives() && Date.now() < deadline) await new Promise((settle) => setTimeout(settle, 10));
  expect(lives()).toBe(false);
});

test('a program that is missing is named together with the remedy', async () => {
  await expect(findProgram('ssh', '/nonexistent')).rejects.toMatchObject({
    error: { code: 'console/unavailable', hint: 'Install the OpenSSH client.' },
  });
});

test('what belongs to Electron and to the app is kept from programs in a terminal', () => {
  const environment = { PATH: '/bin', ELECTRON_RUN_AS_NODE: '1', GUESTHOUSE_HOME: '/x', NODE_OPTIONS: '--inspect', TERM: 'x' };
  expect(terminalEnvironment(environment)).toEqual({ PATH: '/bin', TERM: 'x' });
});
