import { execFileSync } from 'node:child_process';
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, type TestContext, test } from 'vitest';
import type { Job } from '../../contract/job.ts';
import type { CatalogueEntry } from '../../main/engine/downloads/catalogue-entry.ts';
import { makeCertificate } from '../support/certificate.ts';
import { openRooms, type Rooms } from '../support/engine-rooms.ts';
import { type FileServer, startFileServer } from '../support/file-server.ts';
import { codeOf } from '../support/outcomes.ts';
import { smallFileSystem, testWithMount } from '../support/small-file-system.ts';
import { until } from '../support/until.ts';

const memtest = readFileSync('/usr/lib/memtest86+/memtest86+x64.iso');
const digestOf = (bytes: Buffer | string, algorithm = 'sha256') => createHash(algorithm).update(bytes).digest('hex');
const certificate = makeCertificate();
const quick = { firstRetryMs: 10, longestRetryMs: 50, failuresInARow: 3, connectMs: 2000, headersMs: 2000, stallMs: 2000 };

type FileSource = Extract<CatalogueEntry['source'], { kind: 'file' }>;

function entryAt(bases: string[], source: Partial<FileSource> = {}): CatalogueEntry {
  return {
    id: 'tool-disc',
    name: 'Tool disc, for tests',
    summary: 'A disc that is made for tests.',
    os: { id: null, name: 'Tool disc', family: 'other', version: null, distro: null },
    version: 'newest',
    architecture: 'x86_64',
    kind: 'live',
    source: {
      kind: 'file',
      bases,
      newest: [
        { page: '', pattern: 'href="(?<version>\\d+\\.\\d+)/"' },
        { page: '{version}/SHA256SUMS', pattern: ' (?<file>tool-[\\d.]+\\.iso)$' },
      ],
      file: '{version}/{file}',
      member: null,
      checksum: { kind: 'file', place: '{version}/SHA256SUMS', algorithm: 'sha256' },
      signature: null,
      approximateBytes: 5_000_000,
      ...source,
    },
    homepage: 'https://example.com/',
    terms: 'https://example.com/',
  };
}

/** A server with releases 9.9 and 9.10, and a folder for 9.11 in which nothing is yet. */
async function releases(): Promise<FileServer> {
  const server = await startFileServer(certificate);
  server.serve('/pub/', '<a href="9.9/">9.9/</a> <a href="9.10/">9.10/</a> <a href="9.11/">9.11/</a>');
  for (const version of ['9.9', '9.10']) {
    server.serve(`/pub/${version}/SHA256SUMS`, `${digestOf(memtest)}  tool-${version}.iso\n${'0'.repeat(64)}  other.iso\n`);
    server.serve(`/pub/${version}/tool-${version}.iso`, { body: memtest, etag: `"${version}"` });
  }
  return server;
}

async function rooms(entries: readonly CatalogueEntry[], more: Parameters<typeof openRooms>[0] = {}): Promise<Rooms> {
  const opened = await openRooms({ ...more, downloads: { entries, ca: certificate.cert, timings: quick, ...more.downloads } });
  onTestFinished(() => opened.close());
  return opened;
}

async function fetchEntry(engine: Rooms, entry = 'tool-disc'): Promise<Job> {
  const job = await engine.downloads.start({ kind: 'entry', entry }, undefined, 'root via test');
  return engine.jobs.ended(job.id);
}

const filesUnder = async (path: string) => readdir(path, { recursive: true }).catch(() => []);

test('an entry of the list is found in its newest version, downloaded, checked, and in the library', async () => {
  const server = await releases();
  const engine = await rooms([entryAt([`${server.origin}/pub/`])]);
  const job = await fetchEntry(engine);
  expect(job).toMatchObject({ kind: 'image.download', state: 'succeeded', error: null, title: 'Download Tool disc, for tests' });
  const [image] = engine.images.list();
  expect(image).toMatchObject({
    name: 'Tool disc 9.10, for tests',
    format: 'iso',
    sha256: digestOf(memtest),
    source: `${server.origin}/pub/9.10/tool-9.10.iso`,
    label: 'MT86PLUS_64',
  });
  expect(readFileSync(image?.path ?? '').equals(memtest)).toBe(true);
  expect(await filesUnder(engine.layout.downloads)).toEqual([]);
  const { entries, unfinished } = await engine.downloads.list();
  expect(entries[0]).toMatchObject({
    id: 'tool-disc',
    image: { id: image?.id, version: '9.10', proof: 'checksum' },
    unfinished: null,
    job: null,
  });
  expect(unfinished).toEqual([]);
  expect(engine.events.map(({ kind }) => kind)).toContain('image.downloaded');
});

test('an address is downloaded with and without a checksum, under its own name', async () => {
  const server = await startFileServer();
  server.serve('/discs/memtest.iso', memtest);
  const engine = await rooms([]);
  const source = { kind: 'url', url: `${server.origin}/discs/memtest.iso?key=hidden`, sha256: digestOf(memtest).toUpperCase() } as const;
  const job = await engine.jobs.ended((await engine.downloads.start(source, undefined, 'root via test')).id);
  expect(job.state).toBe('succeeded');
  expect(engine.images.list()).toMatchObject([{ name: 'memtest', source: `${server.origin}/discs/memtest.iso` }]);
  // What lets one in is neither in the database nor in the job.
  expect(JSON.stringify([engine.images.list(), job, engine.database.prepare('test.jobs', 'SELECT * FROM jobs').all()])).not.toContain(
    'hidden',
  );
});

test('content that is not what was published fails, leaves nothing in the library, and says so', async () => {
  const server = await releases();
  server.serve('/pub/9.10/tool-9.10.iso', randomBytes(100_000));
  const engine = await rooms([entryAt([`${server.origin}/pub/`])]);
  const job = await fetchEntry(engine);
  expect(job).toMatchObject({ state: 'failed', error: { code: 'download/checksum-mismatch' } });
  expect(engine.images.list()).toEqual([]);
  expect((await engine.downloads.list()).entries[0]?.unfinished).toMatchObject({
    bytesDone: 0,
    error: { code: 'download/checksum-mismatch' },
  });
});

test('a download that failed half-way is gone on with when it is started again', async () => {
  const server = await releases();
  const half = Math.floor(memtest.length / 2);
  server.handle('/pub/9.10/tool-9.10.iso', (request, response) => {
    if (request.headers.range) return void response.writeHead(503).end();
    response.writeHead(200, { 'content-length': memtest.length, etag: '"9.10"' });
    response.write(memtest.subarray(0, half), () => response.socket?.destroySoon());
  });
  const engine = await rooms([entryAt([`${server.origin}/pub/`])]);
  expect(await fetchEntry(engine)).toMatchObject({ state: 'failed', error: { code: 'download/unreachable' } });
  const kept = (await engine.downloads.list()).entries[0]?.unfinished;
  expect(kept?.bytesDone).toBeGreaterThan(half / 2);
  expect(kept).toMatchObject({ bytesTotal: memtest.length, job: null, error: { code: 'download/unreachable' } });
  server.serve('/pub/9.10/tool-9.10.iso', { body: memtest, etag: '"9.10"' });
  server.asked.length = 0;
  expect((await fetchEntry(engine)).state).toBe('succeeded');
  expect(server.asked.filter(({ path }) => path.endsWith('.iso')).map(({ range }) => range)).toEqual([`bytes=${kept?.bytesDone}-`]);
  expect(engine.images.list()[0]?.sha256).toBe(digestOf(memtest));
});

test('what the library has in its newest version is not fetched once more', async () => {
  const server = await releases();
  const engine = await rooms([entryAt([`${server.origin}/pub/`])]);
  await fetchEntry(engine);
  server.asked.length = 0;
  expect(await fetchEntry(engine)).toMatchObject({ state: 'failed', error: { code: 'download/not-newer' } });
  expect(server.asked.filter(({ path }) => path.endsWith('.iso'))).toEqual([]);
  expect((await engine.downloads.list()).entries[0]).toMatchObject({ unfinished: null, image: { version: '9.10' } });
});

test('a download from an address is gone on with by what is kept of it, whose address nobody has to know again', async () => {
  const server = await startFileServer();
  server.handle('/disc.iso', (request, response) => {
    if (request.headers.range) return void response.writeHead(503).end();
    response.writeHead(200, { 'content-length': memtest.length, etag: '"one"' });
    response.write(memtest.subarray(0, 3_000_000), () => response.socket?.destroySoon());
  });
  const engine = await rooms([]);
  const first = await engine.downloads.start({ kind: 'url', url: `${server.origin}/disc.iso?key=hidden` }, undefined, 'root via test');
  expect((await engine.jobs.ended(first.id)).state).toBe('failed');
  const [kept] = (await engine.downloads.list()).unfinished;
  expect(kept).toMatchObject({ title: 'disc.iso', url: `${server.origin}/disc.iso` });
  server.serve('/disc.iso', { body: memtest, etag: '"one"' });
  const second = await engine.downloads.start({ kind: 'unfinished', key: kept?.key ?? '' }, undefined, 'root via test');
  expect((await engine.jobs.ended(second.id)).state).toBe('succeeded');
  expect(server.asked.at(-1)).toMatchObject({ path: '/disc.iso?key=hidden', range: expect.stringMatching(/^bytes=\d{6,}-$/) });
  expect(await codeOf(engine.downloads.start({ kind: 'unfinished', key: kept?.key ?? '' }, undefined, 'root via test'))).toBe(
    'download/not-unfinished',
  );
});

test('a part whose version its makers took away gives way to the newest', async () => {
  const server = await releases();
  server.handle('/pub/9.10/tool-9.10.iso', (request, response) => {
    if (request.headers.range) return void response.writeHead(503).end();
    response.writeHead(200, { 'content-length': memtest.length });
    response.write(memtest.subarray(0, 100_000), () => response.socket?.destroySoon());
  });
  const engine = await rooms([entryAt([`${server.origin}/pub/`])]);
  await fetchEntry(engine);
  server.serve('/pub/9.11/SHA256SUMS', `${digestOf(memtest)}  tool-9.11.iso\n`);
  server.serve('/pub/9.11/tool-9.11.iso', memtest);
  server.handle('/pub/9.10/tool-9.10.iso', (_request, response) => void response.writeHead(404).end());
  expect((await fetchEntry(engine)).state).toBe('succeeded');
  expect(engine.images.list()[0]?.name).toBe('Tool disc 9.11, for tests');
});

test('a cancelled download keeps nothing, and a discarded one neither', async () => {
  const server = await releases();
  server.serve('/pub/9.10/tool-9.10.iso', { body: memtest, bytesPerSecond: 400_000 });
  const engine = await rooms([entryAt([`${server.origin}/pub/`])]);
  const job = await engine.downloads.start({ kind: 'entry', entry: 'tool-disc' }, undefined, 'root via test');
  await until('bytes to come', () => (engine.jobs.show(job.id).bytesDone ?? 0) > 50_000);
  expect(await codeOf(engine.downloads.start({ kind: 'entry', entry: 'tool-disc' }, undefined, 'root via test'))).toBe(
    'download/in-progress',
  );
  expect(await codeOf(engine.downloads.discard('tool-disc'))).toBe('download/in-progress');
  engine.jobs.cancel(job.id, 'Enough.');
  expect((await engine.jobs.ended(job.id)).state).toBe('cancelled');
  expect(await filesUnder(engine.layout.downloads)).toEqual([]);
  server.handle('/pub/9.10/tool-9.10.iso', (_request, response) => void response.writeHead(403).end());
  expect(await fetchEntry(engine)).toMatchObject({ state: 'failed', error: { code: 'download/refused' } });
  await engine.downloads.discard('tool-disc');
  expect(await filesUnder(engine.layout.downloads)).toEqual([]);
  expect(await codeOf(engine.downloads.discard('tool-disc'))).toBe('download/not-unfinished');
  expect(await codeOf(engine.downloads.discard('../images'))).toBe('download/not-unfinished');
});

test('what cannot be downloaded is refused at once and in words', async () => {
  const page = {
    ...entryAt(['https://example.com/']),
    id: 'page',
    kind: 'page',
    source: { kind: 'page', url: 'https://example.com/get' },
  } as const;
  const engine = await rooms([page]);
  const start = (source: Parameters<Rooms['downloads']['start']>[0]) => codeOf(engine.downloads.start(source, undefined, 'root via test'));
  expect(await start({ kind: 'entry', entry: 'none' })).toBe('download/unknown');
  expect(await start({ kind: 'entry', entry: 'page' })).toBe('download/page-only');
  for (const url of ['nonsense', 'file:///etc/passwd', 'ftp://example.com/a.iso', 'https://me:secret@example.com/a.iso'])
    expect([url, await start({ kind: 'url', url })]).toEqual([url, 'download/url-invalid']);
  expect(await filesUnder(engine.layout.downloads)).toEqual([]);
});

test('a mirror takes over from a server that is gone, for the list as for the file', async () => {
  const server = await releases();
  const gone = await startFileServer(certificate);
  gone.handle('/pub/', (request) => void request.socket.destroy());
  const engine = await rooms([entryAt([`${gone.origin}/pub/`, `${server.origin}/pub/`])]);
  gone.handle('/pub/9.10/SHA256SUMS', (request) => void request.socket.destroy());
  expect((await fetchEntry(engine)).state).toBe('succeeded');
});

test('a redirect from https to http is refused', async () => {
  const [server, plain] = [await releases(), await startFileServer()];
  plain.serve('/tool.iso', memtest);
  server.handle(
    '/pub/9.10/tool-9.10.iso',
    (_request, response) => void response.writeHead(302, { location: `${plain.origin}/tool.iso` }).end(),
  );
  const engine = await rooms([entryAt([`${server.origin}/pub/`])]);
  expect(await fetchEntry(engine)).toMatchObject({ state: 'failed', error: { code: 'download/redirect-refused' } });
  expect(plain.asked).toEqual([]);
});

test('a server with a certificate that nobody vouches for is not trusted', async () => {
  const server = await releases();
  const other = makeCertificate();
  const engine = await rooms([entryAt([`${server.origin}/pub/`])], { downloads: { ca: other.cert } });
  const job = await fetchEntry(engine);
  expect(job).toMatchObject({ state: 'failed', error: { code: 'download/unreachable' } });
  expect(job.error?.message).toMatch(/certificate/);
});

test('what is downloaded is looked at like any file: a text page is no image', async () => {
  const server = await startFileServer();
  server.serve('/disc.iso', '<html><body>Please log in.</body></html>');
  const engine = await rooms([]);
  const job = await engine.downloads.start({ kind: 'url', url: `${server.origin}/disc.iso` }, undefined, 'root via test');
  expect(await engine.jobs.ended(job.id)).toMatchObject({ state: 'failed', error: { code: 'image/not-an-image' } });
  expect(engine.images.list()).toEqual([]);
});

test('an image in an archive is taken out of it', async () => {
  const server = await startFileServer(certificate);
  const folder = mkdtempSync('/tmp/gh-');
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'DISC.iso'), memtest);
  execFileSync('python3', ['-m', 'zipfile', '-c', join(folder, 'a.zip'), join(folder, 'DISC.iso')]);
  const archive = readFileSync(join(folder, 'a.zip'));
  server.serve('/a.zip', archive);
  const engine = await rooms([
    entryAt([`${server.origin}/`], {
      newest: [],
      file: 'a.zip',
      member: '^DISC\\.iso$',
      checksum: { kind: 'fixed', algorithm: 'sha256', digest: digestOf(archive) },
    }),
  ]);
  expect((await fetchEntry(engine)).state).toBe('succeeded');
  expect(engine.images.list()[0]?.sha256).toBe(digestOf(memtest));
});

testWithMount('a download that does not fit beside what must stay free is refused before it begins', async () => {
  const home = await smallFileSystem(8);
  const server = await startFileServer();
  server.serve('/big.iso', { body: Buffer.alloc(16_000_000, 1) });
  const engine = await rooms([], { home, settings: { keepFreeMiB: 1 } });
  const job = await engine.downloads.start({ kind: 'url', url: `${server.origin}/big.iso` }, undefined, 'root via test');
  expect(await engine.jobs.ended(job.id)).toMatchObject({ state: 'failed', error: { code: 'store/full' } });
});

test('the network is said to be there when any answer comes, and calmly when it is not', async () => {
  const server = await releases();
  const there = await rooms([entryAt([`${server.origin}/pub/`])]);
  expect(await there.downloads.checkNetwork(false)).toMatchObject({ reachable: true, proxy: null });
  const closed = await rooms([entryAt(['https://host.invalid/'])]);
  const before = performance.now();
  expect(await closed.downloads.checkNetwork(false)).toMatchObject({ reachable: false, text: expect.stringContaining('host.invalid') });
  expect(performance.now() - before).toBeLessThan(20_000);
  const behind = await rooms([entryAt([`${server.origin}/pub/`])], { downloads: { environment: { https_proxy: 'socks5://127.0.0.1:1' } } });
  expect(await behind.downloads.checkNetwork(false)).toMatchObject({ reachable: false, text: expect.stringContaining('https_proxy') });
});

/** Signs with a key made for the test; null where gpg is missing. */
function signer(): { folder: string; fingerprint: string; keyring: string; sign(text: string | Buffer, inPlace: boolean): Buffer } {
  const folder = mkdtempSync('/tmp/gh-gpg-');
  onTestFinished(() => {
    execFileSync('gpgconf', ['--homedir', folder, '--kill', 'all'], { stdio: 'ignore' });
    rmSync(folder, { recursive: true, force: true });
  });
  const gpg = (...args: string[]) =>
    execFileSync('gpg', ['--homedir', folder, '--batch', '--quiet', '--passphrase', '', '--pinentry-mode', 'loopback', ...args]);
  gpg('--quick-generate-key', 'Test makers <makers@example.invalid>', 'ed25519', 'sign', '1d');
  const fingerprint = /^fpr:+([0-9A-F]{40}):/m.exec(gpg('--list-keys', '--with-colons').toString())?.[1] ?? '';
  const keyring = join(folder, 'makers.asc');
  writeFileSync(keyring, gpg('--armor', '--export'));
  return {
    folder,
    fingerprint,
    keyring,
    sign(text, inPlace) {
      writeFileSync(join(folder, 'text'), text);
      return gpg('--output', '-', inPlace ? '--clear-sign' : '--detach-sign', join(folder, 'text'));
    },
  };
}

const needsGpg = ({ skip }: TestContext) => {
  if (!existsSync('/usr/bin/gpg') || !existsSync('/usr/bin/gpgv')) skip('gpg and gpgv are not installed');
};

test.for(['detached', 'in place', 'over the file'])(
  'a signature %s is checked with the key that the user has, and a wrong one refused',
  async (kind, context) => {
    needsGpg(context);
    const server = await releases();
    const { fingerprint, keyring, sign } = signer();
    const sums = `${digestOf(memtest)}  tool-9.10.iso\n`;
    const overFile = kind === 'over the file';
    const inPlace = kind === 'in place';
    server.serve('/pub/9.10/SHA256SUMS', inPlace ? sign(sums, true) : Buffer.from(sums));
    server.serve('/pub/9.10/sig', sign(overFile ? memtest : sums, false));
    const signature = {
      kind: 'openpgp',
      place: inPlace ? null : '{version}/sig',
      over: overFile ? 'file' : 'checksums',
      fingerprints: [fingerprint],
      keyrings: [],
    } as const;
    const entry = entryAt([`${server.origin}/pub/`], { signature: { ...signature, fingerprints: [fingerprint], keyrings: [] } });
    const engine = await rooms([entry]);
    expect((await fetchEntry(engine)).state).toBe('succeeded');
    const proofOf = async () => (await engine.downloads.list()).entries[0]?.image?.proof;
    expect(await proofOf()).toBe('checksum');
    expect(engine.events.at(-1)?.text).toMatch(/not/);

    mkdirSync(engine.layout.keyrings, { recursive: true });
    copyFileSync(keyring, join(engine.layout.keyrings, 'makers.asc'));
    await engine.images.delete(engine.images.list()[0]?.id ?? ('' as never));
    expect((await fetchEntry(engine)).state).toBe('succeeded');
    expect(await proofOf()).toBe('signature');

    // Somebody who holds the server but not the key.
    if (inPlace) server.serve('/pub/9.10/SHA256SUMS', sign(sums, true).toString().replace('tool-9.10', 'tool-9.1O'));
    else server.serve('/pub/9.10/sig', sign('something else', false));
    await engine.images.delete(engine.images.list()[0]?.id ?? ('' as never));
    expect(await fetchEntry(engine)).toMatchObject({ state: 'failed', error: { code: 'download/signature-bad' } });
    expect(engine.images.list()).toEqual([]);
    if (inPlace) return;
    server.handle('/pub/9.10/sig', (_request, response) => void response.writeHead(404).end());
    expect(await fetchEntry(engine)).toMatchObject({ state: 'failed', error: { code: 'download/signature-bad' } });
  },
);

test('a good signature of somebody else does not count', async (context) => {
  needsGpg(context);
  const server = await releases();
  const [makers, other] = [signer(), signer()];
  const sums = `${digestOf(memtest)}  tool-9.10.iso\n`;
  server.serve('/pub/9.10/SHA256SUMS', sums);
  server.serve('/pub/9.10/sig', other.sign(sums, false));
  const engine = await rooms([
    entryAt([`${server.origin}/pub/`], {
      signature: { kind: 'openpgp', place: '{version}/sig', over: 'checksums', fingerprints: [makers.fingerprint], keyrings: [] },
    }),
  ]);
  mkdirSync(engine.layout.keyrings, { recursive: true });
  copyFileSync(other.keyring, join(engine.layout.keyrings, 'other.asc'));
  expect(await fetchEntry(engine)).toMatchObject({ state: 'failed', error: { code: 'download/signature-bad' } });
});

/** Signs as signify and minisign do (their own signatures are in `ed25519-signature.test.ts`), over BLAKE2b where `hashed`. */
function ed25519Signer() {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const keyName = randomBytes(8);
  const line = (letters: string, bytes: Buffer) => Buffer.concat([Buffer.from(letters), keyName, bytes]).toString('base64');
  return {
    key: line('Ed', Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url')),
    sign(content: Buffer | string, hashed: boolean): string {
      const bytes = Buffer.from(content);
      const signature = sign(null, hashed ? createHash('blake2b512').update(bytes).digest() : bytes, privateKey);
      const comment = 'timestamp:1';
      const second = sign(null, Buffer.concat([signature, Buffer.from(comment)]), privateKey).toString('base64');
      const first = `untrusted comment: from a test\n${line(hashed ? 'ED' : 'Ed', signature)}\n`;
      return hashed ? `${first}trusted comment: ${comment}\n${second}\n` : first;
    },
  };
}

test.each(['detached', 'in place', 'over the file'])(
  'a signature of signify or minisign %s must be that of the key in the list, or of the key of that name on this computer',
  async (kind) => {
    const server = await releases();
    const [makers, other] = [ed25519Signer(), ed25519Signer()];
    const sums = `${digestOf(memtest)}  tool-9.10.iso\n`;
    const overFile = kind === 'over the file';
    const inPlace = kind === 'in place';
    const publish = (by: typeof makers) => {
      server.serve('/pub/9.10/SHA256SUMS', inPlace ? by.sign(sums, false) + sums : sums);
      server.serve('/pub/9.10/sig', overFile ? by.sign(memtest, true) : by.sign(sums, false));
    };
    const keyName = overFile ? 'tool.pub' : 'tool-{version}.pub';
    const entryWith = (keys: Record<string, string>) =>
      entryAt([`${server.origin}/pub/`], {
        signature: {
          kind: 'signify',
          place: inPlace ? null : '{version}/sig',
          over: overFile ? 'file' : 'checksums',
          keyName,
          keys,
          folders: [],
        },
      });
    const name = keyName.replace('{version}', '9.10');
    const proofOf = async ({ downloads }: Rooms) => (await downloads.list()).entries[0]?.image?.proof;

    publish(makers);
    const unknown = await rooms([entryWith({})]);
    expect((await fetchEntry(unknown)).state).toBe('succeeded');
    expect(await proofOf(unknown)).toBe('checksum');
    // The user has the key, and another that signed nothing here.
    await unknown.images.delete(unknown.images.list()[0]?.id ?? ('' as never));
    mkdirSync(unknown.layout.keyrings, { recursive: true });
    writeFileSync(join(unknown.layout.keyrings, name), `untrusted comment: the makers\n${makers.key}\n`);
    writeFileSync(join(unknown.layout.keyrings, 'another.pub'), other.key);
    expect((await fetchEntry(unknown)).state).toBe('succeeded');
    expect(await proofOf(unknown)).toBe('signature');

    const known = await rooms([entryWith({ [name]: makers.key })]);
    // What the list says is not changed by a file of the same name.
    mkdirSync(known.layout.keyrings, { recursive: true });
    writeFileSync(join(known.layout.keyrings, name), other.key);
    publish(other);
    expect(await fetchEntry(known)).toMatchObject({ state: 'failed', error: { code: 'download/signature-bad' } });
    expect(known.images.list()).toEqual([]);
    publish(makers);
    expect((await fetchEntry(known)).state).toBe('succeeded');
    expect(await proofOf(known)).toBe('signature');
    expect(known.events.at(-1)?.text).toContain(name);
    await known.images.delete(known.images.list()[0]?.id ?? ('' as never));
    // Signed, and then something else put in its place.
    if (inPlace) server.serve('/pub/9.10/SHA256SUMS', makers.sign('something else', false) + sums);
    else server.serve('/pub/9.10/sig', makers.sign('something else', overFile));
    expect(await fetchEntry(known)).toMatchObject({ state: 'failed', error: { code: 'download/signature-bad' } });
    // Not signed at all.
    server.serve('/pub/9.10/SHA256SUMS', sums);
    if (!inPlace) server.handle('/pub/9.10/sig', (_request, response) => void response.writeHead(404).end());
    expect(await fetchEntry(known)).toMatchObject({ state: 'failed', error: { code: 'download/signature-bad' } });
    expect(known.images.list()).toEqual([]);
  },
);

test('a file that a download brought is not copied once more', async () => {
  const server = await startFileServer();
  server.serve('/memtest.iso', memtest);
  const engine = await rooms([]);
  const job = await engine.downloads.start({ kind: 'url', url: `${server.origin}/memtest.iso` }, undefined, 'root via test');
  await engine.jobs.ended(job.id);
  const [image] = engine.images.list();
  expect((await stat(image?.path ?? '')).nlink).toBe(1);
  expect(await filesUnder(engine.layout.downloads)).toEqual([]);
});
