import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { isSignedBy, parseEd25519Key, parseEd25519Signature } from './ed25519-signature.ts';

// Made by signify 31 (-G, -S and -S -e) and minisign 0.11 (-G -W, -S and -S -l).
const message =
  'SHA256 (install80.iso) = ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb\n' +
  'SHA256 (bsd.rd) = 3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d\n';
const signifyKey = 'untrusted comment: test makers public key\nRWR6B1uXJIbW0XyYAu0AtJZE3pTO6iNAGzae84wBe3p/DrcWRVqyeDGP\n';
const otherKey = 'untrusted comment: signify public key\nRWRKN7JU6OUvPBxiJmT4TvdQkujISEFAGB/ghnQjKI0mlBVYfF/kH1XI\n';
const detached =
  'untrusted comment: verify with makers.pub\n' +
  'RWR6B1uXJIbW0YHNaKpdsRbfSfjV2uylOq7pEsI9BQg6os4DX7EMTKAb+GHHmQLkcuf9IbX0v/Xd0KIQNehSrUmDfgrJa230BQo=\n';
const minisignKey = 'untrusted comment: minisign public key 4EDD4AA5C62800EC\nRWTsACjGpUrdTnMt0eiNHExK8XY++lJnKMm0yBKs9xlFGWKTStLqUVGM\n';
const minisig =
  'untrusted comment: signature from minisign secret key\n' +
  'RUTsACjGpUrdTrtRqlvvE4UauzuDRqaZagys85eUQ34xkDMB/ivnShI5QvFHFtObUHsyE6svMSSVTDuh/22cPThjerkvN6nb1Qk=\n' +
  'trusted comment: timestamp:1 file:SHA256\n' +
  '2hDgRQx8shv/J5aDMHIOM48Rt9B13PqmMiaWhtTwvQ3GbLOzu24fBjhMGUrP2N0Z5nJLpgrjZxBjSt4CBbZ2Cw==\n';
const legacyMinisig =
  'untrusted comment: signature from minisign secret key\n' +
  'RWTsACjGpUrdTnIo1GM530Ymxk9fzQh+csvOrwv28L5vZq8zBKHi+Q8rZT/IequXGEWLE3bir44p3Z//mFKTO5L//uknqKQrnw4=\n' +
  'trusted comment: timestamp:1795645308\tfile:SHA256\n' +
  '51pmsXntuKSyiqG2YOqIoREb1dx2VrUEPZ0M773Q7nwfEgGioWNGJluZxW/WtCxT4hzelI/xG92zLZa2ZtqbDA==\n';

/** Whether the signature, in place or detached, is the key's over `text`. */
function isGood(keyText: string, signatureText: string, text: string): boolean {
  const key = parseEd25519Key(keyText);
  const signature = parseEd25519Signature(Buffer.from(signatureText));
  if (!key || !signature) return false;
  const content = signature.message ?? Buffer.from(text);
  return isSignedBy(key, signature, signature.hashed ? createHash('blake2b512').update(content).digest() : content);
}

test.each([
  ['signify, detached', signifyKey, detached],
  ['signify, in place', signifyKey, detached + message],
  ['minisign over a hash', minisignKey, minisig],
  ['minisign over the whole', minisignKey, legacyMinisig],
])('a signature of %s is good over what was signed and nothing else', (_kind, key, signature) => {
  expect(isGood(key, signature, message)).toBe(true);
  expect(isGood(key, signature.replace('install80', 'install81'), message.replace('install80', 'install81'))).toBe(false);
  expect(isGood(otherKey, signature, message)).toBe(false);
});

test('a key alone is the second line of its file, and its name is what minisign shows', () => {
  const [, line = ''] = minisignKey.split('\n');
  expect(parseEd25519Key(line)?.name).toBe('4EDD4AA5C62800EC');
  expect(isGood(line, minisig, message)).toBe(true);
});

test('the comment that minisign signs as well cannot be changed', () => {
  expect(isGood(minisignKey, minisig.replace('timestamp:1 ', 'timestamp:2 '), message)).toBe(false);
  expect(parseEd25519Signature(Buffer.from(minisig))?.comment?.text).toBe('timestamp:1 file:SHA256');
});

test('a key that has taken the name of another signs nothing', () => {
  const bytes = Buffer.from(otherKey.split('\n')[1] ?? '', 'base64');
  Buffer.from(signifyKey.split('\n')[1] ?? '', 'base64').copy(bytes, 2, 2, 10);
  expect(parseEd25519Key(bytes.toString('base64'))?.name).toBe(parseEd25519Key(signifyKey)?.name);
  expect(isGood(bytes.toString('base64'), detached, message)).toBe(false);
});

const [, signatureLine = ''] = detached.split('\n');
test.each([
  ['nothing', ''],
  ['one line', signatureLine],
  ['no comment', `${signatureLine}\n${signatureLine}\n`],
  ['another algorithm', detached.replace('RWR6', 'RXR6')],
  ['too short', detached.replace('RWR6B1uX', 'RWR6')],
  ['too long', detached.replace('=\n', 'AAAA\n')],
  ['other letters in it', detached.replace('RWR6', 'RW R6')],
  ['a line without an end', `untrusted comment: ${'x'.repeat(100_000)}`],
  ['bytes that are no text', Buffer.alloc(200, 0xff).toString('latin1')],
  ['minisign cut off', minisig.slice(0, minisig.indexOf('2hDg'))],
  ['more after minisign’s end', `${minisig}${message}`],
  ['far too much', `${detached}${'x'.repeat(5 * 1024 * 1024)}`],
])('%s is no signature', (_what, text) => {
  expect(parseEd25519Signature(Buffer.from(text))).toBeNull();
});

test.each([
  ['nothing', ''],
  ['a signature', detached],
  ['a secret key’s first letters', 'RWRCSwAAAADzJBHp'],
  ['two keys', signifyKey + otherKey],
  ['something before it', `RW\n${signifyKey.split('\n')[1]}`],
])('%s is no key', (_what, text) => {
  expect(parseEd25519Key(text)).toBeNull();
});
