/** Finds a file's digest in what distributions publish beside their images. Pure. */
import { basename } from 'node:path';

export type DigestAlgorithm = 'sha256' | 'sha512';
export type Digest = { algorithm: DigestAlgorithm; value: string };

const digits: Record<DigestAlgorithm, number> = { sha256: 64, sha512: 128 };

/**
 * Reads the forms in use: "<digest>  <name>" and "<digest> *<name>" (coreutils), "SHA256 (<name>) = <digest>" (BSD, Fedora), and a file with
 * nothing but a digest. Lines that are none of these (comments, the frame of a clear-signed message) are passed over.
 * @param names `single` takes the only digest of that length whatever its name.
 * @returns lower-case hexadecimal, or null when it is not there or two lines contradict each other.
 */
export function parseChecksum(text: string, fileName: string, algorithm: DigestAlgorithm, names: 'file' | 'single'): string | null {
  const length = digits[algorithm];
  const found = new Set<string>();
  for (const line of text.split(/\r?\n/)) {
    const sum = parseLine(line.trim(), algorithm, length);
    if (sum && (names === 'single' || sum.name === null || basename(sum.name) === fileName)) found.add(sum.digest);
  }
  const [only] = found;
  return found.size === 1 ? (only ?? null) : null;
}

function parseLine(line: string, algorithm: DigestAlgorithm, length: number): { digest: string; name: string | null } | null {
  const plain = /^([0-9a-fA-F]+)(?:\s+\*?(\S.*))?$/.exec(line);
  if (plain?.[1]?.length === length) return { digest: plain[1].toLowerCase(), name: plain[2] ?? null };
  const tagged = /^([A-Z0-9-]+) \((.+)\) = ([0-9a-fA-F]+)$/.exec(line);
  if (tagged?.[1]?.replace('-', '').toLowerCase() === algorithm && tagged[3]?.length === length)
    return { digest: tagged[3].toLowerCase(), name: tagged[2] ?? null };
  return null;
}
