import { expect, test } from 'vitest';
import { maxUntaken, SoundSender } from './sound-sender.ts';
import type { ToSpeaker } from './speaker-messages.ts';

function attached(sender: SoundSender): ToSpeaker[] {
  const sent: ToSpeaker[] = [];
  sender.attach((message) => void sent.push(message));
  return sent;
}

test('a speaker that comes late, or takes the place of another, learns how things stand', () => {
  const sender = new SoundSender();
  sender.setVolume([0.5, 0.25]);
  sender.setLatency(120);
  sender.start({ channels: 2, rateHz: 48_000 });
  sender.samples(new Float32Array(2));
  const standing: ToSpeaker[] = [
    { type: 'gains', gains: [0.5, 0.25] },
    { type: 'latency', leastMs: 120 },
    { type: 'start', channels: 2, rateHz: 48_000 },
  ];
  expect(attached(sender)).toEqual(standing);
  expect(attached(sender)).toEqual(standing);
});

test('a guest that silenced itself is silent, and as loud as before when it ends that', () => {
  const sender = new SoundSender();
  const sent = attached(sender);
  sender.setVolume([0.5]);
  sender.setMuted(true);
  sender.setVolume([0.7]);
  sender.setMuted(false);
  expect(sent.flatMap((message) => (message.type === 'gains' ? [message.gains] : []))).toEqual([[1], [0.5], [0], [0], [0.7]]);
});

test('a speaker that takes nothing is sent no more than a little, and goes on with what is new when it does', () => {
  const sender = new SoundSender();
  const sent = attached(sender);
  sender.start({ channels: 1, rateHz: 48_000 });
  const packets = () => sent.filter(({ type }) => type === 'samples').length;
  for (let packet = 0; packet < 10_000; packet++) sender.samples(new Float32Array(480));
  expect(packets()).toBe(maxUntaken);
  sender.taken(30);
  for (let packet = 0; packet < 10; packet++) sender.samples(new Float32Array(480));
  expect(packets()).toBe(maxUntaken + 1);
  sender.stop();
  sender.taken(30);
  sender.samples(new Float32Array(480));
  expect(packets()).toBe(maxUntaken + 1);
});

test('how late the guest is heard is known while it is, and not once it has stopped', () => {
  const sender = new SoundSender();
  attached(sender);
  expect(sender.delayMs).toBeNull();
  sender.start({ channels: 1, rateHz: 48_000 });
  sender.taken(37);
  expect(sender.delayMs).toBe(37);
  sender.stop();
  sender.taken(12);
  expect(sender.delayMs).toBeNull();
});
