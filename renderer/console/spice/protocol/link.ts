/**
 * How a SPICE channel is opened (spice-protocol, `protocol.h`): each side sends a header (16 bytes: "REDQ", major, minor, size) with a
 * message of that size; the client then proves itself (ticket.ts), and the server answers with one number.
 */
import { type ChannelKind, channelType, commonCapability, linkErrors } from './constants.ts';
import type { Reader } from './reader.ts';
import { SpiceError } from './spice-error.ts';

export const linkHeaderBytes = 16;
export const authReplyBytes = 4;
const magic = 0x51444552;
const versionMajor = 2;
const versionMinor = 2;
const linkMessageBytes = 18;
/** SPICE_TICKET_PUBKEY_BYTES: an RSA key of 1024 bits in DER. */
const publicKeyBytes = 162;
const linkReplyLeastBytes = 4 + publicKeyBytes + 12;
/** A real reply has a few words of capabilities more than the least. */
const linkReplyMaxBytes = 4096;

export type LinkRequest = {
  channel: ChannelKind;
  /** Several displays have the same kind and other ids. */
  channelId: number;
  /** 0 for the main channel; for the others what its INIT said. */
  sessionId: number;
  /** Bits of SPICE_DISPLAY_CAP_* and the like. */
  capabilities: number;
};

export type LinkReply = { publicKey: Uint8Array; commonCapabilities: number; capabilities: number };

const commonCapabilities =
  bit(commonCapability.PROTOCOL_AUTH_SELECTION) | bit(commonCapability.AUTH_SPICE) | bit(commonCapability.MINI_HEADER);

function bit(capability: number): number {
  return 1 << capability;
}

/** SpiceLinkHeader and SpiceLinkMess with one word of capabilities of each kind. */
export function buildLink({ channel, channelId, sessionId, capabilities }: LinkRequest): Uint8Array {
  const bytes = new Uint8Array(linkHeaderBytes + linkMessageBytes + 8);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, magic, true);
  view.setUint32(4, versionMajor, true);
  view.setUint32(8, versionMinor, true);
  view.setUint32(12, linkMessageBytes + 8, true);
  view.setUint32(16, sessionId, true);
  view.setUint8(20, channelType[channel]);
  view.setUint8(21, channelId);
  view.setUint32(22, 1, true);
  view.setUint32(26, 1, true);
  view.setUint32(30, linkMessageBytes, true);
  view.setUint32(34, commonCapabilities, true);
  view.setUint32(38, capabilities, true);
  return bytes;
}

/** How many bytes the reply has that this header announces. */
export function parseLinkHeader(reader: Reader): number {
  if (reader.u32() !== magic) throw SpiceError.refused('the server does not speak SPICE');
  const major = reader.u32();
  if (major !== versionMajor) throw SpiceError.refused(`the server speaks SPICE ${major}, which is not known here`);
  reader.skip(4);
  const size = reader.u32();
  if (size < 4) throw new SpiceError(`a link reply of ${size} bytes is not possible`);
  if (size > linkReplyMaxBytes)
    throw new SpiceError(`a link reply of ${size} bytes is larger than the ${linkReplyMaxBytes} that are accepted`);
  return size;
}

/** SpiceLinkReply. Throws with the server's reason when it refused. */
export function parseLinkReply(reader: Reader): LinkReply {
  const error = reader.u32();
  if (error !== 0) throw SpiceError.refused(`the server refused the channel: ${linkErrors[error] ?? error}`);
  if (reader.length < linkReplyLeastBytes) throw new SpiceError(`a link reply of ${reader.length} bytes is cut short`);
  const publicKey = reader.bytesOf(publicKeyBytes).slice();
  const commonWords = reader.u32();
  const ownWords = reader.u32();
  reader.seek(reader.u32());
  reader.count(commonWords + ownWords, 4, 'capabilities');
  const words = (count: number) => {
    let first = 0;
    for (let index = 0; index < count; index++) {
      const word = reader.u32();
      if (index === 0) first = word;
    }
    return first;
  };
  const reply = { publicKey, commonCapabilities: words(commonWords), capabilities: words(ownWords) };
  for (const [name, capability] of Object.entries(commonCapability))
    if (commonCapabilities & bit(capability) && !(reply.commonCapabilities & bit(capability)))
      throw SpiceError.refused(`the server is too old: it does not know ${name}`);
  return reply;
}

/** What the server says to the ticket. */
export function parseAuthReply(reader: Reader): void {
  const error = reader.u32();
  if (error !== 0) throw SpiceError.refused(`the server did not accept the password: ${linkErrors[error] ?? error}`);
}
