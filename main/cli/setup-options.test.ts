import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { setupOf } from './setup-options.ts';

const key = `ssh-ed25519 ${'A'.repeat(68)}`;
const german = { LANG: 'de_CH.UTF-8' };

function file(content: string): string {
  const folder = mkdtempSync('/tmp/gh-key-');
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'id_ed25519.pub');
  writeFileSync(path, content);
  return path;
}

test('what is not given is taken from the guest’s name and from this computer', () => {
  expect(setupOf({ user: 'ann', sshKey: [file(`# mine\n${key} ann@desk\n\n${key} ann@lap\n`)] }, 'Web Server (2)', german)).toEqual({
    hostname: 'web-server-2',
    user: { name: 'ann', fullName: '', password: null, sshKeys: [`${key} ann@desk`, `${key} ann@lap`] },
    locale: 'de_CH.UTF-8',
    keyboard: { layout: 'ch', variant: '' },
    timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    packages: [],
  });
});

test('without any of the options nothing is set up, and without a user nothing can be', () => {
  expect(setupOf({}, 'Web', german)).toBeNull();
  expect(() => setupOf({ hostname: 'web' }, 'Web', german)).toThrow(/--user/);
});

test('what does not fit is named by its option', () => {
  const refused = (more: object) => () => setupOf({ user: 'ann', ...more }, 'Web', german);
  expect(refused({ user: 'root' })).toThrow(/^--user: /);
  expect(refused({ timeZone: 'Berlin!' })).toThrow(/^--time-zone: /);
  expect(refused({ keyboard: 'de:no such' })).toThrow(/^--keyboard: /);
  expect(refused({ package: ['a b'] })).toThrow(/^--package: /);
  expect(refused({ sshKey: [file('nonsense')] })).toThrow(/^--ssh-key: /);
  expect(refused({ sshKey: ['/nowhere/key.pub'] })).toThrow(/\/nowhere\/key.pub could not be read/);
});

test('a private key is refused before anything of it is sent', () => {
  const path = file('-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n-----END OPENSSH PRIVATE KEY-----\n');
  expect(() => setupOf({ user: 'ann', sshKey: [path] }, 'Web', german)).toThrow(/is a private key/);
});
