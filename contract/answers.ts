/**
 * What a new system should know so that nobody has to answer its installer: one form for every system. How each installer wants to be told
 * is the business of main/engine/unattended.
 */
import { z } from 'zod';
import type { FieldNote } from './guest-creation.ts';
import type { OsIdentity } from './guest-spec.ts';

/** Files that installers and first boots read: one builder each. */
export const setupFormat = z.enum(['cloud-init', 'preseed', 'autoinstall', 'kickstart', 'autoyast', 'agama', 'autounattend']);
export type SetupFormat = z.infer<typeof setupFormat>;

/**
 * One line of text that a person may choose freely. Line breaks, control characters and halves of surrogate pairs are refused, since in an
 * answer file they could begin a line of their own.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is being refused
const freeLine = /^[^\u0000-\u001f\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]*$/;
export const oneLine = (maxLength: number) =>
  z
    .string()
    .max(maxLength)
    .refine((text) => freeLine.test(text) && text.isWellFormed(), 'A line break or another control character cannot be used here.');

/** RFC 1123: one label. */
export const hostname = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i, 'A host name has letters, digits and hyphens, 63 at most, and no hyphen at its ends.');

/** Accounts that every system has already. */
const takenUserNames = new Set(
  'root daemon bin sys sync games man lp mail news uucp proxy backup list irc nobody adm operator halt shutdown ftp wheel sudo users admin administrator guest system'.split(
    ' ',
  ),
);
export const userName = z
  .string()
  .regex(/^[a-z_][a-z0-9_-]{0,30}$/, 'A user name begins with a small letter and has small letters, digits, hyphens and underscores.')
  .refine((name) => !takenUserNames.has(name), 'The system has an account of this name already.');

/** An OpenSSH public key as it stands in authorized_keys, without options: kind, base64, comment. */
export const sshKey = oneLine(8192).refine(
  (key) =>
    /^(ssh-(ed25519|rsa)|ecdsa-sha2-nistp(256|384|521)|sk-(ssh-ed25519|ecdsa-sha2-nistp256)@openssh\.com) [A-Za-z0-9+/]{40,}={0,3}( [^"'`\\$]*)?$/.test(
      key,
    ),
  'This is no public key of SSH. It begins with its kind, as in “ssh-ed25519 AAAA…”.',
);

export const answers = z.strictObject({
  hostname,
  user: z.strictObject({
    name: userName,
    /** May be empty. A colon ends the field in /etc/passwd, a comma a part of it. */
    fullName: oneLine(120).refine((name) => !/[:,=]/.test(name), 'A full name cannot contain a colon, a comma or an equals sign.'),
    /** SHA-512 crypt, as in /etc/shadow; null: nobody gets in with a password. */
    passwordHash: z
      .string()
      .regex(/^\$6\$(rounds=\d{1,9}\$)?[./A-Za-z0-9]{1,16}\$[./A-Za-z0-9]{86}$/, 'This is no SHA-512 hash of a password (“$6$…”).')
      .nullable(),
    sshKeys: z.array(sshKey).max(16),
  }),
  /** As glibc names it. */
  locale: z.string().regex(/^[a-z]{2,3}_[A-Z]{2}\.UTF-8$/, 'A locale looks like “en_US.UTF-8”.'),
  /** As XKB names them. */
  keyboard: z.strictObject({
    layout: z.string().regex(/^[a-z]{2,12}$/, 'A keyboard layout looks like “us” or “de”.'),
    variant: z.string().regex(/^[a-z0-9_-]{0,40}$/i, 'A variant looks like “nodeadkeys”.'),
  }),
  /** As in the IANA database. */
  timeZone: z.string().regex(/^[A-Z][A-Za-z0-9_+-]{1,30}(\/[A-Z][A-Za-z0-9_+-]{1,30}){0,2}$/, 'A time zone looks like “Europe/Berlin”.'),
  packages: z.array(z.string().regex(/^[a-z0-9][a-z0-9+._-]{0,99}$/i, 'This is no name of a package.')).max(200),
});
/** What the builders of answer files get: no password in it is in clear. */
export type Answers = z.infer<typeof answers>;

const passwordMaxBytes = 255;
/** The contract sees neither Buffer nor TextEncoder. */
function utf8Bytes(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
}

/**
 * What a person fills in. The password comes in clear, once: the engine hashes it, and neither stores nor logs it. (Windows takes no hash;
 * for Windows it goes into the answer file, in the way in which Windows' own tools write it.)
 */
export const setupForm = answers.omit({ user: true }).extend({
  user: answers.shape.user.omit({ passwordHash: true }).extend({
    password: oneLine(127)
      .min(1)
      .refine((text) => utf8Bytes(text) <= passwordMaxBytes, 'This password is too long.')
      .nullable(),
  }),
});
export type SetupForm = z.infer<typeof setupForm>;

/** How a new guest can be set up by itself, as `guest.plan` says it. */
export const setupOffer = z.object({
  format: setupFormat,
  /** The installer's own kernel is started once, instead of what the medium would start. */
  startsKernel: z.boolean(),
});
export type SetupOffer = z.infer<typeof setupOffer>;

/** What is known of the answers that a guest was given; the answers themselves are on its disc and nowhere else. */
export const seedReport = z.object({
  format: setupFormat,
  madeAt: z.string(),
  /** Whether the next start is the one that installs the system. */
  firstStart: z.boolean(),
  sizeBytes: z.number().int(),
});
export type SeedReport = z.infer<typeof seedReport>;

const redHatLike = new Set(['fedora', 'rhel', 'centos', 'centos-stream', 'almalinux', 'rocky', 'ol']);

/**
 * Which answer file a system takes: from its installer when it comes as an ISO, at its first boot when it is a disk. Null: none that is
 * known. `os` is as libosinfo names it; a disk may turn out to lack cloud-init, which cannot be seen from outside.
 */
export function setupFormatOf(os: Pick<OsIdentity, 'family' | 'distro' | 'version' | 'id'>, medium: 'iso' | 'disk'): SetupFormat | null {
  const distro = os.distro ?? '';
  if (medium === 'disk') return os.family === 'linux' || os.family === 'bsd' ? 'cloud-init' : null;
  const major = Number.parseFloat(os.version ?? '');
  if (os.family === 'windows')
    return /^win(7|8|8\.1|10|11|2k8r2|2k12|2k12r2|2k16|2k19|2k22|2k25)$/.test(os.id ?? '') ? 'autounattend' : null;
  if (distro === 'debian') return 'preseed';
  // The installer that reads autoinstall came with the server edition of 20.04.
  if (distro === 'ubuntu') return Number.isNaN(major) || major >= 20.04 ? 'autoinstall' : null;
  if (redHatLike.has(distro)) return 'kickstart';
  if (distro === 'opensuse' || distro === 'sled' || distro === 'sles' || distro === 'sle') {
    // Agama replaced YaST with Leap 16 and SLES 16; Tumbleweed's installation medium still brings YaST.
    return major >= 16 && major < 42 ? 'agama' : 'autoyast';
  }
  return null;
}

/** Whether the installer takes its answers only from the command line of its kernel, so that this one has to be started directly. */
export function startsKernel(format: SetupFormat): boolean {
  return format === 'preseed' || format === 'autoinstall' || format === 'autoyast';
}

/** What of the form does not fit the system that it is for; `path`s are those of the form, below `setup`. */
export function setupNotes(format: SetupFormat, form: SetupForm, spec: { firmware: string; tpm: boolean } | null): FieldNote[] {
  const notes: FieldNote[] = [];
  const note = (severity: FieldNote['severity'], path: string, message: string, hint?: string) =>
    notes.push({ path: `setup.${path}`, severity, message, ...(hint ? { hint } : {}) });
  if (format === 'autounattend') {
    if (form.hostname.length > 15) note('problem', 'hostname', 'Windows takes host names of 15 characters at most.');
    if (/^\d+$/.test(form.hostname)) note('problem', 'hostname', 'Windows takes no host name that is only digits.');
    if (form.user.name.length > 20) note('problem', 'user.name', 'Windows takes user names of 20 characters at most.');
    if (form.user.sshKeys.length > 0) note('warning', 'user.sshKeys', 'Windows gets no SSH keys: it has no SSH server when it is new.');
    if (form.packages.length > 0) note('warning', 'packages', 'Windows gets no packages.');
    if (form.user.password === null)
      note('warning', 'user.password', 'Without a password anybody at the console of the guest can sign in.');
  } else if (form.user.password === null && form.user.sshKeys.length === 0) {
    note('problem', 'user.password', 'Nobody could sign in.', 'Give the user a password, an SSH key, or both.');
  }
  if (startsKernel(format) && spec?.firmware === 'uefi-secure')
    note(
      'problem',
      'firmware',
      'This installer’s kernel has to be started directly, and Secure Boot refuses that.',
      'Choose UEFI without Secure Boot, or answer the installer yourself.',
    );
  return notes;
}

/** A host name after the guest's own name, which may hold anything. */
export function suggestHostname(guestName: string): string {
  const label = guestName
    .normalize('NFKD')
    // An accent that stands alone now is no letter.
    .replaceAll(/\p{M}+/gu, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 63)
    .replaceAll(/^-+|-+$/g, '');
  return label === '' ? 'guest' : label;
}

/** Countries whose usual XKB layout has the country's name. */
const layoutCountries = new Set('BE BR CH CZ DE DK ES FI FR GB GR HU IT NL NO PL PT RU SE SK TR'.split(' '));

/** Locale and keyboard of a language as browsers ("de-CH") and POSIX ("de_CH.UTF-8") write it. */
export function suggestRegion(language: string): { locale: string; layout: string } {
  const [, tongue, country] = /^([a-z]{2,3})[-_]([A-Z]{2})(?![A-Za-z])/.exec(language) ?? [];
  if (!tongue || !country) return { locale: 'en_US.UTF-8', layout: 'us' };
  return { locale: `${tongue}_${country}.UTF-8`, layout: layoutCountries.has(country) ? country.toLowerCase() : 'us' };
}
