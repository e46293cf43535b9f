import { execFileSync, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { davClientOf } from '../../../tests/support/dav-client.ts';

/** A folder that is shared and, beside it, one that is not. */
function sharing(readOnly = false) {
  const home = mkdtempSync(join(tmpdir(), 'gh-dav-'));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  const folder = join(home, 'papers');
  const secret = join(home, 'secret');
  for (const one of [folder, secret]) mkdirSync(one);
  writeFileSync(join(secret, 'key'), 'nobody may read this');
  const shares = [{ tag: 'papers', path: folder, readOnly }];
  const client = davClientOf(() => shares);
  return { home, folder, secret, shares, ...client, seal: () => readFileSync(join(secret, 'key'), 'utf8') };
}

const destination = (path: string) => ({ destination: `http://localhost:9843${path}` });
const lockBody = (scope = 'exclusive') =>
  `<?xml version="1.0"?><D:lockinfo xmlns:D="DAV:"><D:lockscope><D:${scope}/></D:lockscope><D:locktype><D:write/></D:locktype><D:owner><D:href>ann &amp; co</D:href></D:owner></D:lockinfo>`;

test('files are written and read whole, in ranges, and as they were known', async () => {
  const { ask, folder, failures } = sharing();
  const content = randomBytes(3_000_000);
  expect(await ask('PUT', '/papers/big%20file.bin', {}, content)).toMatchObject({ status: 201 });
  expect(
    createHash('sha256')
      .update(readFileSync(join(folder, 'big file.bin')))
      .digest('hex'),
  ).toBe(createHash('sha256').update(content).digest('hex'));
  const whole = await ask('GET', '/papers/big%20file.bin');
  expect(whole.bytes.equals(content)).toBe(true);
  expect(whole.headers).toMatchObject({ 'content-type': 'application/octet-stream', 'x-content-type-options': 'nosniff' });
  const ranged = async (range: string, more = {}) => ask('GET', '/papers/big%20file.bin', { range, ...more });
  const part = await ranged('bytes=10-19');
  expect([part.status, part.headers['content-range'], part.bytes.equals(content.subarray(10, 20))]).toEqual([
    206,
    'bytes 10-19/3000000',
    true,
  ]);
  expect((await ranged('bytes=-5')).bytes.equals(content.subarray(-5))).toBe(true);
  expect((await ranged('bytes=2999990-')).bytes.equals(content.subarray(-10))).toBe(true);
  expect(await ranged('bytes=3000000-')).toMatchObject({ status: 416 });
  expect(await ranged('bytes=0-1,5-6')).toMatchObject({ status: 200 });
  expect(await ranged('bytes=0-1', { 'if-range': '"other"' })).toMatchObject({ status: 200 });
  const etag = whole.headers.etag ?? '';
  expect(await ask('GET', '/papers/big%20file.bin', { 'if-none-match': etag })).toMatchObject({ status: 304 });
  expect(await ask('HEAD', '/papers/big%20file.bin')).toMatchObject({ status: 200, text: '' });
  expect(await ask('PUT', '/papers/big%20file.bin', { 'if-match': '"other"' }, 'x')).toMatchObject({ status: 412 });
  expect(await ask('PUT', '/papers/big%20file.bin', { 'if-none-match': '*' }, 'x')).toMatchObject({ status: 412 });
  expect(await ask('PUT', '/papers/big%20file.bin', { 'if-match': etag }, 'short')).toMatchObject({ status: 204 });
  expect(await ask('PUT', '/papers/big%20file.bin', { 'content-range': 'bytes 0-1/2' }, 'xx')).toMatchObject({ status: 400 });
  expect(readFileSync(join(folder, 'big file.bin'), 'utf8')).toBe('short');
  expect(await ask('PUT', '/papers/nowhere/file', {}, 'x')).toMatchObject({ status: 409 });
  expect(await ask('PUT', '/papers', {}, 'x')).toMatchObject({ status: 403 });
  expect(await ask('GET', '/papers/none')).toMatchObject({ status: 404 });
  expect(await ask('GET', '/other/')).toMatchObject({ status: 404 });
  expect(readdirSync(folder)).toEqual(['big file.bin']);
  expect(failures).toEqual([]);
});

test('an upload that breaks off leaves what was there, and nothing of its own', async () => {
  const { raw, folder, failures } = sharing();
  writeFileSync(join(folder, 'letter'), 'the old one');
  const head = 'PUT /papers/letter HTTP/1.1\r\nhost: localhost:9843\r\ncontent-length: 1000\r\n\r\n';
  await raw(`${head}only the beginning`, true);
  expect(readFileSync(join(folder, 'letter'), 'utf8')).toBe('the old one');
  await expect.poll(() => readdirSync(folder)).toEqual(['letter']);
  expect(failures).toEqual([]);
});

test('folders are made, listed, copied, moved and removed', async () => {
  const { ask, folder, failures } = sharing();
  const list = async (path: string, depth = '1') => {
    const { status, text } = await ask('PROPFIND', path, { depth });
    expect(status).toBe(207);
    return [...text.matchAll(/<D:href>([^<]*)<\/D:href>/g)].map(([, href]) => href).sort();
  };
  expect(await ask('MKCOL', '/papers/a')).toMatchObject({ status: 201 });
  expect(await ask('MKCOL', '/papers/a')).toMatchObject({ status: 405 });
  expect(await ask('MKCOL', '/papers/x/y')).toMatchObject({ status: 409 });
  expect(await ask('MKCOL', '/papers/b', {}, 'content')).toMatchObject({ status: 415 });
  await ask('PUT', '/papers/a/%C3%BC%20%26%20%3C.txt', {}, 'umlaut');
  expect(await list('/')).toEqual(['/', '/papers/']);
  expect(await list('/papers/')).toEqual(['/papers/', '/papers/a/']);
  expect(await list('/papers/a/')).toEqual(['/papers/a/', '/papers/a/%C3%BC%20%26%20%3C.txt']);
  expect(await list('/papers/a/', '0')).toEqual(['/papers/a/']);
  expect(await ask('PROPFIND', '/papers/', { depth: 'infinity' })).toMatchObject({ status: 403 });
  expect(await ask('COPY', '/papers/a', destination('/papers/b'))).toMatchObject({ status: 201 });
  expect(readFileSync(join(folder, 'b', 'ü & <.txt'), 'utf8')).toBe('umlaut');
  expect(await ask('COPY', '/papers/a', { ...destination('/papers/c'), depth: '0' })).toMatchObject({ status: 201 });
  expect(readdirSync(join(folder, 'c'))).toEqual([]);
  expect(await ask('MOVE', '/papers/a', { ...destination('/papers/b'), overwrite: 'F' })).toMatchObject({ status: 412 });
  await ask('PUT', '/papers/a/second', {}, 'two');
  expect(await ask('MOVE', '/papers/a', destination('/papers/b'))).toMatchObject({ status: 204 });
  expect(readdirSync(join(folder, 'b')).sort()).toEqual(['second', 'ü & <.txt']);
  expect(await ask('MOVE', '/papers/b', destination('/papers/b/inside'))).toMatchObject({ status: 403 });
  expect(await ask('COPY', '/papers/b', { destination: 'http://other.example/papers/z' })).toMatchObject({ status: 502 });
  expect(await ask('MOVE', '/papers', destination('/papers/b'))).toMatchObject({ status: 403 });
  expect(await ask('DELETE', '/papers/b')).toMatchObject({ status: 204 });
  expect(await ask('DELETE', '/papers/b')).toMatchObject({ status: 404 });
  expect(await ask('DELETE', '/papers')).toMatchObject({ status: 403 });
  expect(readdirSync(folder)).toEqual(['c']);
  expect(failures).toEqual([]);
});

test('what is made is as open to others as the folder that it is in, and a file that is written over stays as it was', async () => {
  const { ask, folder } = sharing();
  chmodSync(folder, 0o775);
  await ask('PUT', '/papers/letter', {}, 'x');
  await ask('MKCOL', '/papers/sub');
  const mode = (name: string) => (statSync(join(folder, name)).mode & 0o777).toString(8);
  expect([mode('letter'), mode('sub')]).toEqual(['664', '775']);
  chmodSync(join(folder, 'letter'), 0o640);
  await ask('PUT', '/papers/letter', {}, 'y');
  expect(mode('letter')).toBe('640');
});

test('a folder that may only be read is read, and nothing in it is changed', async () => {
  const { ask, folder } = sharing(true);
  mkdirSync(join(folder, 'a'));
  writeFileSync(join(folder, 'song'), 'la la');
  expect(await ask('GET', '/papers/song')).toMatchObject({ status: 200, text: 'la la' });
  const tries: [string, string, Record<string, string>?, string?][] = [
    ['PUT', '/papers/song', {}, 'silence'],
    ['PUT', '/papers/new', {}, 'x'],
    ['DELETE', '/papers/song'],
    ['DELETE', '/papers/a'],
    ['MKCOL', '/papers/b'],
    ['MOVE', '/papers/song', destination('/papers/a/song')],
    ['COPY', '/papers/song', destination('/papers/other')],
    ['LOCK', '/papers/new', {}, lockBody()],
    ['PROPPATCH', '/papers/song', {}, '<propertyupdate xmlns="DAV:"/>'],
  ];
  for (const [method, path, headers, body] of tries) {
    expect([method, (await ask(method, path, headers, body)).status]).toEqual([method, 403]);
  }
  expect(execFileSync('find', [folder, '-printf', '%P '], { encoding: 'utf8' }).split(' ').sort().join(' ').trim()).toBe('a song');
});

test('no name and no link leads out of the folder', async () => {
  const { ask, raw, folder, secret, seal, failures } = sharing();
  symlinkSync(secret, join(folder, 'way'));
  symlinkSync(join(secret, 'key'), join(folder, 'link'));
  symlinkSync('/dev/zero', join(folder, 'zero'));
  execFileSync('mkfifo', [join(folder, 'pipe')]);
  mkdirSync(join(folder, 'sub'));
  symlinkSync('../../secret', join(folder, 'sub', 'up'));
  const paths = [
    '/papers/way/key',
    '/papers/link',
    '/papers/zero',
    '/papers/pipe',
    '/papers/sub/up/key',
    '/papers/../secret/key',
    '/papers/%2e%2e/secret/key',
    '/papers/..%2fsecret%2fkey',
    '/papers/%2e%2e%2fsecret/key',
    '/papers/..%5csecret%5ckey',
    '/papers/sub/../../secret/key',
    '/papers/.%00./secret',
    '/papers/%c0%ae%c0%ae/secret/key',
    `/${'..%2f'.repeat(20)}etc/passwd`,
    'http://localhost:9843/papers/../secret/key',
    '/../secret/key',
    '//etc/passwd',
    '/papers//etc/passwd',
  ];
  for (const path of paths) {
    for (const method of ['GET', 'PROPFIND', 'PUT', 'DELETE', 'MKCOL', 'LOCK', 'COPY', 'MOVE'] as const) {
      const line = `${method} ${path} HTTP/1.1\r\nhost: localhost\r\ndepth: 0\r\ndestination: /papers/sub/taken\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`;
      const said = await raw(line);
      const status = Number(/^HTTP\/1\.1 (\d+)/.exec(said)?.[1]);
      expect([method, path, status >= 400 && status < 500]).toEqual([method, path, true]);
      expect(said).not.toContain('nobody may read this');
    }
  }
  for (const to of ['/papers/way/new', '/papers/link', '/papers/../secret/new', '/papers/%2e%2e/new', '/papers/sub/up/new']) {
    await ask('PUT', '/papers/mine', {}, 'mine');
    expect([to, (await ask('COPY', '/papers/mine', { destination: to })).status >= 400]).toEqual([to, true]);
    expect([to, (await ask('MOVE', '/papers/mine', { destination: to })).status >= 400]).toEqual([to, true]);
  }
  expect(readdirSync(secret)).toEqual(['key']);
  expect(seal()).toBe('nobody may read this');
  const { text } = await ask('PROPFIND', '/papers/', { depth: '1' });
  expect([...text.matchAll(/<D:href>([^<]*)</g)].map(([, href]) => href).sort()).toEqual(['/papers/', '/papers/mine', '/papers/sub/']);
  // What a guest is not shown it does not remove either.
  expect(await ask('DELETE', '/papers/sub')).toMatchObject({ status: 409 });
  expect(lstatSync(join(folder, 'sub', 'up')).isSymbolicLink()).toBe(true);
  expect(failures).toEqual([]);
});

test('a folder that becomes a link while it is walked leads nowhere else', async () => {
  const { ask, folder, secret, seal } = sharing();
  mkdirSync(join(folder, 'sub'));
  writeFileSync(join(folder, 'sub', 'key'), 'mine');
  const swapper = spawn(
    process.execPath,
    [
      '-e',
      `const fs = require('fs'); const [folder, secret] = process.argv.slice(1);
       const end = Date.now() + 2000; console.log('swapping');
       while (Date.now() < end) { fs.renameSync(folder + '/sub', folder + '/aside'); fs.symlinkSync(secret, folder + '/sub');
         fs.unlinkSync(folder + '/sub'); fs.renameSync(folder + '/aside', folder + '/sub'); }`,
      folder,
      secret,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  onTestFinished(() => void swapper.kill('SIGKILL'));
  await new Promise((settle) => swapper.stdout.once('data', settle));
  while (swapper.exitCode === null) {
    expect((await ask('GET', '/papers/sub/key')).text).not.toContain('nobody');
    await ask('PUT', '/papers/sub/planted', {}, 'x');
  }
  expect(existsSync(join(secret, 'planted'))).toBe(false);
  expect(seal()).toBe('nobody may read this');
  // It was the link that was refused.
  expect(await ask('GET', '/papers/sub/key')).toMatchObject({ status: 200, text: 'mine' });
});

test('locks keep others from writing until they are given back or run out', async () => {
  const { ask, folder, clock } = sharing();
  const locked = await ask('LOCK', '/papers/letter', { timeout: 'Second-60' }, lockBody());
  expect(locked.status).toBe(201);
  expect(locked.text).toContain('<D:href>ann &amp; co</D:href>');
  const token = locked.headers['lock-token'] as string;
  expect(statSync(join(folder, 'letter')).size).toBe(0);
  expect(await ask('PUT', '/papers/letter', {}, 'x')).toMatchObject({ status: 423 });
  expect(await ask('DELETE', '/papers/letter')).toMatchObject({ status: 423 });
  expect(await ask('MOVE', '/papers/letter', destination('/papers/other'))).toMatchObject({ status: 423 });
  await ask('PUT', '/papers/other', {}, 'other');
  expect(await ask('COPY', '/papers/other', destination('/papers/letter'))).toMatchObject({ status: 423 });
  expect(await ask('LOCK', '/papers/letter', {}, lockBody())).toMatchObject({ status: 423 });
  expect(await ask('PUT', '/papers/letter', { if: '(<urn:uuid:other>)' }, 'x')).toMatchObject({ status: 412 });
  expect(await ask('PUT', '/papers/letter', { if: `(${token})` }, 'with the lock')).toMatchObject({ status: 204 });
  expect(await ask('PUT', '/papers/other', { if: `</papers/letter> (${token}) (Not <DAV:no-lock>)` }, 'o')).toMatchObject({ status: 204 });
  expect((await ask('PROPFIND', '/papers/letter', { depth: '0' })).text).toContain(token.slice(1, -1));
  clock.now += 59_000;
  expect(await ask('LOCK', '/papers/letter', { if: `(${token})`, timeout: 'Second-60' })).toMatchObject({ status: 200 });
  clock.now += 59_000;
  expect(await ask('PUT', '/papers/letter', {}, 'x')).toMatchObject({ status: 423 });
  expect(await ask('UNLOCK', '/papers/letter', { 'lock-token': '<urn:uuid:none>' })).toMatchObject({ status: 409 });
  expect(await ask('UNLOCK', '/papers/letter', { 'lock-token': token })).toMatchObject({ status: 204 });
  expect(await ask('PUT', '/papers/letter', {}, 'free')).toMatchObject({ status: 204 });
  const folderLock = await ask('LOCK', '/papers/sub', {}, lockBody('shared'));
  expect(folderLock.status).toBe(201);
  expect(await ask('LOCK', '/papers/sub', {}, lockBody('shared'))).toMatchObject({ status: 200 });
  expect(await ask('PUT', '/papers/sub', {}, 'x')).toMatchObject({ status: 423 });
  clock.now += 3_601_000;
  expect(await ask('PUT', '/papers/sub', {}, 'x')).toMatchObject({ status: 204 });
});

test('properties are told, the time of a file is kept, and those of Windows count as set', async () => {
  const { ask, folder } = sharing();
  writeFileSync(join(folder, 'a.txt'), 'hello');
  const body =
    '<propfind xmlns="DAV:" xmlns:x="urn:x"><prop><getcontentlength/><x:colour/><resourcetype/><quota-available-bytes/></prop></propfind>';
  const { text } = await ask('PROPFIND', '/papers/a.txt', { depth: '0' }, body);
  expect(text).toContain('<D:getcontentlength>5</D:getcontentlength>');
  expect(text).toMatch(/404 Not Found/);
  expect(text).toContain('<x:colour xmlns:x="urn:x"/>');
  const root = await ask('PROPFIND', '/papers/', { depth: '0' }, body);
  expect(Number(/<D:quota-available-bytes>(\d+)</.exec(root.text)?.[1])).toBeGreaterThan(0);
  expect((await ask('PROPFIND', '/papers/a.txt', { depth: '0' }, '<propfind xmlns="DAV:"><propname/></propfind>')).text).toContain(
    '<D:getetag/>',
  );
  const windows =
    '<D:propertyupdate xmlns:D="DAV:" xmlns:Z="urn:schemas-microsoft-com:"><D:set><D:prop><Z:Win32LastModifiedTime>Thu, 26 Nov 2020 01:02:03 GMT</Z:Win32LastModifiedTime><Z:Win32FileAttributes>00000020</Z:Win32FileAttributes></D:prop></D:set></D:propertyupdate>';
  expect((await ask('PROPPATCH', '/papers/a.txt', {}, windows)).text).toContain('200 OK');
  expect(statSync(join(folder, 'a.txt')).mtime.toISOString()).toBe('2020-11-26T01:02:03.000Z');
  const other = '<propertyupdate xmlns="DAV:"><set><prop><x:colour xmlns:x="urn:x">red</x:colour></prop></set></propertyupdate>';
  expect((await ask('PROPPATCH', '/papers/a.txt', {}, other)).text).toContain('403 Forbidden');
  const evil = '<!DOCTYPE p [<!ENTITY e SYSTEM "file:///etc/passwd">]><propfind xmlns="DAV:"><prop>&e;</prop></propfind>';
  expect(await ask('PROPFIND', '/papers/', { depth: '0' }, evil)).toMatchObject({ status: 400 });
  expect(
    await ask('PROPFIND', '/papers/', { depth: '0' }, `<propfind xmlns="DAV:">${'<a>'.repeat(40)}${'</a>'.repeat(40)}</propfind>`),
  ).toMatchObject({
    status: 400,
  });
  expect(await ask('PROPFIND', '/papers/', { depth: '0' }, 'x'.repeat(100_000))).toMatchObject({ status: 413 });
});

test('what another page asks through the guest’s browser, and what is no WebDAV, is refused', async () => {
  const { ask, raw } = sharing();
  expect(await ask('GET', '/papers/', { host: 'evil.example' })).toMatchObject({ status: 403 });
  expect(await ask('GET', '/papers/', { host: '127.0.0.1:9843' })).toMatchObject({ status: 200 });
  expect((await ask('OPTIONS', '/papers/')).headers).toMatchObject({ dav: '1, 2' });
  expect((await ask('OPTIONS', '/papers/')).headers['access-control-allow-origin']).toBeUndefined();
  expect(await ask('POST', '/papers/', {}, 'x')).toMatchObject({ status: 405 });
  expect(await raw(`GET /papers/ HTTP/1.1\r\nhost: localhost\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`)).toBe('');
  expect(await raw('CONNECT localhost:22 HTTP/1.1\r\nhost: localhost\r\n\r\n')).toBe('');
  expect(await raw('\u0016\u0003\u0001 this is TLS\r\n\r\n')).toBe('');
});

test('an upload for which there is no room is refused before it comes', async () => {
  const { ask, folder } = sharing();
  expect(await ask('PUT', '/papers/huge', { 'content-length': String(2 ** 52), expect: '100-continue' })).toMatchObject({ status: 507 });
  expect(readdirSync(folder)).toEqual([]);
});

test('a file that the user may not write is left as it is', async () => {
  const { ask, folder } = sharing();
  const fixed = join(folder, 'fixed');
  writeFileSync(fixed, 'fixed');
  // Root may write everything but what is immutable.
  if (process.getuid?.() === 0) {
    execFileSync('chattr', ['+i', fixed]);
    onTestFinished(() => void execFileSync('chattr', ['-i', fixed]));
  } else chmodSync(fixed, 0o444);
  expect(await ask('PUT', '/papers/fixed', {}, 'x')).toMatchObject({ status: 403 });
  expect(readFileSync(fixed, 'utf8')).toBe('fixed');
});

test('what a killed engine left of an upload is removed after a while, and the user’s own files never', async () => {
  const { ask, folder } = sharing();
  const old = join(folder, '.guesthouse-upload-0123');
  const fresh = join(folder, '.guesthouse-upload-4567');
  const replaced = join(folder, '.guesthouse-replaced-89');
  for (const one of [old, fresh, replaced]) writeFileSync(one, 'x');
  for (const one of [old, replaced]) utimesSync(one, 1, 1);
  const { text } = await ask('PROPFIND', '/papers/', { depth: '1' });
  expect(text).not.toContain('guesthouse');
  expect(readdirSync(folder).sort()).toEqual(['.guesthouse-replaced-89', '.guesthouse-upload-4567']);
  expect(await ask('GET', '/papers/.guesthouse-upload-4567')).toMatchObject({ status: 400 });
});

test('whatever is asked, nothing outside the folder is touched and the server lives', { timeout: 30_000 }, async () => {
  const { raw, ask, secret, seal, folder, failures } = sharing();
  symlinkSync(secret, join(folder, 'way'));
  const method = fc.constantFrom('GET', 'PUT', 'DELETE', 'MKCOL', 'COPY', 'MOVE', 'PROPFIND', 'PROPPATCH', 'LOCK', 'UNLOCK', 'HEAD');
  const part = fc.constantFrom('papers', 'way', '..', '%2e%2e', 'key', 'secret', 'a', '%2f', '%00', '', 'b%20c', '%ff', '..%5c', '.');
  const path = fc.array(part, { maxLength: 5 }).map((parts) => `/${parts.join('/')}`);
  const header = fc.oneof(
    fc.tuple(fc.constantFrom('destination', 'if', 'depth', 'range', 'lock-token', 'overwrite', 'timeout', 'if-match'), path),
    fc.tuple(fc.constantFrom('if', 'depth', 'range', 'lock-token'), fc.string({ unit: 'binary-ascii', maxLength: 30 })),
  );
  await fc.assert(
    fc.asyncProperty(
      method,
      path,
      fc.array(header, { maxLength: 4 }),
      fc.string({ maxLength: 60 }),
      async (verb, target, headers, body) => {
        // biome-ignore lint/suspicious/noControlCharactersInRegex: these would end the header.
        const lines = headers.map(([name, value]) => `${name}: ${value.replace(/[\u0000-\u001f\u007f]/g, '?')}\r\n`).join('');
        const said = await raw(
          `${verb} ${target.replace(/ /g, '+')} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n${lines}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
        );
        if (said.includes('nobody may read this')) throw new Error('It was read.');
      },
    ),
    { numRuns: 500 },
  );
  expect(readdirSync(secret)).toEqual(['key']);
  expect(seal()).toBe('nobody may read this');
  expect(failures).toEqual([]);
  expect(await ask('OPTIONS', '/')).toMatchObject({ status: 200 });
});
