/**
 * Checks the signatures of signify (OpenBSD) and of minisign, which both are a few lines of text around one of Ed25519. Formats:
 * https://man.openbsd.org/signify and https://jedisct1.github.io/minisign/#signature-format. Pure.
 *
 * ```
 *   untrusted comment: whatever                  a public key: "Ed", 8 bytes that name it, 32 of the key
 *   base64 of 42 bytes
 *
 *   untrusted comment: whatever                  a signature: "Ed" or (minisign, over BLAKE2b-512) "ED", the key's name, 64 bytes
 *   base64 of 74 bytes
 *   trusted comment: whatever                    minisign's second one, over the first and this comment; signify's may have what is
 *   base64 of 64 bytes                           signed in place of these two
 * ```
 */
import { createPublicKey, type KeyObject, verify } from 'node:crypto';

export type Ed25519Key = { /** Its name in a signature; not a secret and not a proof. */ name: string; key: KeyObject };

export type Ed25519Signature = {
  keyName: string;
  /** It is over the BLAKE2b-512 of what is signed, so that this need not be in memory. */
  hashed: boolean;
  signature: Buffer;
  /** minisign's second signature. */
  comment: { text: string; signature: Buffer } | null;
  /** What follows a signature that is in place; null when there is nothing. */
  message: Buffer | null;
};

/** Keys and detached signatures have some hundred bytes. What is signed in place is a list of checksums. */
const textMaxBytes = 4 * 1024 * 1024;
const keyNameBytes = 8;

/** Of a file of a key, or of its second line alone. Null when it is neither. */
export function parseEd25519Key(text: string): Ed25519Key | null {
  const lines = text.slice(0, 4096).trimEnd().split(/\r?\n/);
  const [line] = lines.length === 1 ? lines : lines.length === 2 && isComment(lines[0], 'untrusted comment: ') ? lines.slice(1) : [];
  const bytes = decode(line, 2 + keyNameBytes + 32);
  if (bytes?.toString('latin1', 0, 2) !== 'Ed') return null;
  const x = bytes.subarray(2 + keyNameBytes).toString('base64url');
  try {
    return { name: nameIn(bytes), key: createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' }) };
  } catch {
    return null;
  }
}

/** Null when it is no signature of either, or has more in it than belongs there. */
export function parseEd25519Signature(bytes: Buffer): Ed25519Signature | null {
  if (bytes.length > textMaxBytes) return null;
  const first = nextLine(bytes, 0);
  const second = first && nextLine(bytes, first.next);
  if (!second || !isComment(first.text, 'untrusted comment: ')) return null;
  const main = decode(second.text, 2 + keyNameBytes + 64);
  const algorithm = main?.toString('latin1', 0, 2);
  if (!main || (algorithm !== 'Ed' && algorithm !== 'ED')) return null;
  const found = { keyName: nameIn(main), hashed: algorithm === 'ED', signature: main.subarray(2 + keyNameBytes) };
  const rest = bytes.subarray(second.next);
  if (rest.length === 0) return { ...found, comment: null, message: null };
  const third = nextLine(rest, 0);
  const trusted = 'trusted comment: ';
  if (!third || !isComment(third.text, trusted)) return { ...found, comment: null, message: rest };
  const fourth = nextLine(rest, third.next);
  const signature = decode(fourth?.text, 64);
  if (!signature || fourth?.next !== rest.length) return null;
  return { ...found, comment: { text: third.text.slice(trusted.length), signature }, message: null };
}

/**
 * Whether `signed` is what the owner of the key signed: what is signed itself, or its BLAKE2b-512 where the signature is `hashed`. Of
 * minisign the comment must be right as well.
 */
export function isSignedBy({ name, key }: Ed25519Key, { keyName, signature, comment }: Ed25519Signature, signed: Buffer): boolean {
  if (keyName !== name || !verify(null, signed, key, signature)) return false;
  return comment === null || verify(null, Buffer.concat([signature, Buffer.from(comment.text, 'utf8')]), key, comment.signature);
}

function isComment(line: string | undefined, beginning: string): boolean {
  return line?.startsWith(beginning) ?? false;
}

/** The way in which minisign writes it: the bytes from last to first. */
function nameIn(bytes: Buffer): string {
  return Buffer.from(bytes.subarray(2, 2 + keyNameBytes))
    .reverse()
    .toString('hex')
    .toUpperCase();
}

/** Exactly so many bytes in base64, or null: what Node would pass over is not passed over here. */
function decode(text: string | undefined, lengthBytes: number): Buffer | null {
  if (text === undefined || !/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return null;
  const bytes = Buffer.from(text, 'base64');
  return bytes.length === lengthBytes && bytes.toString('base64') === text ? bytes : null;
}

/** A line and where the next begins; the last one may lack its end. Null where nothing is left, or no end within reach. */
function nextLine(bytes: Buffer, start: number): { text: string; next: number } | null {
  if (start >= bytes.length) return null;
  const end = bytes.indexOf(0x0a, start);
  const stop = end < 0 ? bytes.length : end;
  if (stop - start > 4096) return null;
  return { text: bytes.toString('utf8', start, stop).replace(/\r$/, ''), next: end < 0 ? stop : stop + 1 };
}
