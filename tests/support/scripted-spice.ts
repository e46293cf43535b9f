/** A SPICE server in memory for unit tests: the handshake is real (it makes a key and reads the ticket), what follows is what a test says. */
import { constants, generateKeyPairSync, privateDecrypt } from 'node:crypto';
import { inputsRequest } from '../../renderer/console/spice/protocol/constants.ts';
import type { SessionHost } from '../../renderer/console/spice/session-host.ts';

const keys = generateKeyPairSync('rsa', { modulusLength: 1024 });
const publicKey = keys.publicKey.export({ format: 'der', type: 'spki' });

/** SpiceLinkHeader and SpiceLinkReply as QEMU's server sends them. */
export function linkReply(error = 0, commonCapabilities = 0b1011, capabilities = 0): Uint8Array {
  const body = Buffer.alloc(4 + publicKey.byteLength + 12 + 8);
  body.writeUInt32LE(error, 0);
  body.set(publicKey, 4);
  body.writeUInt32LE(1, 166);
  body.writeUInt32LE(1, 170);
  body.writeUInt32LE(178, 174);
  body.writeUInt32LE(commonCapabilities, 178);
  body.writeUInt32LE(capabilities, 182);
  const header = Buffer.alloc(16);
  header.write('REDQ');
  header.writeUInt32LE(2, 4);
  header.writeUInt32LE(2, 8);
  header.writeUInt32LE(body.byteLength, 12);
  return Buffer.concat([header, body]);
}

/** The part of a session's host that has to do with clipboards, files and lock keys, of a computer that has none of them. */
export const noSharing = {
  clipboardPossible: () => undefined,
  clipboard: { write: () => Promise.resolve(), read: () => Promise.resolve(null) },
  readPicture: () => Promise.reject(new Error('none')),
  filesPossible: () => undefined,
  file: () => undefined,
  settingsPossible: () => undefined,
  underWayBytes: () => 0,
  lineEnd: 'lf',
  locks: () => undefined,
} satisfies Partial<SessionHost>;

/** A host that looks at nothing but the pixels. */
export const pixelsAlone = {
  heads: () => undefined,
  picture: () => undefined,
  pointer: () => undefined,
  cursor: () => undefined,
  cursorMoved: () => undefined,
  agent: () => undefined,
} satisfies Partial<SessionHost>;

export const accepted = Uint8Array.of(0, 0, 0, 0);

/** The password in a ticket, without its closing zero. */
export function passwordOf(ticket: Uint8Array): string {
  const padding = constants.RSA_PKCS1_OAEP_PADDING;
  return privateDecrypt({ key: keys.privateKey, padding, oaepHash: 'sha1' }, ticket.subarray(4)).toString().replace(/\0$/, '');
}

/** Numbers of 1, 2, 4 and 8 bytes one after the other: `['u16', 5]`. */
export function bytesOf(...parts: (['u8' | 'u16' | 'u32' | 'i32', number] | ['u64', bigint] | Uint8Array)[]): Uint8Array {
  return Buffer.concat(
    parts.map((part) => {
      if (part instanceof Uint8Array) return part;
      const [kind, value] = part;
      const bytes = Buffer.alloc({ u8: 1, u16: 2, u32: 4, i32: 4, u64: 8 }[kind]);
      if (kind === 'u64') bytes.writeBigUInt64LE(value);
      else bytes.writeUIntLE(value >>> 0, 0, bytes.byteLength);
      return bytes;
    }),
  );
}

/** The messages that a client sent after its link and ticket, as [type, body]. */
export function messagesIn(sent: readonly Uint8Array[]): [number, Uint8Array][] {
  const messages: [number, Uint8Array][] = [];
  const all = Buffer.concat(sent);
  for (let at = 0; at < all.byteLength; at += 6 + all.readUInt32LE(at + 2))
    messages.push([all.readUInt16LE(at), all.subarray(at + 6, at + 6 + all.readUInt32LE(at + 2))]);
  return messages;
}

/** Whether a message on the inputs channel is for the server alone: a movement to nowhere, which it only acknowledges. */
export function isQuestion([type, body]: [number, Uint8Array]): boolean {
  const isMovement = type === inputsRequest.MOUSE_MOTION || type === inputsRequest.MOUSE_POSITION;
  return isMovement && body.byteLength >= 10 && body.every((byte) => byte === 0);
}
