/**
 * A recorded SPICE session: what the server sent on each channel, in pieces as they came, and when.
 *
 * File: "SPICEREC" · pieces: milliseconds since the beginning (32 bits) · channel type (8) · channel id (8) · kind (8: 0 is the server's link
 * reply, 1 are bytes of messages) · length (32) · bytes. Little-endian. The link's ticket is no part of it. May be gzipped
 * as a whole.
 */
import { createWriteStream, readFileSync } from 'node:fs';
import { finished } from 'node:stream/promises';
import { gunzipSync } from 'node:zlib';

const magic = Buffer.from('SPICEREC');
const headBytes = 11;

export const pieceKind = { linkReply: 0, messages: 1 } as const;

export type Piece = { atMs: number; channelType: number; channelId: number; kind: number; bytes: Uint8Array };

export class RecordingWriter {
  readonly #file;
  readonly #beganMs = performance.now();

  constructor(path: string) {
    this.#file = createWriteStream(path);
    this.#file.write(magic);
  }

  add(channelType: number, channelId: number, kind: number, bytes: Uint8Array): void {
    const head = Buffer.alloc(headBytes);
    head.writeUInt32LE(Math.round(performance.now() - this.#beganMs), 0);
    head.writeUInt8(channelType, 4);
    head.writeUInt8(channelId, 5);
    head.writeUInt8(kind, 6);
    head.writeUInt32LE(bytes.byteLength, 7);
    this.#file.write(head);
    // A copy: whoever read it may use the memory again before it is written.
    this.#file.write(Buffer.from(bytes));
  }

  async close(): Promise<void> {
    this.#file.end();
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
