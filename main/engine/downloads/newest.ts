/** Finds out which file an entry of the list stands for today, and what that file must be. */
import { basename } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Failure } from '../../../contract/errors.ts';
import { type CatalogueEntry, catalogueEntry, type FileSource, type LookUp, type SignatureRule } from './catalogue-entry.ts';
import { type Digest, parseChecksum } from './checksums.ts';
import { type Http, HttpProblem, hostOf } from './http.ts';
import { type FilePlan, safeFileName } from './kept-download.ts';
import { canCheckSignature, checkSignature } from './signature.ts';

type Names = Record<string, string>;
type Deps = { http: Http; keyringsFolder: string; signal: AbortSignal };

/** A server of a list may be of two minds about the newest version while it is being copied to. */
const candidatesTried = 4;
const secondRoundAfterMs = 500;

/** @throws Failure `download/unreachable`, `download/version-unknown`, `download/checksum-missing`, `download/signature-bad` */
export async function findNewest(wanted: CatalogueEntry, deps: Deps): Promise<FilePlan> {
  const entry = catalogueEntry.parse(wanted);
  const { source } = entry;
  if (source.kind !== 'file')
    throw new Failure('download/page-only', `“${entry.name}” is not downloaded here: ${source.url} says how to get it.`);
  const names = await resolveNames(source, source.newest, {}, deps);
  if (!names) {
    throw new Failure(
      'download/version-unknown',
      `The newest version of “${entry.name}” could not be found on ${hostOf(source.bases[0] ?? '')}.`,
      {
        hint: `Its makers may have moved it. Get it from ${entry.homepage} and import it.`,
      },
    );
  }
  const place = fill(source.file, names);
  const fileName = basename(new URL(place, source.bases[0]).pathname);
  const { digest, proof, proofText } = await proofOf(entry.name, source, names, fileName, deps);
  return {
    urls: addressesOf(source, place),
    fileName: safeFileName(fileName),
    signatureUrls:
      source.signature?.over === 'file' && source.signature.place ? addressesOf(source, fill(source.signature.place, names)) : [],
    version: names.point ?? names.version ?? null,
    digest,
    proof,
    proofText,
  };
}

/** Goes down the look-ups, the greatest version first; null when none of the candidates leads to the end. */
async function resolveNames(source: FileSource, lookUps: readonly LookUp[], names: Names, deps: Deps): Promise<Names | null> {
  const [first, ...rest] = lookUps;
  if (!first) return names;
  const page = await readPlace(source, fill(first.page, names), deps);
  if (page === null) return null;
  for (const candidate of candidatesOf(page.text, first.pattern).slice(0, candidatesTried)) {
    const found = await resolveNames(source, rest, { ...names, ...candidate }, deps);
    if (found) return found;
  }
  return null;
}

function candidatesOf(text: string, pattern: string): Names[] {
  const found = new Map<string, Names>();
  for (const { groups = {} } of text.matchAll(new RegExp(pattern, 'gm'))) {
    const names = Object.fromEntries(Object.entries(groups).filter((pair): pair is [string, string] => pair[1] !== undefined));
    found.set(JSON.stringify(names), names);
  }
  return [...found.values()].sort((one, other) => compareVersions(rankOf(other), rankOf(one)));
}

function rankOf(names: Names): string {
  return names.point ?? names.version ?? Object.values(names)[0] ?? '';
}

/** By the numbers in them, from left to right: 9.10 is newer than 9.9. */
export function compareVersions(one: string, other: string): number {
  const [ours, theirs] = [one, other].map((version) => (version.match(/\d+/g) ?? []).map(Number));
  for (let index = 0; index < Math.max(ours?.length ?? 0, theirs?.length ?? 0); index += 1) {
    const difference = (ours?.[index] ?? -1) - (theirs?.[index] ?? -1);
    if (difference !== 0) return difference;
  }
  return 0;
}

function addressesOf(source: FileSource, place: string): string[] {
  return [...new Set(source.bases.map((base) => new URL(place, base).href))];
}

function fill(place: string, names: Names): string {
  return place.replace(/\{(\w+)\}/g, (whole, name: string) => names[name] ?? whole);
}

/** A rule with the names in its places, and in the name of its key. */
function filled(rule: SignatureRule, names: Names): SignatureRule {
  const place = rule.place === null ? null : fill(rule.place, names);
  return rule.kind === 'openpgp' ? { ...rule, place } : { ...rule, place, keyName: fill(rule.keyName, names) };
}

/** A small file from the first server that has it; null when those that answer do not have it. @throws Failure `download/unreachable` */
async function readPlace(source: FileSource, place: string, { http, signal }: Deps): Promise<{ text: string; host: string } | null> {
  const problems: HttpProblem[] = [];
  for (const round of [1, 2]) {
    for (const base of source.bases) {
      const url = new URL(place, base).href;
      try {
        return { text: await http.text(url, signal), host: hostOf(url) };
      } catch (thrown) {
        if (!(thrown instanceof HttpProblem)) throw thrown;
        if (thrown.status === 404 || thrown.status === 410) return null;
        problems.push(thrown);
      }
    }
    if (round === 1 && problems.some((problem) => problem.transient)) await pause(secondRoundAfterMs, undefined, { signal });
    else break;
  }
  throw unreachable(problems);
}

/** None of the servers could be asked. */
export function unreachable(problems: readonly HttpProblem[]): Failure {
  const messages = [...new Set(problems.map((problem) => problem.message))];
  const redirect = problems.find((problem) => problem.kind === 'redirect');
  if (redirect && problems.every((problem) => !problem.transient))
    return new Failure('download/redirect-refused', redirect.message, { hint: 'Download it with a browser, look at it, and import it.' });
  return new Failure('download/unreachable', messages[0] ?? 'No server could be reached.', {
    hint: 'Check the network, and the proxy in the settings. What was received is kept: start the download again to go on with it.',
    ...(messages.length > 1 ? { detail: messages.join('\n') } : {}),
  });
}

type Proof = Pick<FilePlan, 'digest' | 'proof' | 'proofText'>;

async function proofOf(name: string, source: FileSource, names: Names, fileName: string, deps: Deps): Promise<Proof> {
  const { checksum } = source;
  const signature = source.signature && filled(source.signature, names);
  if (!checksum) {
    return { digest: null, proof: 'none', proofText: 'Its makers publish no checksum; only the server’s certificate speaks for it.' };
  }
  if (checksum.kind === 'fixed') {
    const digest: Digest = { algorithm: checksum.algorithm, value: checksum.digest };
    return { digest, proof: 'checksum', proofText: 'Checked by the checksum that the list of downloads holds.' };
  }
  const place = fill(checksum.place, names);
  const page = await readPlace(source, place, deps);
  if (!page) throw missing(name, place);
  let { text } = page;
  let signed: Pick<Proof, 'proof' | 'proofText'> = {
    proof: 'checksum',
    proofText: `Checked by the checksum from ${page.host}; its makers do not sign it.`,
  };
  if (signature?.over === 'checksums') {
    const detached = signature.place === null ? null : await firstBytes(addressesOf(source, signature.place), deps);
    if (signature.place !== null && detached === null) {
      if (await canCheckSignature(signature, deps.keyringsFolder)) throw noSignature(name);
      signed = { proof: 'checksum', proofText: `Checked by the checksum from ${page.host} only: its signature could not be fetched.` };
    } else {
      const verdict = await checkSignature({
        rule: signature,
        keyringsFolder: deps.keyringsFolder,
        signed: { text },
        signature: detached,
        what: `the checksums of “${name}”`,
        signal: deps.signal,
      });
      if (verdict.state === 'good') {
        // Of a message that is signed in place only that counts which is within the signature.
        text = verdict.text ?? text;
        signed = {
          proof: 'signature',
          proofText: `The checksum from ${page.host} is signed with the key ${verdict.by}, and the signature is good.`,
        };
      } else {
        signed = {
          proof: 'checksum',
          proofText: `Checked by the checksum from ${page.host} only: its signature was not, since ${verdict.because}.`,
        };
      }
    }
  } else if (signature) {
    signed = { proof: 'checksum', proofText: `Checked by the checksum from ${page.host}.` };
  }
  const value = parseChecksum(text, fileName, checksum.algorithm, checksum.names);
  if (value === null) throw missing(name, place);
  return { digest: { algorithm: checksum.algorithm, value }, ...signed };
}

/** A small file from the first of several addresses that gives it; null when none does. */
async function firstBytes(urls: readonly string[], { http, signal }: Deps): Promise<Buffer | null> {
  for (const url of urls) {
    try {
      return await http.bytes(url, signal);
    } catch (thrown) {
      if (!(thrown instanceof HttpProblem)) throw thrown;
    }
  }
  return null;
}

/**
 * Checks the signature over the file itself, for an entry that has one; answers what is known then.
 * @throws Failure `download/signature-bad`
 */
export async function checkFileSignature(wanted: CatalogueEntry, plan: FilePlan, file: string, deps: Deps): Promise<FilePlan> {
  const { name, source } = catalogueEntry.parse(wanted);
  if (source.kind !== 'file' || source.signature?.over !== 'file' || plan.signatureUrls.length === 0) return plan;
  const unchecked = (because: string): FilePlan => ({ ...plan, proofText: `${plan.proofText} Its signature was not checked: ${because}.` });
  const rule = source.signature;
  if (!(await canCheckSignature(rule, deps.keyringsFolder)))
    return unchecked('gpgv or a keyring with its makers’ key is not on this computer');
  const signature = await firstBytes(plan.signatureUrls, deps);
  if (signature === null) {
    // A checksum that the list itself holds says no less than the signature would.
    if (source.checksum?.kind === 'fixed') return unchecked('it could not be fetched');
    throw noSignature(name);
  }
  const verdict = await checkSignature({
    rule,
    keyringsFolder: deps.keyringsFolder,
    signed: { file },
    signature,
    what: `“${name}”`,
    signal: deps.signal,
  });
  if (verdict.state === 'unchecked') return unchecked(verdict.because);
  return {
    ...plan,
    proof: 'signature',
    proofText: `${plan.proofText} It is signed with the key ${verdict.by}, and the signature is good.`,
  };
}

function noSignature(name: string): Failure {
  return new Failure('download/signature-bad', `The signature of “${name}” could not be fetched.`, {
    hint: 'Try again later. Its makers’ key is known here, so it is not taken without.',
  });
}

function missing(name: string, place: string): Failure {
  return new Failure('download/checksum-missing', `The checksum of “${name}” is not where its makers publish it (${place}).`, {
    hint: 'Try again later: they may be publishing a new version right now.',
  });
}
