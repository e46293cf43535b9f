import { expect, test } from 'vitest';
import { spiceMessage } from '../../../../tests/support/hostile-spice.ts';
import { accepted, bytesOf, linkReply } from '../../../../tests/support/scripted-spice.ts';
import type { ConsoleLocks } from '../../console.ts';
import { inputsMessage } from '../protocol/constants.ts';
import { Channel } from './channel.ts';
import { InputsChannel } from './inputs-channel.ts';

const hex = (bytes: Uint8Array) =>
  Buffer.from(bytes)
    .toString('hex')
    .replace(/..(?=.)/g, '$& ');

async function openInputs() {
  const sent: string[] = [];
  let now = 0;
  const locks: ConsoleLocks[] = [];
  const inputs = new InputsChannel(
    () => now,
    (shown) => void locks.push(shown),
  );
  const channel = new Channel({
    handler: inputs,
    channelId: 0,
    sessionId: 1,
    password: '',
    send: (bytes) => void sent.push(hex(bytes)),
    waitFor: () => undefined,
    notice: () => undefined,
    handedOn: () => undefined,
  });
  channel.start();
  inputs.input({ kind: 'key', scancode: [1], down: true });
  await channel.receive(linkReply());
  await channel.receive(accepted);
  sent.length = 0;
  const acknowledge = () => channel.receive(spiceMessage(inputsMessage.MOUSE_MOTION_ACK, new Uint8Array(0)));
  const tellLocks = (type: number, mask: number) => channel.receive(spiceMessage(type, bytesOf(['u16', mask])));
  return { inputs, sent, acknowledge, locks, tellLocks, pass: (ms: number) => (now += ms) };
}

test('keys are sent as the bytes of their scan code, the first byte lowest, and Pause as two messages', async () => {
  const { inputs, sent } = await openInputs();
  inputs.input({ kind: 'key', scancode: [0x1e], down: true });
  inputs.input({ kind: 'key', scancode: [0x1e], down: false });
  inputs.input({ kind: 'key', scancode: [0xe0, 0x1d], down: true });
  inputs.input({ kind: 'key', scancode: [0xe0, 0x1d], down: false });
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
