import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openingFromArguments, parseLink } from './deep-link.ts';

test('links lead to the library, to a guest and to its console', () => {
  expect(parseLink('guesthouse://library')).toEqual({ kind: 'page', path: '/library' });
  expect(parseLink('guesthouse://guest/g0a1b2c3d4')).toEqual({ kind: 'page', path: '/guests/g0a1b2c3d4' });
  expect(parseLink('guesthouse://guest/g0a1b2c3d4/console')).toEqual({ kind: 'page', path: '/guests/g0a1b2c3d4/console' });
  expect(parseLink('guesthouse://guest/g0a1b2c3d4/console/')).toEqual({ kind: 'page', path: '/guests/g0a1b2c3d4/console' });
});

const hostileLinks = [
  'guesthouse://guest/../../settings',
  'guesthouse://guest/g0a1b2c3d4/delete',
  'guesthouse://guest/g0a1b2c3d4/console/x',
  'guesthouse://guest/g0a1b2c3d4?start=1',
  'guesthouse://guest/g0a1b2c3d4%2fconsole',
  'guesthouse://guest/<script>',
  'guesthouse://guest/g0a1b2c3d4\n',
  'guesthouse://library/x',
  'guesthouse:library',
  'guesthouse://',
  'https://guest/g0a1b2c3d4',
  `guesthouse://guest/${'g'.repeat(5000)}`,
];

test('every other link leads nowhere', () => {
  for (const link of hostileLinks) expect(parseLink(link)).toBeNull();
});

test('no link whatever leads to anything but the library, a guest and a console', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const opening = parseLink(`guesthouse://${text}`);
      return opening === null || (opening.kind === 'page' && /^\/(library|guests\/g[0-9a-z]{9}(\/console)?)$/.test(opening.path));
    }),
  );
});

test('a command line is searched for the first link or file', () => {
  expect(openingFromArguments(['--no-sandbox', '.', 'guesthouse://library'], '/d')).toEqual({ kind: 'page', path: '/library' });
  expect(openingFromArguments(['a b.iso'], '/d')).toEqual({ kind: 'page', path: '/new/iso?path=%2Fd%2Fa%20b.iso' });
  expect(openingFromArguments(['/x/disk.QCOW2'], '/d')).toEqual({ kind: 'page', path: '/new/disk?path=%2Fx%2Fdisk.QCOW2' });
  expect(openingFromArguments(['/app', '--demo', '--out=x.iso'], '/d')).toBeNull();
  expect(openingFromArguments([], '/d')).toBeNull();
});

test('a broken link and a remote desktop’s file are answered in words', () => {
  expect(openingFromArguments(['guesthouse://evil'], '/d')).toMatchObject({
    kind: 'notice',
    text: expect.stringContaining('leads to nothing'),
  });
  expect(openingFromArguments(['desk.VV'], '/d')).toMatchObject({ kind: 'notice', text: expect.stringContaining('remote desktop') });
});

test('the name of a file cannot become another page', () => {
  const opening = openingFromArguments(['/x/?#&../settings.iso'], '/d');
  expect(opening).toEqual({ kind: 'page', path: `/new/iso?path=${encodeURIComponent('/x/?#&../settings.iso')}` });
});
