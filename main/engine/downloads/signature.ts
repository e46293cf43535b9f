/** Checks the signatures of an entry of the list, each kind in its own way. */
import type { SignatureRule } from './catalogue-entry.ts';
import { canCheckOpenPgp, checkOpenPgp } from './openpgp-signature.ts';
import type { SignatureCheck, SignatureVerdict } from './signature-check.ts';
import { canCheckSignify, checkSignify } from './signify-signature.ts';

/** Whether a signature of `rule` could be checked here at all: then one that cannot be had is a failure and not a shrug. */
export function canCheckSignature(rule: SignatureRule, keyringsFolder: string): Promise<boolean> {
  return rule.kind === 'openpgp' ? canCheckOpenPgp(rule, keyringsFolder) : canCheckSignify(rule, keyringsFolder);
}

/** @param rule with its places filled in. @throws Failure `download/signature-bad` when the signature is wrong or is that of somebody else. */
export function checkSignature({ rule, ...check }: SignatureCheck & { rule: SignatureRule }): Promise<SignatureVerdict> {
  return rule.kind === 'openpgp' ? checkOpenPgp(rule, check) : checkSignify(rule, check);
}
