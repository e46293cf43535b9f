import { expect, test } from 'vitest';
import { spiceMessage } from '../../../../tests/support/hostile-spice.ts';
import { accepted, bytesOf, isQuestion, linkReply, messagesIn } from '../../../../tests/support/scripted-spice.ts';
import type { ConsoleLocks } from '../../console.ts';
import { inputsMessage } from '../protocol/constants.ts';
import { Channel } from './channel.ts';
import { InputsChannel } from './inputs-channel.ts';

const hex = (bytes: Uint8Array) =>
  Buffer.from(bytes)
    .toString('hex')
    .replace(/..(?=.)/g, '$& ');

const isMove = (message: string) => message.startsWith('6f') || message.startsWith('70');

/** What is for the server alone is left out, unless `questions` are of interest. */
async function openInputs(questions = false) {
  const sent: string[] = [];
  let now = 0;
  const locks: ConsoleLocks[] = [];
  const timers: { at: number; run: () => void }[] = [];
  const inputs = new InputsChannel({
    now: () => now,
    after: (ms, run) => {
      const timer = { at: now + ms, run };
      timers.push(timer);
      return () => void timers.splice(timers.indexOf(timer), 1);
    },
    locks: (shown) => void locks.push(shown),
  });
  let moves = 0;
  const channel = new Channel({
    handler: inputs,
    channelId: 0,
    sessionId: 1,
    password: '',
    send: (bytes) => {
      const said = channel.ready ? messagesIn([bytes]) : [];
      for (const message of said) {
        const text = hex(spiceMessage(...message));
        if (isMove(text)) moves++;
        if (questions || !isQuestion(message)) sent.push(text);
      }
    },
    waitFor: () => undefined,
    notice: () => undefined,
    handedOn: () => undefined,
  });
  channel.start();
  inputs.input({ kind: 'key', scancode: [1], down: true });
  await channel.receive(linkReply());
  await channel.receive(accepted);
  const acknowledge = () => channel.receive(spiceMessage(inputsMessage.MOUSE_MOTION_ACK, new Uint8Array(0)));
  const tellLocks = (type: number, mask: number) => channel.receive(spiceMessage(type, bytesOf(['u16', mask])));
  /** As the server: it acknowledges every fourth. */
  const serve = () => {
    for (; moves >= 4; moves -= 4) acknowledge();
  };
  const pass = (ms: number) => {
    now += ms;
    for (const timer of timers.filter(({ at }) => at <= now)) {
      timers.splice(timers.indexOf(timer), 1);
      timer.run();
    }
  };
  return { inputs, sent, acknowledge, serve, locks, tellLocks, pass };
}

test('keys are sent as the bytes of their scan code, the first byte lowest, and Pause as two messages', async () => {
  const { inputs, sent, serve, pass } = await openInputs();
  inputs.input({ kind: 'key', scancode: [0x1e], down: true });
  inputs.input({ kind: 'key', scancode: [0x1e], down: false });
  inputs.input({ kind: 'key', scancode: [0xe0, 0x1d], down: true });
  inputs.input({ kind: 'key', scancode: [0xe0, 0x1d], down: false });
  serve();
  serve();
  pass(30);
  inputs.input({ kind: 'key', scancode: [0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5], down: true });
  expect(sent).toEqual([
    '65 00 04 00 00 00 1e 00 00 00',
    '66 00 04 00 00 00 9e 00 00 00',
    '65 00 04 00 00 00 e0 1d 00 00',
    '66 00 04 00 00 00 e0 9d 00 00',
    '65 00 04 00 00 00 e1 1d 45 00',
    '65 00 04 00 00 00 e1 9d c5 00',
  ]);
});

test('pointer messages carry position, movement, buttons and what is held', async () => {
  const { inputs, sent } = await openInputs();
  inputs.setPointer('absolute');
  inputs.input({ kind: 'position', xPx: 1000, yPx: 2 });
  inputs.input({ kind: 'button', button: 'right', down: true });
  inputs.input({ kind: 'position', xPx: 1000, yPx: 3 });
  inputs.input({ kind: 'button', button: 'right', down: false });
  inputs.input({ kind: 'button', button: 'down', down: true });
  inputs.setPointer('relative');
  inputs.input({ kind: 'motion', dxPx: -1, dyPx: 2 });
  inputs.input({ kind: 'locks', scroll: false, num: true, caps: true });
  expect(sent).toEqual([
    '70 00 0b 00 00 00 e8 03 00 00 02 00 00 00 00 00 00',
    '71 00 03 00 00 00 03 04 00',
    '70 00 0b 00 00 00 e8 03 00 00 03 00 00 00 04 00 00',
    '72 00 03 00 00 00 03 00 00',
    '71 00 03 00 00 00 05 00 00',
    '6f 00 0a 00 00 00 ff ff ff ff 02 00 00 00 00 00',
    '67 00 02 00 00 00 06 00',
  ]);
});

test('movements that the server is behind with are joined, a press takes along where the pointer is, and the time to the answer is measured', async () => {
  const { inputs, sent, acknowledge, pass } = await openInputs();
  inputs.setPointer('relative');
  for (let step = 0; step < 20; step++) inputs.input({ kind: 'motion', dxPx: 1, dyPx: 0 });
  expect(sent).toHaveLength(8);
  expect(inputs.latencyMs).toBeNull();
  pass(30);
  acknowledge();
  expect(inputs.latencyMs).toBe(30);
  // The twelve that waited go as one.
  expect(sent).toHaveLength(9);
  expect(sent[8]).toBe('6f 00 0a 00 00 00 0c 00 00 00 00 00 00 00 00 00');
  for (let step = 0; step < 20; step++) inputs.input({ kind: 'motion', dxPx: 0, dyPx: 1 });
  const before = sent.length;
  inputs.input({ kind: 'button', button: 'left', down: true });
  expect(sent.slice(before).map((message) => message.slice(0, 2))).toEqual(['6f', '71']);
});

test('a guest that changes how it takes the pointer is not sent what was meant for the other way', async () => {
  const { inputs, sent } = await openInputs();
  inputs.setPointer('relative');
  inputs.input({ kind: 'position', xPx: 5, yPx: 5 });
  inputs.setPointer('absolute');
  inputs.input({ kind: 'button', button: 'left', down: true });
  expect(sent).toEqual(['71 00 03 00 00 00 01 01 00']);
});

test('what the guest’s lock keys show is told at first and when it changes', async () => {
  const { locks, tellLocks } = await openInputs();
  tellLocks(inputsMessage.INIT, 0);
  tellLocks(inputsMessage.KEY_MODIFIERS, 0b110);
  tellLocks(inputsMessage.KEY_MODIFIERS, 0b001);
  expect(locks).toEqual([
    { scroll: false, num: false, caps: false },
    { scroll: false, num: true, caps: true },
    { scroll: true, num: false, caps: false },
  ]);
});

test('a key is followed, when it has been seen, by movements that the guest does not see, as many as the server acknowledges at once with those before', async () => {
  const { inputs, sent, acknowledge, pass } = await openInputs(true);
  const down = (code: number) => inputs.input({ kind: 'key', scancode: [code], down: true });
  const movement = '6f 00 0a 00 00 00 00 00 00 00 00 00 00 00 00 00';
  const position = '70 00 0b 00 00 00 00 00 00 00 00 00 00 00 00 00 00';
  inputs.setPointer('absolute');
  inputs.input({ kind: 'position', xPx: 7, yPx: 8 });
  sent.length = 0;
  down(0x1e);
  pass(39);
  expect(sent).toEqual(['65 00 04 00 00 00 1e 00 00 00']);
  pass(1);
  expect(sent.splice(1)).toEqual([movement, movement, movement]);
  pass(3);
  acknowledge();
  expect(inputs.latencyMs).toBe(3);
  sent.length = 0;
  inputs.setPointer('relative');
  down(0x1f);
  pass(40);
  expect(sent).toEqual(['65 00 04 00 00 00 1f 00 00 00', position, position, position, position]);
});

test('keys do not hold the pointer back, and the pointer does not answer for keys', async () => {
  const { inputs, sent, acknowledge, pass } = await openInputs();
  inputs.setPointer('relative');
  for (let step = 0; step < 3; step++) inputs.input({ kind: 'motion', dxPx: 1, dyPx: 0 });
  inputs.input({ kind: 'key', scancode: [0x1e], down: true });
  pass(40);
  for (let step = 0; step < 20; step++) inputs.input({ kind: 'motion', dxPx: 1, dyPx: 0 });
  // Three before the key, five after it.
  expect(sent.filter(isMove)).toHaveLength(8);
  acknowledge();
  // Those that waited go as one, after three that are not acknowledged any more.
  expect(sent.filter(isMove)).toHaveLength(9);
  for (let step = 0; step < 20; step++) inputs.input({ kind: 'motion', dxPx: 1, dyPx: 0 });
  expect(sent.filter(isMove)).toHaveLength(11);
});

test('a line that is typed in one instant goes out in parts, as the server says that it got them, between what the pointer does', async () => {
  const { inputs, sent, serve, pass } = await openInputs();
  inputs.setPointer('absolute');
  for (let code = 0x10; code < 0x20; code++) for (const down of [true, false]) inputs.input({ kind: 'key', scancode: [code], down });
  inputs.input({ kind: 'button', button: 'left', down: true });
  inputs.input({ kind: 'button', button: 'left', down: false });
  expect(sent).toHaveLength(10);
  for (let turn = 0; turn < 12; turn++) {
    const before = sent.length;
    serve();
    pass(20);
    expect(sent.length - before).toBeLessThanOrEqual(12);
  }
  expect(sent).toHaveLength(34);
  expect(sent.slice(0, 32).map((message) => message.slice(18, 20))).toEqual(
    Array.from({ length: 32 }, (_, at) => (0x10 + (at >> 1) + (at % 2) * 0x80).toString(16)),
  );
  expect(sent.slice(32).map((message) => message.slice(0, 2))).toEqual(['71', '72']);
});

test('a server that lost count of movements is asked once more, and holds back neither keys nor the pointer', async () => {
  const { inputs, sent, acknowledge, pass } = await openInputs();
  inputs.setPointer('relative');
  inputs.input({ kind: 'key', scancode: [0x1e], down: true });
  acknowledge();
  for (let step = 0; step < 20; step++) inputs.input({ kind: 'motion', dxPx: 1, dyPx: 0 });
  for (let code = 0x10; code < 0x18; code++) for (const down of [true, false]) inputs.input({ kind: 'key', scancode: [code], down });
  pass(30);
  const stands = sent.length;
  pass(5000);
  expect(sent).toHaveLength(stands);
  // Of three questions one is acknowledged.
  for (let turn = 0; turn < 5; turn++) {
    acknowledge();
    pass(100);
  }
  // With the key at first and the movements that waited.
  expect(sent).toHaveLength(1 + 16 + 8 + 1);
  const moved = sent.filter(isMove).length;
  inputs.input({ kind: 'motion', dxPx: 1, dyPx: 0 });
  expect(sent.filter(isMove).length).toBeGreaterThan(moved);
});
