/**
 * A recorded SPICE session: what the server sent on each channel, in pieces as they came, and when.
 *
 * File: "SPICEREC" · pieces: milliseconds since the beginning (32 bits) · channel type (8) · channel id (8) · kind (8: 0 is the server's link
 * reply, 1 are bytes of messages) · length (32) · bytes. Little-endian. The link's ticket is no part of it. Gzipped as a
 * whole when its name ends in “.gz”. `bench/spice/recorder.ts` makes them, `bench/spice/replay-server.ts` says them again to any client, and those
 * that tests need are in `tests/fixtures/spice/sessions`.
 */
import { createWriteStream, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { createGzip, gunzipSync } from 'node:zlib';
import { buildLink } from '../../bench/spice/link-pieces.ts';

const magic = Buffer.from('SPICEREC');
const headBytes = 11;

export const pieceKind = { linkReply: 0, messages: 1 } as const;

export type Piece = { atMs: number; channelType: number; channelId: number; kind: number; bytes: Uint8Array };

export class RecordingWriter {
  /** What is written to, and what then has to be finished: the same but where it is packed in between. */
  readonly #input: Writable;
  readonly #file: Writable;
  readonly #beganMs = performance.now();

  constructor(path: string) {
    this.#file = createWriteStream(path);
    this.#input = this.#file;
    if (path.endsWith('.gz')) {
      const packed = createGzip({ level: 9 });
      packed.pipe(this.#file);
      this.#input = packed;
    }
    this.#input.write(magic);
  }

  add(channelType: number, channelId: number, kind: number, bytes: Uint8Array): void {
    const head = Buffer.alloc(headBytes);
    head.writeUInt32LE(Math.round(performance.now() - this.#beganMs), 0);
    head.writeUInt8(channelType, 4);
    head.writeUInt8(channelId, 5);
    head.writeUInt8(kind, 6);
    head.writeUInt32LE(bytes.byteLength, 7);
    this.#input.write(head);
    // A copy: whoever read it may use the memory again before it is written.
    this.#input.write(Buffer.from(bytes));
  }

  async close(): Promise<void> {
    this.#input.end();
    await finished(this.#file);
  }
}

/** Throws when the file is no recording; one that was cut short ends with its last whole piece. */
export function readRecording(path: string): Piece[] {
  const packed = readFileSync(path);
  const file = path.endsWith('.gz') ? gunzipSync(packed) : packed;
  if (!file.subarray(0, magic.length).equals(magic)) throw new Error(`${path} is no recording of SPICE.`);
  const pieces: Piece[] = [];
  for (let at = magic.length; at + headBytes <= file.length; ) {
    const length = file.readUInt32LE(at + 7);
    if (at + headBytes + length > file.length) break;
    pieces.push({
      atMs: file.readUInt32LE(at),
      channelType: file.readUInt8(at + 4),
      channelId: file.readUInt8(at + 5),
      kind: file.readUInt8(at + 6),
      bytes: file.subarray(at + headBytes, at + headBytes + length),
    });
    at += headBytes + length;
  }
  return pieces;
}

export type RecordedMessage = { type: number; body: Uint8Array };

/** The messages of one channel, which has to have been recorded with mini headers. */
export function messagesOf(pieces: Piece[], channelType: number, channelId = 0): RecordedMessage[] {
  const bytes = Buffer.concat(
    pieces
      .filter((piece) => piece.channelType === channelType && piece.channelId === channelId && piece.kind === pieceKind.messages)
      .map((piece) => piece.bytes),
  );
  const messages: RecordedMessage[] = [];
  for (let at = 0; at + 6 <= bytes.length; ) {
    const end = at + 6 + bytes.readUInt32LE(at + 2);
    if (end > bytes.length) break;
    messages.push({ type: bytes.readUInt16LE(at), body: bytes.subarray(at + 6, end) });
    at = end;
  }
  return messages;
}

export type WireBytes = { channelType: number; channelId: number; bytes: Uint8Array };

/** What came over the wire on each channel: before its messages the link's header and reply, and that the ticket is right. */
export function wireBytesOf(pieces: Piece[]): WireBytes[] {
  return pieces.map(({ channelType, channelId, kind, bytes }) => ({
    channelType,
    channelId,
    bytes:
      kind === pieceKind.linkReply
        ? new Uint8Array(Buffer.concat([buildLink(Buffer.from(bytes)), Buffer.alloc(4)]))
        : new Uint8Array(bytes),
  }));
}

export type RecordedSession = {
  name: string;
  guest: 'desktop' | 'desktop at work' | 'text console';
  /** What QEMU or the client was told of how pictures are to be packed. */
  options: string;
  width: number;
  height: number;
  /** How its pictures are packed, and its videos. */
  packings: string[];
  videos?: string[];
  /** Of the pixels of QEMU's own screendump in the end: R, G, B and 255 each. None where something lossy was sent. */
  screendumpSha256?: string;
};

const sessionFolder = join(import.meta.dirname, '../fixtures/spice/sessions');

/** The path of a recorded session that tests keep. */
export const sessionPath = (name: string) => join(sessionFolder, `${name}.rec.gz`);

/** What is known of the sessions that tests keep. */
export function recordedSessions(): RecordedSession[] {
  const all = JSON.parse(readFileSync(join(sessionFolder, 'sessions.json'), 'utf8')) as Record<string, Omit<RecordedSession, 'name'>>;
  return Object.entries(all).map(([name, about]) => ({ name, ...about }));
}
