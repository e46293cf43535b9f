/** Checks signatures of signify and minisign. That needs no tool, and the keys of the list's makers are in the list. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Failure } from '../../../contract/errors.ts';
import type { SignatureRule } from './catalogue-entry.ts';
import { type Ed25519Key, type Ed25519Signature, isSignedBy, parseEd25519Key, parseEd25519Signature } from './ed25519-signature.ts';
import type { SignatureCheck, SignatureVerdict } from './signature-check.ts';

type SignifyRule = Extract<SignatureRule, { kind: 'signify' }>;

/** A signature over the file and not its hash needs all of it at once. Makers sign only lists so. */
const wholeFileMaxBytes = 64 * 1024 * 1024;

/** Whether the key is in the list, in the user's folder, or where its system keeps such keys. */
export async function canCheckSignify(rule: SignifyRule, keyringsFolder: string): Promise<boolean> {
  return (await keyOf(rule, keyringsFolder)) !== null;
}

/** @throws Failure `download/signature-bad`, also for what is no signature at all */
export async function checkSignify(
  rule: SignifyRule,
  { keyringsFolder, signed, signature, what, signal }: SignatureCheck,
): Promise<SignatureVerdict> {
  const key = await keyOf(rule, keyringsFolder);
  if (!key) return { state: 'unchecked', because: `the key ${rule.keyName} is neither in the list of downloads nor on this computer` };
  const inPlace = signature === null;
  const bytes = signature ?? ('text' in signed ? Buffer.from(signed.text, 'utf8') : Buffer.alloc(0));
  const found = parseEd25519Signature(bytes);
  if (!found || (found.message !== null) !== inPlace) throw bad(what, 'It is not in a form that is known.');
  const message = await signedBytes(found, signed, what, signal);
  if (!isSignedBy(key, found, message)) throw bad(what, `It is said to be of the key ${found.keyName}; ${rule.keyName} is ${key.name}.`);
  return { state: 'good', by: rule.keyName, text: found.message?.toString('utf8') ?? null };
}

/** What the signature is over: the content, or its hash. */
async function signedBytes(
  { message, hashed }: Ed25519Signature,
  signed: SignatureCheck['signed'],
  what: string,
  signal: AbortSignal,
): Promise<Buffer> {
  const hash = createHash('blake2b512');
  if (message === null && 'file' in signed) {
    if (hashed) await pipeline(createReadStream(signed.file, { highWaterMark: 1024 * 1024 }), hash, { signal });
    else if ((await stat(signed.file)).size > wholeFileMaxBytes)
      throw bad(what, 'It is of an old kind, which is not used for files so large.');
    return hashed ? hash.digest() : readFile(signed.file, { signal });
  }
  const content = message ?? Buffer.from('text' in signed ? signed.text : '', 'utf8');
  return hashed ? hash.update(content).digest() : content;
}

async function keyOf({ keyName, keys, folders }: SignifyRule, ownFolder: string): Promise<Ed25519Key | null> {
  const listed = keys[keyName];
  if (listed !== undefined) return parseEd25519Key(listed);
  for (const folder of [ownFolder, ...folders]) {
    const text = await readFile(join(folder, keyName), 'utf8').catch(() => null);
    const key = text === null ? null : parseEd25519Key(text);
    if (key) return key;
  }
  return null;
}

function bad(what: string, detail: string): Failure {
  return new Failure('download/signature-bad', `The signature of ${what} is not one of its makers.`, {
    hint: 'Nothing of it was kept. Try again later; if it stays so, tell the makers.',
    detail,
  });
}
