/** Proves to a SPICE server that its password is known: the password, encrypted with the key of its link reply. */
import { SpiceError } from './spice-error.ts';

/** SPICE_MAX_PASSWORD_LENGTH */
const maxPasswordBytes = 60;
const authSpice = 1;
/** SPICE_COMMON_CAP_AUTH_SPICE as SpiceLinkAuthMechanism, and 128 bytes of RSA. */
export const ticketBytes = 4 + 128;

/**
 * SpiceLinkAuthMechanism and SpiceLinkEncryptedTicket: RSA-OAEP with SHA-1 (RFC 8017) over the password and a closing zero. Both are what the
 * protocol prescribes; nothing else hangs on that key, which a server makes for each connection.
 */
export async function encryptTicket(publicKey: Uint8Array, password: string): Promise<Uint8Array> {
  const text = new TextEncoder().encode(`${password}\0`);
  if (text.byteLength > maxPasswordBytes + 1) throw new SpiceError(`a password has at most ${maxPasswordBytes} bytes`);
  let secret: ArrayBuffer;
  try {
    const key = await crypto.subtle.importKey('spki', publicKey.slice(), { name: 'RSA-OAEP', hash: 'SHA-1' }, false, ['encrypt']);
    secret = await crypto.subtle.encrypt({ name: 'RSA-OAEP' }, key, text);
  } catch {
    throw new SpiceError('the key in the link reply is none');
  }
  if (secret.byteLength !== ticketBytes - 4)
    throw new SpiceError(`the key in the link reply has ${secret.byteLength * 8} bits and not 1024`);
  const bytes = new Uint8Array(ticketBytes);
  bytes[0] = authSpice;
  bytes.set(new Uint8Array(secret), 4);
  return bytes;
}
