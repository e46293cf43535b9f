import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bytesOf, messagesIn } from '../../../../tests/support/scripted-spice.ts';
import type { FileProgress, FileToSend } from '../../files.ts';
import { Agent } from './agent.ts';
import { type AgentCapability, agentCapability, agentMessage, fileStatus } from './agent-messages.ts';
import { keyFileValue, nameForGuest } from './file-name.ts';

const linux: readonly AgentCapability[] = ['CLIPBOARD_BY_DEMAND', 'CLIPBOARD_SELECTION', 'GUEST_LINEEND_LF'];

/** A session's agent, and the guest's, which says what a test tells it to. */
function openAgent(capabilities = linux, tokens = 1_000_000) {
  const sent: Uint8Array[] = [];
  const told: [number, FileProgress][] = [];
  const possible: string[] = [];
  const later: (() => void)[] = [];
  const state = { underWay: 0 };
  const agent = new Agent({
    send: (message) => void sent.push(message),
    agent: () => undefined,
    clipboard: () => undefined,
    files: (each) => void possible.push(each),
    file: (id, progress) => void told.push([id, progress]),
    settings: () => undefined,
    underWayBytes: () => state.underWay,
    leaves: () => false,
    after: (_ms, run) => void later.push(run),
    now: () => 0,
    lineEnd: 'lf',
    readPicture: (picture) => Promise.resolve(picture),
    host: { write: () => Promise.resolve(), read: () => Promise.resolve(null) },
  });
  agent.setFilesPolicy('to-guest');
  agent.connected(tokens);
  const say = (type: number, body: Uint8Array) =>
    agent.data(bytesOf(['u32', 1], ['u32', type], ['u64', 0n], ['u32', body.byteLength], body));
  const announce = () =>
    say(
      agentMessage.ANNOUNCE_CAPABILITIES,
      bytesOf(['u32', 0], ['u32', capabilities.reduce((bits, name) => bits | (1 << agentCapability[name]), 0)]),
    );
  announce();
  let stream = Buffer.alloc(0);
  /** Whole messages that the guest got since this was asked last. */
  const heard = () => {
    stream = Buffer.concat([stream, ...messagesIn(sent.splice(0)).flatMap(([type, piece]) => (type === 107 ? [piece] : []))]);
    const messages: { type: number; body: Buffer }[] = [];
    while (stream.byteLength >= 20 && stream.byteLength >= 20 + stream.readUInt32LE(16)) {
      const bytes = stream.readUInt32LE(16);
      messages.push({ type: stream.readUInt32LE(4), body: stream.subarray(20, 20 + bytes) });
      stream = stream.subarray(20 + bytes);
    }
    return messages;
  };
  const answer = (file: number, result: number, more: Uint8Array = new Uint8Array(0)) =>
    say(agentMessage.FILE_XFER_STATUS, bytesOf(['u32', file], ['u32', result], more));
  heard();
  return { agent, told, possible, later, state, say, announce, heard, answer, sent };
}

const fileOf = (id: number, name: string, content: Blob, more: Partial<FileToSend> = {}): FileToSend => ({
  id,
  name,
  content,
  number: 1,
  of: 1,
  ...more,
});
const settled = () => new Promise((resolve) => setTimeout(resolve, 0));
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
/** What the DATA messages among these have, which name that file and their own length. */
const contentOf = (messages: { type: number; body: Buffer }[], file: number) =>
  Buffer.concat(
    messages
      .filter(({ type }) => type === agentMessage.FILE_XFER_DATA)
      .map(({ body }) => {
        expect(body.readUInt32LE(0)).toBe(file);
        expect(body.readBigUInt64LE(4)).toBe(BigInt(body.byteLength - 12));
        return body.subarray(12);
      }),
  );

test('a file goes over whole, in pieces of 64 KiB, after the guest has said that it takes it', async () => {
  const { agent, heard, answer, told } = openAgent();
  const content = Buffer.alloc(300_001).map((_, index) => (index * 7) >> 3);
  agent.sendFile(fileOf(5, 'Urlaub/ä b.bin', new Blob([content]), { number: 2, of: 3 }));
  const [start] = heard();
  expect(start?.type).toBe(agentMessage.FILE_XFER_START);
  expect(start?.body.readUInt32LE(0)).toBe(1);
  expect(start?.body.subarray(4).toString()).toBe(
    '[vdagent-file-xfer]\nname=Urlaub/ä b.bin\nsize=300001\nfile-xfer-nr=2\nfile-xfer-total=3\n\0',
  );
  await settled();
  expect(heard()).toEqual([]);
  answer(1, fileStatus.CAN_SEND_DATA);
  await settled();
  const data = heard();
  expect(data.map(({ body }) => body.byteLength - 12)).toEqual([65536, 65536, 65536, 65536, 37857]);
  expect(sha256(contentOf(data, 1))).toBe(sha256(content));
  expect(told.at(-1)).toEqual([5, { state: 'sending', sentBytes: 300_001 }]);
  answer(1, fileStatus.SUCCESS);
  expect(told.at(-1)).toEqual([5, { state: 'sent' }]);
});

test('a file with nothing in it is one message with nothing in it', async () => {
  const { agent, heard, answer, told } = openAgent();
  agent.sendFile(fileOf(1, 'empty', new Blob([])));
  heard();
  answer(1, fileStatus.CAN_SEND_DATA);
  await settled();
  const data = heard();
  expect(data).toHaveLength(1);
  expect(contentOf(data, 1).byteLength).toBe(0);
  answer(1, fileStatus.SUCCESS);
  expect(told.at(-1)).toEqual([1, { state: 'sent' }]);
});

test('no more is read or queued than the guest takes, so that everything else stays at hand', async () => {
  const { agent, heard, answer } = openAgent(linux, 40);
  let read = 0;
  const content = new Blob([new Uint8Array(8 * 1024 * 1024).fill(3)]);
  const slice = content.slice.bind(content);
  content.slice = (from, to) => {
    read = Math.max(read, to ?? 0);
    return slice(from, to);
  };
  agent.sendFile(fileOf(1, 'large', content));
  answer(1, fileStatus.CAN_SEND_DATA);
  await settled();
  // Some tokens' worth has gone; what waits is a message more at most.
  expect(read).toBeLessThanOrEqual(1024 * 1024);
  agent.setMonitors([{ widthPx: 800, heightPx: 600 }]);
  heard();
  // 64 KiB of the file may stand before it, in pieces of 2 KiB, and the message that is being cut.
  agent.tokens(66);
  expect(heard().map(({ type }) => type)).toContain(agentMessage.MONITORS_CONFIG);
  expect(read).toBeLessThanOrEqual(1024 * 1024);
});

test('a server that gives tokens and takes nothing is waited for', async () => {
  const { agent, heard, answer, state, later } = openAgent();
  agent.sendFile(fileOf(1, 'large', new Blob([new Uint8Array(4 * 1024 * 1024)])));
  heard();
  state.underWay = 600 * 1024;
  answer(1, fileStatus.CAN_SEND_DATA);
  await settled();
  expect(heard()).toEqual([]);
  expect(later).toHaveLength(1);
  state.underWay = 0;
  later[0]?.();
  await settled();
  await settled();
  expect(contentOf(heard(), 1).byteLength).toBeGreaterThan(0);
});

test('each answer of the guest that is a no is told for what it is, and the next file goes on', async () => {
  const glib = (code: number) => bytesOf(['u8', 0], ['u32', code]);
  const answers: [number, Uint8Array<ArrayBufferLike>, object][] = [
    [fileStatus.NOT_ENOUGH_SPACE, bytesOf(['u64', 4096n]), { kind: 'full', freeBytes: 4096 }],
    [fileStatus.NOT_ENOUGH_SPACE, new Uint8Array(0), { kind: 'full', freeBytes: null }],
    [fileStatus.NOT_ENOUGH_SPACE, bytesOf(['u64', 0xffffffffffffffffn]), { kind: 'full', freeBytes: null }],
    [fileStatus.SESSION_LOCKED, new Uint8Array(0), { kind: 'locked' }],
    [fileStatus.VDAGENT_NOT_CONNECTED, new Uint8Array(0), { kind: 'nobody' }],
    [fileStatus.DISABLED, new Uint8Array(0), { kind: 'disabled' }],
    [fileStatus.CANCELLED, new Uint8Array(0), { kind: 'cancelled' }],
    [fileStatus.ERROR, new Uint8Array(0), { kind: 'refused' }],
    [fileStatus.ERROR, glib(12), { kind: 'full', freeBytes: null }],
    [fileStatus.ERROR, glib(9), { kind: 'name' }],
    [fileStatus.ERROR, glib(31), { kind: 'refused' }],
    [99, new Uint8Array(0), { kind: 'nonsense' }],
    // Done before anything was sent.
    [fileStatus.SUCCESS, new Uint8Array(0), { kind: 'nonsense' }],
  ];
  const { agent, heard, answer, told } = openAgent();
  for (const [index] of answers.entries()) agent.sendFile(fileOf(index, `file ${index}`, new Blob(['x'])));
  for (const [index, [result, more, problem]] of answers.entries()) {
    expect(heard().filter(({ type }) => type === agentMessage.FILE_XFER_START)).toHaveLength(1);
    answer(index + 1, result, more);
    expect(told.filter(([id]) => id === index).at(-1)).toEqual([index, { state: 'failed', problem }]);
  }
  agent.sendFile(fileOf(50, 'half', new Blob(['xy'])));
  answer(answers.length + 1, fileStatus.CAN_SEND_DATA);
  await settled();
  answer(answers.length + 1, fileStatus.ERROR);
  expect(told.at(-1)).toEqual([50, { state: 'failed', problem: { kind: 'stopped' } }]);
});

test('one is cancelled while it waits or is on its way, the guest is told of the latter, and the next goes on', async () => {
  const { agent, heard, answer, told } = openAgent(linux, 10);
  for (const id of [1, 2, 3]) agent.sendFile(fileOf(id, `f${id}`, new Blob([new Uint8Array(1024 * 1024)])));
  answer(1, fileStatus.CAN_SEND_DATA);
  await settled();
  agent.cancelFile(2);
  expect(told.at(-1)).toEqual([2, { state: 'cancelled' }]);
  agent.cancelFile(1);
  agent.tokens(1000);
  const messages = heard();
  const at = messages.findIndex(({ type }) => type === agentMessage.FILE_XFER_STATUS);
  expect(messages[at]?.body.toString('hex')).toBe(Buffer.from(bytesOf(['u32', 1], ['u32', fileStatus.CANCELLED])).toString('hex'));
  expect(messages.slice(at + 1).map(({ type }) => type)).toEqual([agentMessage.FILE_XFER_START]);
  // What the guest still says of it means nobody.
  answer(1, fileStatus.ERROR);
  expect(told.filter(([, { state }]) => state === 'failed')).toEqual([]);
  expect(told.at(-1)).toEqual([3, { state: 'sending', sentBytes: 0 }]);
});

test('with the policy off nothing of a file is sent, and what is on its way stops', async () => {
  const { agent, heard, answer, told } = openAgent();
  agent.sendFile(fileOf(1, 'on its way', new Blob([new Uint8Array(9_000_000)])));
  agent.sendFile(fileOf(2, 'waits', new Blob(['x'])));
  agent.setFilesPolicy('off');
  expect(heard().map(({ type }) => type)).toEqual([agentMessage.FILE_XFER_START, agentMessage.FILE_XFER_STATUS]);
  answer(1, fileStatus.CAN_SEND_DATA);
  agent.sendFile(fileOf(3, 'late', new Blob(['secret'])));
  await settled();
  expect(heard()).toEqual([]);
  expect(told.filter(([, { state }]) => state === 'cancelled').map(([id]) => id)).toEqual([2, 1, 3]);
  const never = openAgent();
  never.agent.setFilesPolicy('off');
  never.agent.sendFile(fileOf(1, 'never', new Blob(['secret'])));
  expect(never.heard()).toEqual([]);
});

test('an agent that goes interrupts all, so that they can be sent anew', async () => {
  const { agent, heard, told, possible, announce } = openAgent();
  agent.sendFile(fileOf(1, 'first', new Blob(['x'])));
  agent.sendFile(fileOf(2, 'second', new Blob(['x'])));
  agent.disconnected();
  expect(told.slice(-2)).toEqual([
    [1, { state: 'interrupted' }],
    [2, { state: 'interrupted' }],
  ]);
  expect(possible).toEqual(['yes', 'no-agent']);
  agent.sendFile(fileOf(3, 'too early', new Blob(['x'])));
  expect(told.at(-1)).toEqual([3, { state: 'interrupted' }]);
  agent.connected(100);
  announce();
  heard();
  expect(possible.at(-1)).toBe('yes');
  agent.sendFile(fileOf(1, 'first', new Blob(['x'])));
  expect(heard().map(({ type }) => type)).toEqual([agentMessage.FILE_XFER_START]);
});

test('a change of the clipboard’s policy is announced once no file is on its way: agents take the question for a new client', () => {
  const { agent, heard, answer } = openAgent();
  agent.sendFile(fileOf(1, 'file', new Blob(['x'])));
  heard();
  agent.setClipboardPolicy('both');
  expect(heard()).toEqual([]);
  answer(1, fileStatus.ERROR);
  expect(heard().map(({ type }) => type)).toEqual([agentMessage.ANNOUNCE_CAPABILITIES]);
});

test('a file that became shorter, or cannot be read, fails with what is wrong and is taken back in the guest', async () => {
  const { agent, heard, answer, told } = openAgent();
  const shorter = new Blob(['0123456789']);
  shorter.slice = () => new Blob([]);
  agent.sendFile(fileOf(1, 'shorter', shorter));
  answer(1, fileStatus.CAN_SEND_DATA);
  await settled();
  expect(told.at(-1)).toEqual([1, { state: 'failed', problem: { kind: 'changed' } }]);
  const gone = new Blob(['0123456789']);
  gone.slice = () => ({ arrayBuffer: () => Promise.reject(new Error('It is gone.')) }) as Blob;
  agent.sendFile(fileOf(2, 'gone', gone));
  answer(2, fileStatus.CAN_SEND_DATA);
  await settled();
  expect(told.at(-1)).toEqual([2, { state: 'failed', problem: { kind: 'unreadable', detail: 'It is gone.' } }]);
  expect(heard().filter(({ type }) => type === agentMessage.FILE_XFER_STATUS)).toHaveLength(2);
});

test('whatever the guest answers, in whatever order, at most one file is on its way and each ends once', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.oneof(
          fc.record({ kind: fc.constant('answer' as const), file: fc.nat(6), result: fc.nat(9), more: fc.uint8Array({ maxLength: 12 }) }),
          fc.record({ kind: fc.constant('cancel' as const), id: fc.nat(4) }),
          fc.record({ kind: fc.constant('raw' as const), body: fc.uint8Array({ maxLength: 12 }) }),
        ),
        { maxLength: 30 },
      ),
      async (steps) => {
        const { agent, answer, told, say } = openAgent();
        for (let id = 0; id < 4; id++) agent.sendFile(fileOf(id, `f${id}`, new Blob(['0123456789'])));
        for (const step of steps) {
          if (step.kind === 'answer') answer(step.file, step.result, step.more);
          else if (step.kind === 'cancel') agent.cancelFile(step.id);
          else say(agentMessage.FILE_XFER_STATUS, step.body);
          await settled();
        }
        agent.disconnected();
        for (let id = 0; id < 4; id++) {
          const ends = told.filter(([each, { state }]) => each === id && state !== 'sending');
          expect(ends).toHaveLength(1);
          expect(told.filter(([each]) => each === id).at(-1)).toEqual(ends[0]);
        }
      },
    ),
    { numRuns: 60 },
  );
});

test('a name keeps its folders for Linux, loses them and what is reserved for Windows, and never leads out of the folder', () => {
  expect(nameForGuest('Photos/2024/a b.jpg', 'unix')).toBe('Photos/2024/a b.jpg');
  expect(nameForGuest('Photos/2024/a b.jpg', 'windows')).toBe('a b.jpg');
  expect(nameForGuest('../../etc/passwd', 'unix')).toBe('etc/passwd');
  expect(nameForGuest('/etc//./x', 'unix')).toBe('etc/x');
  expect(nameForGuest('a\nsize=1', 'unix')).toBe('a_size=1');
  expect(nameForGuest('C:\\x?*<>|".txt. ', 'windows')).toBe('C__x______.txt');
  expect(nameForGuest('漢'.repeat(90), 'unix')).toBeNull();
  expect(nameForGuest('..', 'unix')).toBeNull();
  expect(nameForGuest('...', 'windows')).toBeNull();
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), (path) => {
      for (const guest of ['unix', 'windows'] as const) {
        const name = nameForGuest(path, guest);
        if (name === null) return;
        expect(name.split('/').some((part) => part === '' || part === '.' || part === '..')).toBe(false);
        expect(name).not.toMatch(/[\n\r\0]/);
        if (guest === 'windows') expect(name).not.toMatch(/[\\/:]/);
      }
    }),
  );
});

test('a value for GLib’s key files has its backslashes and its first space escaped', () => {
  expect(keyFileValue(' a\\b c')).toBe('\\sa\\\\b c');
});
