/** A folder that goes over the console: from a guest's port through SPICE, the page and the shell to the engine, and back. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { launchApp, untilConnected } from '../support/app.ts';
import { goToConsole, untilLive } from '../support/console-page.ts';
import { makeStarterGuest, untilAgent, untilStatus } from '../support/starter-guest.ts';
import { until } from '../support/until.ts';
import { askFolders, foldersRequest as request } from '../support/webdavd.ts';

test('a guest reads and writes folders over its console, and is kept from the rest', async () => {
  const app = await launchApp();
  await untilConnected(app);
  const { id: guest } = await makeStarterGuest(app.client, 'Starter');
  const papers = join(app.home, 'papers');
  const music = join(app.home, 'music');
  for (const folder of [papers, music]) mkdirSync(folder);
  const letter = randomBytes(200_000);
  writeFileSync(join(papers, 'letter'), letter);
  writeFileSync(join(music, 'song'), 'la la');
  writeFileSync(join(app.home, 'secret'), 'nobody may read this');
  const share = async (folders: object[]) => app.client.call('guest.edit', { guest, change: { shares: folders as never } });
  await share([
    { path: papers, via: 'webdav' },
    { path: music, readOnly: true, via: 'webdav' },
  ]);
  expect(await app.client.call('guest.shares', { guest })).toMatchObject([
    { tag: 'papers', protocol: 'webdav', folder: 'http://localhost:9843/papers/', command: null },
    { tag: 'music', protocol: 'webdav' },
  ]);
  await expect(app.client.call('guest.mountShare', { guest, share: 'share0' })).rejects.toMatchObject({ error: { code: 'guest/denied' } });
  await app.call('guest.start', { guest });
  await untilStatus(app.client, guest, 'running');
  await goToConsole(app.page, guest);
  await untilLive(app.page);
  await untilAgent(app.client, guest);
  const inside = async (script: string) => {
    const { stdoutBase64 } = await app.client.call(
      'guest.exec',
      { guest, command: ['/bin/sh', '-c', script], timeoutSeconds: 60 },
      { timeoutMs: 70_000 },
    );
    return Buffer.from(stdoutBase64, 'base64').toString('utf8');
  };
  const ask = (...requests: Buffer[]) => askFolders(inside, requests);

  const [root, got, song, refused, outside] = await ask(
    request('PROPFIND', '/', { depth: '1' }),
    request('GET', '/papers/letter'),
    request('GET', '/music/song'),
    request('PUT', '/music/mine', {}, 'mine'),
    request('GET', '/papers/..%2fsecret'),
  );
  expect(root).toContain('<D:href>/papers/</D:href>');
  expect(root).toContain('<D:href>/music/</D:href>');
  expect(
    Buffer.from(got ?? '', 'latin1')
      .subarray(-letter.length)
      .equals(letter),
  ).toBe(true);
  expect(song).toMatch(/200 OK.*la la$/s);
  expect(refused).toContain('403 Forbidden');
  expect(outside).toMatch(/^HTTP\/1\.1 400/);
  expect(readdirSync(music)).toEqual(['song']);

  const report = randomBytes(150_000);
  const [put] = await ask(request('PUT', '/papers/report', {}, report));
  expect(put).toContain('201 Created');
  expect(readFileSync(join(papers, 'report')).equals(report)).toBe(true);
  expect(readdirSync(papers).sort()).toEqual(['letter', 'report']);

  // The menu says what is shared, and whether the guest has it.
  await app.page.getByRole('button', { name: 'Shared folders' }).click();
  await app.page.getByRole('menuitem', { name: /Show “papers” here/ }).waitFor();
  expect(await app.page.getByRole('menuitem', { name: /Show “music” here/ }).textContent()).toContain('(read-only)');
  await app.page.keyboard.press('Escape');

  // What is not shared any more is gone at once, and what is shared anew there.
  const [, keep] = (await app.client.call('guest.show', { guest })).spec.shares;
  const { changes } = await share([{ ...keep }, { path: app.home, tag: 'home', via: 'webdav', readOnly: true }]);
  expect(changes.map(({ when }) => when)).toEqual(['now', 'now']);
  const [gone, home] = await ask(request('GET', '/papers/letter'), request('GET', '/home/secret'));
  expect(gone).toMatch(/^HTTP\/1\.1 404/);
  expect(home).toContain('nobody may read this');

  // An engine that is killed in the middle of a file leaves none of that name, and is followed by another, to which the port leads within moments.
  await share([...(await app.client.call('guest.show', { guest })).spec.shares, { path: papers, via: 'webdav' }]);
  const half = ask(request('PUT', '/papers/half', { 'content-length': '1000000' }, randomBytes(100_000))).catch(() => []);
  const uploads = () => readdirSync(papers).filter((name) => name.startsWith('.guesthouse-upload-'));
  await until('a part of it is there', () => uploads().some((name) => statSync(join(papers, name)).size > 0), 40_000);
  const { pid } = await app.client.call('engine.info', {});
  process.kill(pid, 'SIGKILL');
  await untilConnected(app);
  await half;
  await until('the new engine reaches the guest', () => inside('kill -KILL -- -$(cat /tmp/daemon); echo done').catch(() => null), 60_000);
  expect(
    readdirSync(papers)
      .filter((name) => !name.startsWith('.'))
      .sort(),
  ).toEqual(['letter', 'report']);
  await until(
    'the new engine serves',
    async () => (await askFolders(inside, [request('GET', '/music/song')], 5000).catch(() => []))[0]?.includes('la la'),
    60_000,
  );

  // A folder that the guest's kernel is to mount is a device, which it has from its next start on.
  const { shares } = (await app.client.call('guest.show', { guest })).spec;
  await share([...shares, { path: papers, tag: 'later', via: 'mount', readOnly: true }]);
  await app.page.getByRole('button', { name: 'Shared folders' }).click();
  await app.page
    .getByRole('menuitem', { name: /Show “later” here/ })
    .filter({ hasText: 'from its next start on' })
    .waitFor();
  await app.page.keyboard.press('Escape');
});
