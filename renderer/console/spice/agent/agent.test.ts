import { expect, test } from 'vitest';
import { bytesOf, messagesIn } from '../../../../tests/support/scripted-spice.ts';
import { ownLook } from '../../console.ts';
import { Agent, type SettingsPossible } from './agent.ts';
import { type AgentCapability, agentCapability, agentMessage } from './agent-messages.ts';

function openAgent() {
  const sent: Uint8Array[] = [];
  const possible: SettingsPossible[] = [];
  const agent = new Agent({
    send: (message) => void sent.push(message),
    agent: () => undefined,
    clipboard: () => undefined,
    files: () => undefined,
    file: () => undefined,
    settings: (each) => void possible.push(each),
    underWayBytes: () => 0,
    leaves: () => false,
    after: () => undefined,
    now: () => 0,
    lineEnd: 'lf',
    readPicture: (picture) => Promise.resolve(picture),
    host: { write: () => Promise.resolve(), read: () => Promise.resolve(null) },
  });
  const come = (...capabilities: AgentCapability[]) => {
    agent.connected(1000);
    const body = bytesOf(['u32', 0], ['u32', capabilities.reduce((bits, name) => bits | (1 << agentCapability[name]), 0)]);
    agent.data(bytesOf(['u32', 1], ['u32', agentMessage.ANNOUNCE_CAPABILITIES], ['u64', 0n], ['u32', body.byteLength], body));
  };
  /** What the guest heard but announcements, since this was asked last: type and body in hexadecimal. */
  const heard = () =>
    messagesIn(sent.splice(0))
      .map(([, piece]) => Buffer.from(piece))
      .map((piece) => ({ type: piece.readUInt32LE(4), body: piece.subarray(20).toString('hex') }))
      .filter(({ type }) => type !== agentMessage.ANNOUNCE_CAPABILITIES);
  return { agent, come, heard, possible };
}

test('the guest’s volume is set through an agent that does so, for both sides alike', () => {
  const { agent, come, heard, possible } = openAgent();
  come('AUDIO_VOLUME_SYNC');
  expect(possible.at(-1)).toEqual({ volume: true, look: false });
  agent.setVolume({ volume: 0.5, muted: true });
  agent.setVolume({ volume: 7, muted: false });
  agent.setVolume({ volume: null, muted: true });
  expect(heard()).toEqual([
    { type: agentMessage.AUDIO_VOLUME_SYNC, body: '01010200800080' },
    { type: agentMessage.AUDIO_VOLUME_SYNC, body: '010002ffffffff' },
    { type: agentMessage.AUDIO_VOLUME_SYNC, body: '010100' },
  ]);
  agent.disconnected();
  expect(possible.at(-1)).toEqual({ volume: false, look: false });
  come('REPLY');
  agent.setVolume({ volume: 0.5, muted: false });
  expect(heard()).toEqual([]);
});

test('the look of the desktop is told to each agent that changes it, and nothing before somebody chose one', () => {
  const { agent, come, heard } = openAgent();
  agent.setLook(ownLook);
  come('DISPLAY_CONFIG');
  expect(heard()).toEqual([]);
  agent.setLook({ wallpaper: false, animations: false, fontSmoothing: true, depth: 16 });
  expect(heard()).toEqual([{ type: agentMessage.DISPLAY_CONFIG, body: '0d00000010000000' }]);
  agent.disconnected();
  come('DISPLAY_CONFIG');
  expect(heard()).toEqual([{ type: agentMessage.DISPLAY_CONFIG, body: '0d00000010000000' }]);
  agent.setLook({ ...ownLook });
  expect(heard()).toEqual([{ type: agentMessage.DISPLAY_CONFIG, body: '0000000000000000' }]);
  agent.disconnected();
  come('REPLY');
  agent.setLook({ ...ownLook, wallpaper: false });
  expect(heard()).toEqual([]);
});
