import { expect, test } from 'vitest';
import { checkSetup, shownHostname, usualSetup } from './setup-draft.ts';

const key = `ssh-ed25519 ${'A'.repeat(68)} ann@desk`;
const draft = { ...usualSetup('de-DE', 'Europe/Berlin'), userName: 'ann', password: 'secret' };

test('what was typed becomes what the engine takes', () => {
  const { form, notes } = checkSetup(
    { ...draft, sshKeys: `\n${key}\n\n  ${key}-two `, packages: 'git,  vim\nhtop' },
    'Web 1',
    'cloud-init',
    null,
  );
  expect(notes).toEqual([]);
  expect(form).toEqual({
    hostname: 'web-1',
    user: { name: 'ann', fullName: '', password: 'secret', sshKeys: [key, `${key}-two`] },
    locale: 'de_DE.UTF-8',
    keyboard: { layout: 'de', variant: '' },
    timeZone: 'Europe/Berlin',
    packages: ['git', 'vim', 'htop'],
  });
});

test('what does not fit is a note at its field, and nothing is sent', () => {
  const { form, notes } = checkSetup({ ...draft, userName: 'Ann B', timeZone: 'Berlin!' }, 'Web', 'preseed', null);
  expect(form).toBeNull();
  expect(notes.map(({ path, severity }) => `${path} ${severity}`).sort()).toEqual(['setup.timeZone problem', 'setup.user.name problem']);
});

test('a user who could not sign in is a problem until there is a password or a key', () => {
  const nobody = { ...draft, password: '' };
  expect(checkSetup(nobody, 'Web', 'kickstart', null).notes).toMatchObject([{ path: 'setup.user.password', severity: 'problem' }]);
  expect(checkSetup({ ...nobody, sshKeys: key }, 'Web', 'kickstart', null).form).not.toBeNull();
});

test('for Windows the host name is short, and what Windows does not take is not sent', () => {
  const name = 'A guest with a long name';
  expect(shownHostname(draft, name, 'autounattend')).toBe('a-guest-with-a');
  const { form, notes } = checkSetup({ ...draft, sshKeys: key }, name, 'autounattend', null);
  expect(notes).toEqual([]);
  expect(form).toMatchObject({ hostname: 'a-guest-with-a', packages: [], user: { sshKeys: [] } });
});
