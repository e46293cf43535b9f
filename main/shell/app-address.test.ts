import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isAllowedOutside, isAppAddress, parseAppAddress } from './app-address.ts';

const root = '/app/out/renderer';
const file = (path: string) => ({ kind: 'file', path: `${root}${path}` });

test('a route of the window is answered with the page, and a file with itself', () => {
  for (const route of ['/', '/library', '/guests/g000000000/console', '/new/iso?path=%2Fa%2Fb.iso', '/images#x'])
    expect(parseAppAddress(`app://guesthouse${route}`, root)).toEqual(file('/index.html'));
  expect(parseAppAddress('app://guesthouse/assets/index-abc.js', root)).toEqual(file('/assets/index-abc.js'));
  expect(parseAppAddress('app://guesthouse/vendor/spice-html5/src/main.js', root)).toEqual(file('/vendor/spice-html5/src/main.js'));
});

test('no address leads out of the folder of pages', () => {
  const hostile = [
    'app://guesthouse/../../etc/passwd.txt',
    'app://guesthouse/%2e%2e/%2e%2e/etc/passwd.txt',
    'app://guesthouse/..%2f..%2fetc%2fpasswd.txt',
    'app://guesthouse/a/..%5c..%5cpasswd.txt',
    'app://guesthouse//etc/passwd.txt',
    'app://guesthouse/%00.txt',
    'app://guesthouse/.stamp.txt',
    'app://guesthouse/a/.hidden.js',
    'app://guesthouse/c:/x.txt',
    'app://guesthouse/%ff%fe.txt',
  ];
  for (const address of hostile) {
    const parsed = parseAppAddress(address, root);
    if (parsed.kind === 'file') expect(parsed.path.startsWith(`${root}/`)).toBe(true);
    else expect(parsed.kind).toBe('none');
  }
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('..', '%2e%2e', '%2f', '%5c', '/', 'a', '.', '%00', '~', 'etc', '.js', '?', '#', ':')),
      (parts) => {
        const parsed = parseAppAddress(`app://guesthouse/${parts.join('')}`, root);
        return parsed.kind !== 'file' || (parsed.path.startsWith(`${root}/`) && !parsed.path.includes('/..'));
      },
    ),
  );
});

test('only our own host is answered', () => {
  for (const address of ['app://evil/index.html', 'app://guesthouse.evil/', 'app://user@guesthouse/', 'https://guesthouse/', 'nonsense'])
    expect(parseAppAddress(address, root).kind).toBe('none');
  expect(isAppAddress('app://guesthouse/library')).toBe(true);
  for (const address of ['app://evil/', 'https://guesthouse/', 'file:///app/out/renderer/index.html', 'about:blank', 'data:text/html,x'])
    expect(isAppAddress(address)).toBe(false);
});

test('a picture of a guest is asked for by its id and nothing else', () => {
  const screen = (rest: string) => parseAppAddress(`app://guesthouse/engine/guests/${rest}`, root);
  expect(screen('g000000000/screen.png?maxAgeMs=250')).toEqual({ kind: 'screen', guest: 'g000000000', maxAgeMs: 250 });
  expect(screen('g000000000/screen.png')).toMatchObject({ kind: 'screen', maxAgeMs: 5000 });
  for (const rest of [
    'g1/screen.png',
    'g000000000/screen.png?maxAgeMs=-1',
    'g000000000/screen.png?maxAgeMs=1e9',
    '..%2fx/screen.png',
    'g000000000/disk.png',
  ])
    expect(screen(rest).kind).toBe('none');
});

test('only known https hosts are opened in the browser', () => {
  expect(isAllowedOutside('https://www.spice-space.org/download.html')).toBe(true);
  for (const address of [
    'http://www.spice-space.org/',
    'https://evil.example/',
    'https://www.spice-space.org.evil.example/',
    'https://a@www.spice-space.org/',
    'https://www.spice-space.org:444/',
    'file:///etc/passwd',
    'smb://x/y',
    'x',
  ])
    expect(isAllowedOutside(address)).toBe(false);
});
