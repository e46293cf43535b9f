/** Checks OpenPGP signatures with gpgv, when that and a keyring with the makers' key are on this computer. */
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Failure } from '../../../contract/errors.ts';
import { lastLines, runTool } from '../host/bounded-process.ts';
import type { SignatureRule } from './catalogue-entry.ts';
import type { SignatureCheck, SignatureVerdict } from './signature-check.ts';

type OpenPgpRule = Extract<SignatureRule, { kind: 'openpgp' }>;

/** Whether gpgv and a keyring with the makers' key are on this computer. */
export async function canCheckOpenPgp(rule: OpenPgpRule, keyringsFolder: string): Promise<boolean> {
  return (await keyringsFor(rule, keyringsFolder)).length > 0 && (await hasGpgv());
}

async function hasGpgv(): Promise<boolean> {
  return (await runTool('gpgv', ['--version'], { timeoutMs: 10_000 })).status === 0;
}

/** @throws Failure `download/signature-bad` when the signature is wrong or is that of somebody else. */
export async function checkOpenPgp(
  rule: OpenPgpRule,
  { keyringsFolder, signed, signature, what, signal }: SignatureCheck,
): Promise<SignatureVerdict> {
  const keyrings = await keyringsFor(rule, keyringsFolder);
  if (keyrings.length === 0) return { state: 'unchecked', because: 'no keyring with its makers’ key is on this computer' };
  const folder = await mkdtemp(join(tmpdir(), 'gh-signature-'));
  try {
    const usable = await Promise.all(keyrings.map((path, index) => asBinaryKeyring(path, join(folder, `keyring${index}.gpg`))));
    const file = 'file' in signed ? signed.file : join(folder, 'signed');
    if ('text' in signed) await writeFile(file, signed.text, { mode: 0o600 });
    const output = join(folder, 'content');
    const files = signature === null ? ['--output', output, '--', file] : ['--', join(folder, 'signature'), file];
    if (signature !== null) await writeFile(join(folder, 'signature'), signature, { mode: 0o600 });
    const end = await runTool(
      'gpgv',
      ['--homedir', folder, '--status-fd', '1', ...usable.flatMap((path) => ['--keyring', path]), ...files],
      {
        // A whole image is read for a signature over it.
        timeoutMs: 15 * 60_000,
        maxOutputBytes: 256 * 1024,
        limits: {},
        signal,
      },
    );
    signal.throwIfAborted();
    if (end.startError) return { state: 'unchecked', because: 'gpgv is not installed' };
    const by = goodKeyOf(end.stdout, rule.fingerprints);
    if (by !== null && end.status === 0) return { state: 'good', by, text: signature === null ? await readFile(output, 'utf8') : null };
    if (/^\[GNUPG:\] (BADSIG|REVKEYSIG|VALIDSIG|EXPKEYSIG|EXPSIG|NODATA)\b/m.test(end.stdout))
      throw new Failure('download/signature-bad', `The signature of ${what} is not one of its makers.`, {
        hint: 'Nothing of it was kept. Try again later; if it stays so, tell the makers.',
        detail: lastLines(end.stderr),
      });
    return { state: 'unchecked', because: 'the key that signed it is in no keyring of this computer' };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The primary key of a good signature, if it is one of those that count. */
function goodKeyOf(status: string, fingerprints: readonly string[]): string | null {
  if (!/^\[GNUPG:\] GOODSIG /m.test(status)) return null;
  for (const [, fields = ''] of status.matchAll(/^\[GNUPG:\] VALIDSIG (.+)$/gm)) {
    const primary = fields.trim().split(' ').at(-1) ?? '';
    if (fingerprints.includes(primary)) return primary;
  }
  return null;
}

async function keyringsFor(rule: OpenPgpRule, ownFolder: string): Promise<string[]> {
  const own = (await readdir(ownFolder).catch(() => []))
    .filter((name) => /\.(gpg|asc|pgp)$/.test(name))
    .map((name) => join(ownFolder, name));
  const there = await Promise.all(
    [...own, ...rule.keyrings].map(async (path) => ((await stat(path).catch(() => null))?.isFile() ? path : null)),
  );
  return there.filter((path) => path !== null);
}

/** gpgv reads binary keyrings only; distributions also ship them as text. */
async function asBinaryKeyring(path: string, target: string): Promise<string> {
  const bytes = await readFile(path);
  if (!bytes.subarray(0, 64).toString('latin1').startsWith('-----BEGIN PGP PUBLIC KEY BLOCK')) return path;
  const blocks = bytes
    .toString('latin1')
    .matchAll(/-----BEGIN PGP PUBLIC KEY BLOCK-----\r?\n([\s\S]*?)-----END PGP PUBLIC KEY BLOCK-----/g);
  const binary = [...blocks].map(([, block = '']) => {
    // Headers end at an empty line; the last line that begins with "=" is a checksum of the text.
    const body = block.replace(/^[\s\S]*?\r?\n\r?\n/, '').replace(/^=.*$/m, '');
    return Buffer.from(body, 'base64');
  });
  await writeFile(target, Buffer.concat(binary), { mode: 0o600 });
  return target;
}
