import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AgentFloodError, AgentStream } from './agent-stream.ts';

const rubbish = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes.map((byte) => (byte === 0xff ? 0xfe : byte))));

function pushAll(stream: AgentStream, bytes: Buffer, sizes: number[]): string[] {
  const lines: string[] = [];
  let at = 0;
  for (let i = 0; at < bytes.length; i++) {
    const size = sizes.length === 0 ? bytes.length : (sizes[i % sizes.length] ?? 1);
    const line = stream.push(bytes.subarray(at, at + size));
    if (line !== null) lines.push(line);
    at += size;
  }
  return lines;
}

test('the line after the sentinel is found whatever stands before it and however the stream is cut', () => {
  fc.assert(
    fc.property(rubbish, fc.json(), rubbish, fc.array(fc.integer({ min: 1, max: 40 })), (before, json, after, sizes) => {
      const stream = new AgentStream(10_000);
      stream.expectSentinelLine(100_000, () => true);
      const line = json.replaceAll('\n', ' ');
      const bytes = Buffer.concat([before, Buffer.from([0xff]), Buffer.from(`${line}\n`), after]);
      expect(pushAll(stream, bytes, sizes)).toEqual([line]);
    }),
  );
});

test('what was not asked for is never kept', () => {
  const stream = new AgentStream(10_000);
  expect(stream.push(Buffer.from('{"return": 1}\n'))).toBe(null);
  stream.expectLine(100);
  expect(stream.push(Buffer.from('one\ntwo\n'))).toBe('one');
  expect(stream.push(Buffer.from('three\n'))).toBe(null);
});

test('a flood before the sentinel and an endless line are both refused', () => {
  const before = new AgentStream(1000);
  before.expectSentinelLine(100, () => true);
  expect(() => pushAll(before, Buffer.alloc(5000, 'x'), [100])).toThrow(AgentFloodError);
  const endless = new AgentStream(1000);
  endless.expectLine(100);
  expect(() => pushAll(endless, Buffer.alloc(5000, 'x'), [30])).toThrow(AgentFloodError);
});

test('a stale handshake in the same chunk is passed over', () => {
  const stream = new AgentStream(1000);
  stream.expectSentinelLine(100, (line) => line === 'mine');
  expect(stream.push(Buffer.from('\xffstale\nrest\n\xffmine\n', 'latin1'))).toBe('mine');
});
