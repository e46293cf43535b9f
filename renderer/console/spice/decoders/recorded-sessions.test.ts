import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { messagesOf, readRecording } from '../../../../bench/spice/recording.ts';
import { PaintedSession } from '../../../../tests/support/painted-session.ts';
import { hashOf } from '../../../../tests/support/spice-pictures.ts';
import { GlzWindow } from './glz-window.ts';
import { ImageDecoder } from './image.ts';
import { ImageCache } from './image-cache.ts';

const folder = join(import.meta.dirname, '../../../../tests/fixtures/spice/sessions');
type Session = { width: number; height: number; screendumpSha256: string };
const sessions = Object.entries(JSON.parse(readFileSync(join(folder, 'sessions.json'), 'utf8')) as Record<string, Session>);
const displayChannel = 2;
/** What the client that was recorded had announced. */
const announced = { glzWindow: 8 * 1024 * 1024, cache: 10 * 1024 * 1024 };

test.each(sessions)(
  'the recorded session “%s” of a desktop ends in the pixels of QEMU’s screendump',
  (name, { width, height, screendumpSha256 }) => {
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
    const messages = messagesOf(readRecording(join(folder, `${name}.rec.gz`)), displayChannel);
    for (const { type, body } of messages) screen.message(type, body);
    expect(messages.length).toBeGreaterThan(50);
    expect([screen.width, screen.height]).toEqual([width, height]);
    expect(hashOf(screen.pixels)).toBe(screendumpSha256);
  },
);
