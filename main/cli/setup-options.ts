/** Options that say how a new system is set up by itself, for the commands that take them. */
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { type SetupForm, setupForm, suggestHostname, suggestRegion } from '../../contract/answers.ts';
import { Failure } from '../../contract/errors.ts';
import { collect } from './values.ts';

export type SetupOptions = {
  user?: string;
  fullName?: string;
  passwordStdin?: boolean;
  sshKey?: string[];
  hostname?: string;
  locale?: string;
  keyboard?: string;
  timeZone?: string;
  package?: string[];
};

export function addSetupOptions(command: Command): Command {
  return command
    .option('--user <name>', 'set the system up by itself, with this user')
    .option('--full-name <name>', 'full name of the user')
    .option('--password-stdin', 'read the user’s password from standard input (its first line)')
    .option('--ssh-key <file>', 'file with public SSH keys of the user, repeatable', collect)
    .option('--hostname <name>', 'host name (default: after the guest’s name)')
    .option('--locale <locale>', 'language and country, as in de_DE.UTF-8 (default: yours)')
    .option('--keyboard <layout>', 'keyboard, as in de or de:nodeadkeys')
    .option('--time-zone <zone>', 'time zone, as in Europe/Berlin (default: yours)')
    .option('--package <name>', 'a package to install, repeatable', collect);
}

/** Null when nothing of it was asked for. @throws Failure `call/invalid-input` naming the option. */
export function setupOf(options: SetupOptions, name: string, environment: NodeJS.ProcessEnv = process.env): SetupForm | null {
  const { user, fullName, passwordStdin, sshKey, hostname, locale, keyboard, timeZone, package: packages } = options;
  if (user === undefined) {
    const given = { fullName, passwordStdin, sshKey, hostname, locale, keyboard, timeZone, package: packages };
    if (Object.values(given).every((value) => value === undefined)) return null;
    throw new Failure('call/invalid-input', 'To set a system up by itself, name its user with --user.');
  }
  const region = suggestRegion(environment.LC_ALL || environment.LANG || '');
  const [layout = '', variant = ''] = (keyboard ?? region.layout).split(':');
  const parsed = setupForm.safeParse({
    hostname: hostname ?? suggestHostname(name),
    user: {
      name: user,
      fullName: fullName ?? '',
      password: passwordStdin ? readPassword() : null,
      sshKeys: (sshKey ?? []).flatMap(readKeys),
    },
    locale: locale ?? region.locale,
    keyboard: { layout, variant },
    timeZone: timeZone ?? Intl.DateTimeFormat().resolvedOptions().timeZone,
    packages: packages ?? [],
  });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new Failure('call/invalid-input', `${optionOf(issue?.path ?? [])}: ${issue?.message}`);
}

function optionOf(path: readonly PropertyKey[]): string {
  const field = path[0] === 'user' ? String(path[1]) : String(path[0]);
  const names: Record<string, string> = {
    name: '--user',
    fullName: '--full-name',
    password: '--password-stdin',
    sshKeys: '--ssh-key',
    timeZone: '--time-zone',
    packages: '--package',
  };
  return names[field] ?? `--${field}`;
}

function readPassword(): string {
  if (process.stdin.isTTY) {
    throw new Failure('call/invalid-input', '--password-stdin reads from a pipe, so that the password is not seen.', {
      hint: 'As in: read -rs PW; echo "$PW" | guesthouse guest create … --password-stdin',
    });
  }
  return readFileSync(0, 'utf8').split(/\r?\n/)[0] ?? '';
}

/** The keys of a file as ssh-keygen and authorized_keys write them: one a line. */
function readKeys(file: string): string[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (thrown) {
    throw new Failure('call/invalid-input', `The key in ${file} could not be read.`, { detail: String(thrown) });
  }
  if (text.includes('PRIVATE KEY')) {
    throw new Failure('call/invalid-input', `${file} is a private key, which never leaves this computer.`, {
      hint: `Give ${file}.pub instead.`,
    });
  }
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}
