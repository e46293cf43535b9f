import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bytesOf, messagesIn } from '../../../../tests/support/scripted-spice.ts';
import { mainRequest } from '../protocol/constants.ts';
import { AgentLink } from './agent-link.ts';

function openLink(tokens = 1000) {
  const sent: Uint8Array[] = [];
  const heard: [number, string][] = [];
  const passedOver: number[] = [];
  const link = new AgentLink({
    send: (message) => void sent.push(message),
    message: (type, body) => void heard.push([type, Buffer.from(body).toString('hex')]),
    maxBytes: (type) => (type === 4 ? 5000 : 100),
    tooLong: (_type, bytes) => void passedOver.push(bytes),
  });
  link.open(tokens);
  return { link, sent, heard, passedOver };
}

const agentMessage = (type: number, body: Uint8Array, claimed = body.byteLength) =>
  bytesOf(['u32', 1], ['u32', type], ['u64', 0n], ['u32', claimed], body);

test('a message travels in pieces of 2 KiB, no more of them than there are tokens', () => {
  const { link, sent } = openLink(2);
  const body = new Uint8Array(5000).map((_, index) => index);
  expect(link.send(4, body)).toBe(true);
  expect(messagesIn(sent).map(([type, piece]) => [type, piece.byteLength])).toEqual([
    [mainRequest.AGENT_DATA, 2048],
    [mainRequest.AGENT_DATA, 2048],
  ]);
  link.giveTokens(10);
  expect(messagesIn(sent)).toHaveLength(3);
  const joined = Buffer.concat(messagesIn(sent).map(([, piece]) => piece));
  expect(joined.readUInt32LE(4)).toBe(4);
  expect(joined.readUInt32LE(16)).toBe(5000);
  expect(joined.subarray(20).equals(body)).toBe(true);
});

test('an agent that gives no tokens does not fill memory, and one that went is sent nothing', () => {
  const { link, sent } = openLink(0);
  let taken = 0;
  while (taken < 100 && link.send(4, new Uint8Array(4 * 1024 * 1024))) taken++;
  expect(taken).toBeLessThanOrEqual(16);
  link.close();
  link.giveTokens(100_000);
  expect(sent).toEqual([]);
  expect(link.send(4, new Uint8Array(1))).toBe(false);
});

test('a message that was begun is sent to its end although the agent went, and before anything else', () => {
  const { link, sent } = openLink(2);
  link.send(4, new Uint8Array(5000).fill(1));
  link.send(4, new Uint8Array(5000).fill(2));
  link.close();
  link.giveTokens(100);
  expect(messagesIn(sent)).toHaveLength(2);
  link.open(10);
  link.send(6, Uint8Array.of(3));
  const joined = Buffer.concat(messagesIn(sent).map(([, piece]) => piece));
  expect(joined.readUInt32LE(16)).toBe(5000);
  expect(joined.subarray(20, 5020).every((byte) => byte === 1)).toBe(true);
  expect(joined.readUInt32LE(5020 + 4)).toBe(6);
  expect(joined.byteLength).toBe(5020 + 21);
});

test('of a message that was begun nothing is sent to another server', () => {
  const { link, sent } = openLink(2);
  link.send(4, new Uint8Array(5000).fill(1));
  link.forget();
  link.open(10);
  link.send(6, Uint8Array.of(3));
  const [, , first] = messagesIn(sent).map(([, piece]) => Buffer.from(piece));
  expect(messagesIn(sent)).toHaveLength(3);
  expect(first?.equals(Buffer.from(agentMessage(6, Uint8Array.of(3))))).toBe(true);
});

test('messages come out whole however they were cut, and those that are too long are passed over', () => {
  const messages = [
    agentMessage(6, Uint8Array.of(1, 2, 3)),
    agentMessage(9, new Uint8Array(0)),
    agentMessage(4, new Uint8Array(5001)),
    agentMessage(4, new Uint8Array(4999).fill(8)),
    agentMessage(3, Uint8Array.of(9)),
  ];
  const stream = new Uint8Array(Buffer.concat(messages));
  const whole = openLink();
  whole.link.receive(stream);
  expect(whole.heard.map(([type, body]) => [type, body.length / 2])).toEqual([
    [6, 3],
    [9, 0],
    [4, 4999],
    [3, 1],
  ]);
  expect(whole.passedOver).toEqual([5001]);
  fc.assert(
    fc.property(fc.array(fc.nat(stream.length), { maxLength: 20 }), (cuts) => {
      const { link, heard } = openLink();
      const edges = [0, ...cuts.sort((one, other) => one - other), stream.length];
      for (let index = 1; index < edges.length; index++) link.receive(stream.slice(edges[index - 1], edges[index]));
      expect(heard).toEqual(whole.heard);
    }),
  );
});

test('what is announced is not what memory is taken for', () => {
  const before = process.memoryUsage().arrayBuffers;
  const links = Array.from({ length: 50 }, () => {
    const link = new AgentLink({ send: () => undefined, message: () => undefined, maxBytes: () => 2 ** 31, tooLong: () => undefined });
    link.open(0);
    link.receive(agentMessage(4, new Uint8Array(100), 1_000_000_000));
    return link;
  });
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4 * 1024 * 1024);
  expect(links).toHaveLength(50);
});

test('an agent of another protocol is refused', () => {
  expect(() => openLink().link.receive(bytesOf(['u32', 7], ['u32', 6], ['u64', 0n], ['u32', 0]))).toThrow('the agent speaks protocol 7');
});
