import { expect, test } from 'vitest';
import { PaintedSession } from '../../../../tests/support/painted-session.ts';
import { hashOf } from '../../../../tests/support/spice-pictures.ts';
import { messagesOf, readRecording, recordedSessions, sessionPath } from '../../../../tests/support/spice-recording.ts';
import { GlzWindow } from './glz-window.ts';
import { ImageDecoder } from './image.ts';
import { ImageCache } from './image-cache.ts';

/** The others are of a text console, where more is drawn than pictures. */
const sessions = recordedSessions().filter(({ guest }) => guest === 'desktop');
const displayChannel = 2;
/** What the client that was recorded had announced. */
const announced = { glzWindow: 8 * 1024 * 1024, cache: 10 * 1024 * 1024 };

test.each(sessions)(
  'the recorded session “$name” of a desktop ends in the pixels of QEMU’s screendump',
  ({ name, width, height, screendumpSha256 }) => {
    const shared = {
      glzWindow: new GlzWindow(announced.glzWindow),
      cache: new ImageCache(announced.cache),
      jpeg: () => Promise.reject(new Error('There is none in these.')),
      mayWait: () => false,
    };
    const decoder = new ImageDecoder(shared, () => {
      throw new Error('No surface is copied in these.');
    });
    const screen = new PaintedSession((body, offset) => {
      const picture = decoder.decode(body, offset, { sixteenBit: false, transient: true });
      if (picture instanceof Promise) throw new Error('All of it is there at once.');
      return picture;
    });
    const messages = messagesOf(readRecording(sessionPath(name)), displayChannel);
    for (const { type, body } of messages) screen.message(type, body);
    expect(messages.length).toBeGreaterThan(50);
    expect([screen.width, screen.height]).toEqual([width, height]);
    expect(hashOf(screen.pixels)).toBe(screendumpSha256);
  },
);
