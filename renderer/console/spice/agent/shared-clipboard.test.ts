import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bytesOf, messagesIn } from '../../../../tests/support/scripted-spice.ts';
import type { Copied, Selection } from '../../clipboard.ts';
import { Agent } from './agent.ts';
import { type AgentCapability, agentCapability, agentMessage } from './agent-messages.ts';
import { maxClipboardBytes } from './shared-clipboard.ts';

const spoken: readonly AgentCapability[] = ['CLIPBOARD_BY_DEMAND', 'CLIPBOARD_SELECTION', 'MAX_CLIPBOARD', 'GUEST_LINEEND_LF'];
const text = 1;
const png = 2;

type Opened = { lineEnd?: 'lf' | 'crlf'; policy?: 'off' | 'to-guest' | 'to-computer' | 'both' };

/** A session's agent and the guest's, which speaks the wire. */
function openAgent({ lineEnd = 'lf', policy = 'both' }: Opened = {}) {
  const sent: Uint8Array[] = [];
  const here: Record<string, Copied> = {};
  const written: [Selection, Copied][] = [];
  const reads: string[] = [];
  let now = 100_000;
  const later: { at: number; run: () => void }[] = [];
  let writes = () => Promise.resolve();
  const agent = new Agent({
    send: (message) => void sent.push(message),
    agent: () => undefined,
    clipboard: () => undefined,
    files: () => undefined,
    file: () => undefined,
    settings: () => undefined,
    underWayBytes: () => 0,
    leaves: () => false,
    after: (ms, run) => void later.push({ at: now + ms, run }),
    now: () => now,
    lineEnd,
    readPicture: (picture, mediaType) =>
      picture[0] === 0x89 || mediaType === 'image/bmp' ? Promise.resolve(picture) : Promise.reject(new Error('no picture')),
    host: {
      write: (selection, copied) => {
        written.push([selection, copied]);
        return writes();
      },
      read: (selection, kind) => {
        reads.push(`${selection} ${kind}`);
        return Promise.resolve(here[`${selection} ${kind}`] ?? null);
      },
    },
  });
  agent.setClipboardPolicy(policy);
  agent.setInUse(true);
  agent.connected(1_000_000);
  const say = (type: number, body: Uint8Array) =>
    agent.data(bytesOf(['u32', 1], ['u32', type], ['u64', 0n], ['u32', body.byteLength], body));
  const announce = (capabilities = spoken) =>
    say(
      agentMessage.ANNOUNCE_CAPABILITIES,
      bytesOf(['u32', 0], ['u32', capabilities.reduce((bits, name) => bits | (1 << agentCapability[name]), 0)]),
    );
  /** What was sent since this was asked last, without what is not the clipboard's: type and body in hexadecimal. */
  const heard = () => {
    const stream = Buffer.concat(messagesIn(sent.splice(0)).flatMap(([type, piece]) => (type === 107 ? [piece] : [])));
    const messages: [number, Buffer][] = [];
    for (let at = 0; at < stream.byteLength; ) {
      const bytes = stream.readUInt32LE(at + 16);
      messages.push([stream.readUInt32LE(at + 4), stream.subarray(at + 20, at + 20 + bytes)]);
      at += 20 + bytes;
    }
    return messages.filter(([type]) => type !== agentMessage.ANNOUNCE_CAPABILITIES);
  };
  announce();
  const words = (selection: number, ...numbers: number[]) =>
    bytesOf(['u8', selection], new Uint8Array(3), ...numbers.map((number): ['u32', number] => ['u32', number]));
  const grab = (selection = 0, ...types: number[]) => say(agentMessage.CLIPBOARD_GRAB, words(selection, ...types));
  const ask = (selection = 0, type = text) => say(agentMessage.CLIPBOARD_REQUEST, words(selection, type));
  const give = (type: number, bytes: Uint8Array, selection = 0) => say(agentMessage.CLIPBOARD, bytesOf(words(selection, type), bytes));
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  return {
    agent,
    here,
    written,
    reads,
    say,
    announce,
    heard,
    words,
    grab,
    ask,
    give,
    settled,
    pass: (ms: number) => {
      now += ms;
      for (const due of later.filter(({ at }) => at <= now)) {
        later.splice(later.indexOf(due), 1);
        due.run();
      }
    },
    holdWrites: () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      writes = () => promise;
      return resolve;
    },
  };
}

const hex = (messages: [number, Buffer][]) => messages.map(([type, body]) => `${type} ${body.toString('hex')}`);
const none = (selection = 0) => `${agentMessage.CLIPBOARD} 0${selection}00000000000000`;
const utf8 = (words: string) => new TextEncoder().encode(words);

test('a guest is told how much may be copied, of what kinds this computer’s things are, and gets them when it asks', async () => {
  const { agent, here, heard, ask, settled } = openAgent();
  expect(hex(heard())).toEqual([`${agentMessage.MAX_CLIPBOARD} 00000002`]);
  here['clipboard text'] = { kind: 'text', text: 'Grüße 👻\r\nzwei\n' };
  here['primary png'] = { kind: 'png', png: Uint8Array.of(0x89, 1, 2) };
  agent.offerCopied('clipboard', ['text']);
  agent.offerCopied('primary', ['png']);
  expect(hex(heard())).toEqual([`${agentMessage.CLIPBOARD_GRAB} 0000000001000000`, `${agentMessage.CLIPBOARD_GRAB} 0100000002000000`]);
  ask();
  ask(1, png);
  await settled();
  expect(hex(heard())).toEqual([
    `${agentMessage.CLIPBOARD} 0000000001000000${Buffer.from('Grüße 👻\r\nzwei\n').toString('hex')}`,
    `${agentMessage.CLIPBOARD} 0100000002000000890102`,
  ]);
  agent.offerCopied('clipboard', []);
  expect(hex(heard())).toEqual([`${agentMessage.CLIPBOARD_RELEASE} 00000000`]);
});

test('what a guest copies is fetched at once, text before pictures, and goes to the right selection', async () => {
  const { heard, grab, give, written, settled } = openAgent();
  heard();
  grab(0, png, text, 99);
  grab(1, png);
  expect(hex(heard())).toEqual([
    `${agentMessage.CLIPBOARD_REQUEST} 0000000001000000`,
    `${agentMessage.CLIPBOARD_REQUEST} 0100000002000000`,
  ]);
  give(text, utf8('naïve\r\n<b>'));
  give(png, Uint8Array.of(0x89, 7), 1);
  await settled();
  expect(written).toEqual([
    ['clipboard', { kind: 'text', text: 'naïve\r\n<b>' }],
    ['primary', { kind: 'png', png: Uint8Array.of(0x89, 7) }],
  ]);
});

const counting: readonly AgentCapability[] = [...spoken, 'CLIPBOARD_GRAB_SERIAL'];
const grabOf = (serial: number, ...types: number[]) =>
  `${agentMessage.CLIPBOARD_GRAB} 00000000${[serial, ...types].map((word) => Buffer.from(bytesOf(['u32', word])).toString('hex')).join('')}`;
const requestOf = (type: number) => `${agentMessage.CLIPBOARD_REQUEST} 000000000${type}000000`;

test('grabs of both sides are counted together, and of two that crossed this computer’s counts', () => {
  const { agent, announce, heard, grab, give, pass } = openAgent();
  announce(counting);
  heard();
  agent.offerCopied('clipboard', ['text']);
  expect(hex(heard())).toEqual([grabOf(0, text)]);
  // Made before the guest heard of the first one: it hears of it now, and lets its own go.
  grab(0, 0, text);
  expect(heard()).toEqual([]);
  pass(5000);
  heard();
  grab(0, 1, text);
  expect(hex(heard())).toEqual([requestOf(text)]);
  give(text, utf8('the guest’s'));
  agent.offerCopied('clipboard', ['png']);
  expect(hex(heard())).toEqual([grabOf(2, png)]);
});

test('an agent that comes up is told again of what is copied, with the same number, and one that missed it is not shut out', () => {
  const { agent, announce, heard, grab, pass } = openAgent();
  agent.offerCopied('clipboard', ['text']);
  announce(counting);
  expect(
    hex(heard())
      .filter((each) => each.startsWith(`${agentMessage.CLIPBOARD_GRAB} `))
      .at(-1),
  ).toBe(grabOf(0, text));
  pass(2000);
  expect(hex(heard())).toEqual([grabOf(0, text)]);
  pass(8000);
  expect(hex(heard())).toEqual([grabOf(0, text)]);
  // It missed all of them: its own count is still at nothing.
  pass(3000);
  grab(0, 0, text);
  expect(hex(heard())).toEqual([requestOf(text)]);
  agent.offerCopied('clipboard', ['text']);
  expect(hex(heard())).toEqual([grabOf(1, text)]);
  agent.disconnected();
  pass(60_000);
  expect(heard()).toEqual([]);
});

test('lines end as the one who gets them ends them, and text that has both stays readable', async () => {
  const { announce, agent, here, heard, ask, grab, give, written, settled } = openAgent();
  announce(['CLIPBOARD_BY_DEMAND', 'CLIPBOARD_SELECTION', 'GUEST_LINEEND_CRLF']);
  here['clipboard text'] = { kind: 'text', text: 'a\nb\r\nc' };
  agent.offerCopied('clipboard', ['text']);
  ask();
  await settled();
  expect(heard().at(-1)?.[1].subarray(8).toString()).toBe('a\r\nb\r\nc');
  grab(0, text);
  give(text, utf8('a\r\nb\rc'));
  await settled();
  expect(written).toEqual([['clipboard', { kind: 'text', text: 'a\nb\rc' }]]);
});

test('however the guest’s messages are cut, what it copied is the same', async () => {
  const content = utf8('€ und 漢字\n'.repeat(400));
  const message = (type: number, body: Uint8Array) => bytesOf(['u32', 1], ['u32', type], ['u64', 0n], ['u32', body.byteLength], body);
  const { words } = openAgent();
  const stream = Buffer.concat([
    message(agentMessage.CLIPBOARD_GRAB, words(0, text)),
    message(agentMessage.CLIPBOARD, bytesOf(words(0, text), content)),
  ]);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(stream.byteLength), { maxLength: 20 }), async (cuts) => {
      const { agent, written, settled } = openAgent();
      const edges = [0, ...cuts.sort((one, other) => one - other), stream.byteLength];
      for (let index = 1; index < edges.length; index++) agent.data(new Uint8Array(stream.subarray(edges[index - 1], edges[index])));
      await settled();
      expect(written).toEqual([['clipboard', { kind: 'text', text: new TextDecoder().decode(content) }]]);
    }),
    { numRuns: 50 },
  );
});

test('a policy that is off says nothing of a clipboard, sends nothing and takes nothing, whatever the guest does', async () => {
  const { agent, here, heard, ask, grab, give, written, reads, settled } = openAgent({ policy: 'off' });
  here['clipboard text'] = { kind: 'text', text: 'secret' };
  agent.offerCopied('clipboard', ['text']);
  for (let time = 0; time < 100; time++) {
    ask();
    grab(0, text);
    give(text, utf8('planted'));
  }
  await settled();
  expect(reads).toEqual([]);
  expect(written).toEqual([]);
  // No agent that keeps to the protocol asks; one that does gets no answer.
  expect(heard()).toEqual([]);
});

test('each one-way policy carries one way only', async () => {
  const toGuest = openAgent({ policy: 'to-guest' });
  toGuest.here['clipboard text'] = { kind: 'text', text: 'mine' };
  toGuest.agent.offerCopied('clipboard', ['text']);
  toGuest.ask();
  await toGuest.settled();
  expect(toGuest.heard().at(-1)?.[1].subarray(8).toString()).toBe('mine');
  toGuest.grab(0, text);
  toGuest.give(text, utf8('planted'));
  await toGuest.settled();
  expect(toGuest.heard()).toEqual([]);
  expect(toGuest.written).toEqual([]);

  const toComputer = openAgent({ policy: 'to-computer' });
  toComputer.heard();
  toComputer.here['clipboard text'] = { kind: 'text', text: 'secret' };
  toComputer.agent.offerCopied('clipboard', ['text']);
  toComputer.ask();
  await toComputer.settled();
  expect(hex(toComputer.heard())).toEqual([none()]);
  expect(toComputer.reads).toEqual([]);
  toComputer.grab(0, text);
  toComputer.give(text, utf8('theirs'));
  await toComputer.settled();
  expect(toComputer.written).toEqual([['clipboard', { kind: 'text', text: 'theirs' }]]);
});

test('a way that is shut in the middle lets nothing more through, and the guest is told', async () => {
  const { agent, here, heard, ask, grab, give, written, settled, holdWrites } = openAgent();
  here['clipboard text'] = { kind: 'text', text: 'secret' };
  agent.offerCopied('clipboard', ['text']);
  heard();
  ask();
  agent.setClipboardPolicy('to-computer');
  await settled();
  expect(hex(heard())).toEqual([`${agentMessage.CLIPBOARD_RELEASE} 00000000`, none()]);
  const release = holdWrites();
  grab(0, text);
  grab(0, text);
  give(text, utf8('one'));
  give(text, utf8('two'));
  grab(0, text);
  agent.setClipboardPolicy('off');
  give(text, utf8('three'));
  release();
  await settled();
  expect(written).toEqual([['clipboard', { kind: 'text', text: 'two' }]]);
});

test('nothing is sent to, or fetched from, a console that nobody uses, but for a moment after it was left', async () => {
  const { agent, here, heard, ask, grab, reads, settled, pass } = openAgent();
  here['clipboard text'] = { kind: 'text', text: 'mine' };
  agent.offerCopied('clipboard', ['text']);
  heard();
  agent.setInUse(false);
  ask();
  await settled();
  expect(heard().at(-1)?.[1].subarray(8).toString()).toBe('mine');
  pass(2000);
  ask();
  await settled();
  expect(hex(heard())).toEqual([none()]);
  expect(reads).toHaveLength(1);
  grab(0, text);
  agent.offerCopied('clipboard', ['text']);
  expect(heard()).toEqual([]);
});

test('a guest that asks for what it was not offered, or of what is no selection, gets nothing', async () => {
  const { agent, heard, ask, grab, reads, settled } = openAgent();
  heard();
  agent.offerCopied('clipboard', ['text']);
  heard();
  ask(0, png);
  ask(1, text);
  ask(2, text);
  ask(77, text);
  expect(hex(heard())).toEqual([none(0), none(1), none(2), `${agentMessage.CLIPBOARD} 4d00000000000000`]);
  // The guest has copied something itself: this computer's is not what it would paste.
  grab(0, 99);
  ask();
  await settled();
  expect(hex(heard())).toEqual([none()]);
  expect(reads).toEqual([]);
});

test('a flood of what a guest copies and asks for is answered in bounds, and the newest wins', async () => {
  const { agent, here, heard, ask, grab, give, written, reads, settled, holdWrites } = openAgent();
  here['clipboard text'] = { kind: 'text', text: 'mine' };
  agent.offerCopied('clipboard', ['text']);
  heard();
  for (let time = 0; time < 1000; time++) ask();
  expect(reads).toHaveLength(4);
  expect(heard()).toHaveLength(996);
  await settled();
  heard();
  for (let time = 0; time < 1000; time++) grab(0, text);
  expect(heard()).toHaveLength(4);
  for (let time = 0; time < 1000; time++) give(text, utf8(`${time}`));
  await settled();
  expect(written).toEqual([['clipboard', { kind: 'text', text: '3' }]]);
  const release = holdWrites();
  for (let time = 0; time < 1000; time++) {
    grab(0, text);
    give(text, utf8(`${time}`));
  }
  expect(written).toHaveLength(2);
  release();
  await settled();
  expect(written).toHaveLength(3);
  expect(written.at(-1)?.[1]).toEqual({ kind: 'text', text: '999' });
});

test('what nobody asked for, of another kind, too large or no picture is let go, and the next copy goes on', async () => {
  const { grab, give, written, settled, say, words } = openAgent();
  give(text, utf8('unasked'));
  grab(0, text);
  give(png, Uint8Array.of(0x89));
  grab(0, png);
  give(png, utf8('<script>'));
  grab(0, text);
  say(agentMessage.CLIPBOARD, bytesOf(words(0, text), new Uint8Array(maxClipboardBytes + 1)));
  await settled();
  expect(written).toEqual([]);
  grab(0, text);
  give(text, utf8('small'));
  await settled();
  expect(written).toHaveLength(1);
});

test('what does not fit on this computer’s side is not sent', async () => {
  const { agent, here, heard, ask, settled } = openAgent();
  here['clipboard png'] = { kind: 'png', png: new Uint8Array(maxClipboardBytes + 1) };
  agent.offerCopied('clipboard', ['png']);
  heard();
  ask(0, png);
  await settled();
  expect(hex(heard())).toEqual([none()]);
});

test('an agent that starts anew is told again what there is, and what was for the one before is nobody’s', async () => {
  const { agent, here, heard, ask, announce, settled } = openAgent();
  here['clipboard text'] = { kind: 'text', text: 'mine' };
  agent.offerCopied('clipboard', ['text']);
  ask();
  heard();
  agent.disconnected();
  agent.connected(1_000_000);
  await settled();
  expect(heard()).toEqual([]);
  announce();
  expect(hex(heard())).toEqual([`${agentMessage.MAX_CLIPBOARD} 00000002`, `${agentMessage.CLIPBOARD_GRAB} 0000000001000000`]);
  ask();
  await settled();
  expect(heard()).toHaveLength(1);
  // Its desktop may have started anew later than itself: whoever comes back to the console says it again.
  agent.setInUse(false);
  agent.setInUse(true);
  expect(hex(heard())).toEqual([`${agentMessage.CLIPBOARD_GRAB} 0000000001000000`]);
});

test('an agent of old that knows one clipboard is spoken to as it speaks', async () => {
  const { agent, here, heard, announce, say, written, settled } = openAgent();
  announce(['CLIPBOARD_BY_DEMAND']);
  heard();
  here['clipboard text'] = { kind: 'text', text: 'old' };
  agent.offerCopied('primary', ['text']);
  agent.offerCopied('clipboard', ['text']);
  say(agentMessage.CLIPBOARD_REQUEST, bytesOf(['u32', text]));
  await settled();
  expect(hex(heard())).toEqual([`${agentMessage.CLIPBOARD_GRAB} 01000000`, `${agentMessage.CLIPBOARD} 010000006f6c64`]);
  say(agentMessage.CLIPBOARD_GRAB, bytesOf(['u32', text]));
  say(agentMessage.CLIPBOARD, bytesOf(['u32', text], utf8('new')));
  await settled();
  expect(written).toEqual([['clipboard', { kind: 'text', text: 'new' }]]);
});
