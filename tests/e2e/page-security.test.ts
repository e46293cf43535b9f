import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { projectRoot } from '../../build/places.ts';
import { contentSecurityPolicy } from '../../main/shell/content-security-policy.ts';
import { launchApp, type TestApp } from '../support/app.ts';
import { until } from '../support/until.ts';

/** Opens a window of its own inside the app's process, as an attacker might who can make a page load elsewhere. */
async function openForeignWindow({ electron }: TestApp, address: string): Promise<void> {
  await electron.evaluate(
    async ({ BrowserWindow }, { address, preload }) => {
      const window = new BrowserWindow({
        show: false,
        webPreferences: { sandbox: true, preload, additionalArguments: [`--guesthouse-info=${encodeURIComponent('{}')}`] },
      });
      await window.loadURL(address).catch(() => {});
    },
    { address, preload: join(projectRoot, 'out/preload/index.cjs') },
  );
}

test('every answer of the app’s own scheme carries the policy, and files outside the pages are not found', async () => {
  const { page } = await launchApp();
  const seen = await page.evaluate(async () => {
    const answers: [string, number, string | null][] = [];
    for (const path of [
      '/',
      '/library',
      '/..%2f..%2fpackage.json',
      '/%2e%2e/main/index.cjs',
      '/engine/guests/g000000000/screen.png',
      '/nothing.js',
    ]) {
      const response = await fetch(path);
      answers.push([path, response.status, response.headers.get('content-security-policy')]);
    }
    return answers;
  });
  for (const [, , policy] of seen) expect(policy).toBe(contentSecurityPolicy);
  expect(seen.map(([path, status]) => `${status} ${path}`)).toEqual([
    '200 /',
    '200 /library',
    '404 /..%2f..%2fpackage.json',
    '404 /%2e%2e/main/index.cjs',
    '404 /engine/guests/g000000000/screen.png',
    '404 /nothing.js',
  ]);
});

test('the policy stops scripts, connections, frames and pictures that are not ours', async () => {
  const { page } = await launchApp();
  const directives = ['script-src-elem', 'script-src-attr', 'frame-src', 'img-src', 'connect-src', 'eval'];
  const blocked = await page.evaluate(async (expected) => {
    const violations: string[] = [];
    document.addEventListener('securitypolicyviolation', (event) => violations.push(event.effectiveDirective));
    const add = (tag: string, attributes: Record<string, string>, text = '') => {
      const element = document.createElement(tag);
      for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
      element.textContent = text;
      document.body.append(element);
    };
    add('script', {}, 'window.injected = true');
    add('script', { src: 'https://example.invalid/x.js' });
    add('iframe', { src: 'https://example.invalid/' });
    add('img', { src: 'https://example.invalid/x.png' });
    add('button', { onclick: 'window.injected = true', id: 'inline' });
    document.querySelector<HTMLElement>('#inline')?.click();
    await fetch('https://example.invalid/').catch(() => {});
    // Playwright's own evaluation is exempt from the policy until it first waits.
    await new Promise((settle) => setTimeout(settle, 10));
    try {
      new Function('window.injected = true')();
    } catch {
      violations.push('eval');
    }
    // A violation is told some time after what it stopped.
    const deadline = performance.now() + 40_000;
    while (!expected.every((directive) => violations.includes(directive)) && performance.now() < deadline)
      await new Promise((settle) => setTimeout(settle, 20));
    return { violations, injected: 'injected' in window };
  }, directives);
  expect(blocked.injected).toBe(false);
  for (const directive of directives) expect(blocked.violations).toContain(directive);
});

test('a page can neither leave, nor open a window, nor get a permission that a console does not need', async () => {
  const { page, electron } = await launchApp();
  await page.evaluate(() => {
    window.open('https://example.invalid/');
    window.open('app://guesthouse/library');
    location.href = 'https://example.invalid/';
  });
  await page.evaluate(() => {
    location.href = 'file:///etc/passwd';
  });
  expect(page.url()).toMatch(/^app:\/\/guesthouse\/(library)?$/);
  expect(await electron.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows().length)).toBe(1);
  const states = await page.evaluate(async () => {
    const names = ['geolocation', 'notifications', 'camera', 'microphone', 'clipboard-read'] as PermissionName[];
    return Promise.all(names.map(async (name) => (await navigator.permissions.query({ name })).state));
  });
  expect(states).toEqual(states.map(() => 'denied'));
});

test('a page has no Node, no Electron and one frozen object', async () => {
  const { page } = await launchApp();
  const found = await page.evaluate(() => ({
    globals: ['require', 'process', 'module', 'Buffer', 'electron', 'ipcRenderer'].filter((name) => name in window),
    bridge: Object.keys(window.guesthouse).sort(),
    frozen: Object.isFrozen(window.guesthouse),
  }));
  expect(found.globals).toEqual([]);
  expect(found.frozen).toBe(true);
  expect(found.bridge).toEqual(['call', 'info', 'onShellEvent', 'openConsole', 'pathOfFile', 'shell', 'subscribe', 'watch']);
});

test('calls are refused from a page of another origin, from a foreign window and from a frame inside our page', async () => {
  const app = await launchApp();
  const { page, electron } = app;
  // A stranger's page that somehow came to run with our preload gets no bridge at all.
  await openForeignWindow(app, 'data:text/html,<title>stranger</title>');
  // A window that is not ours, though it shows our page, is refused at the door.
  await openForeignWindow(app, 'app://guesthouse/library');
  const bridges = await electron.evaluate(async ({ BrowserWindow }) => {
    const foreign = BrowserWindow.getAllWindows().filter((window) => !window.isVisible());
    const probe = `typeof guesthouse === 'undefined' ? 'no bridge' : guesthouse.call('engine.info', {}).then((answer) => answer.ok ? 'answered' : answer.error.code)`;
    const found = await Promise.all(foreign.map((window) => window.webContents.executeJavaScript(probe) as Promise<string>));
    for (const window of foreign) window.destroy();
    return found;
  });
  expect(bridges.sort()).toEqual(['call/forbidden-origin', 'no bridge']);

  const framed = await page.evaluate(async () => {
    const frame = document.createElement('iframe');
    frame.src = '/library';
    // Until what stands in its place has been loaded, it is an empty frame of our own origin.
    const loaded = new Promise((settle) => frame.addEventListener('load', settle, { once: true }));
    document.body.append(frame);
    await loaded;
    try {
      return frame.contentWindow !== null && 'guesthouse' in frame.contentWindow;
    } catch {
      return 'out of reach';
    }
  });
  // What stands in the place of a frame that was refused is not of our origin.
  expect(framed).toBe('out of reach');
  const logged = await readFile(join(app.home, 'logs', 'app.log'), 'utf8');
  expect(logged).toContain('a call from a foreign frame was refused');
});

test('unknown names and inputs of the wrong shape are refused with the field at fault', async () => {
  const { page } = await launchApp();
  const answers = await page.evaluate(async () => {
    const { call, shell, openConsole } = window.guesthouse as unknown as Record<
      string,
      (...words: unknown[]) => Promise<{ ok: boolean; error: { code: string; path?: string } }>
    >;
    const asked = [
      call?.('engine.explode', {}),
      call?.('constructor', {}),
      call?.('__proto__', {}),
      shell?.('shell.explode', {}),
      shell?.('shell.copyText', { text: 7 }),
      shell?.('shell.copyText', { text: 'x', more: true }),
      shell?.('shell.detachConsole', { guest: '../../etc' }),
      shell?.('shell.showFile', { path: '/etc/passwd' }),
      shell?.('shell.copyPng', { png: new Uint8Array([1, 2, 3]) }),
      openConsole?.({ kind: 'ssh', guest: 'g000000000', user: '-oProxyCommand=x', columns: 80, rows: 24 }, 'token'),
      openConsole?.({ kind: 'spice', guest: 'g000000000' }, 'a token with spaces'),
    ];
    return (await Promise.all(asked)).map((answer) =>
      answer?.ok ? 'answered' : `${answer?.error.code} ${answer?.error.path ?? ''}`.trim(),
    );
  });
  expect(answers).toEqual([
    'call/unknown',
    'call/unknown',
    'call/unknown',
    'call/unknown',
    'call/invalid-input text',
    'call/invalid-input',
    'call/invalid-input guest',
    'call/forbidden-origin',
    'call/invalid-input png',
    'call/invalid-input user',
    'call/invalid-input',
  ]);
});

test('the connections of a page end when it is loaded again', async () => {
  const { page, electron, client } = await launchApp();
  await until('the engine answers', () =>
    client.call('engine.info', {}).then(
      () => true,
      () => false,
    ),
  );
  const streams = () => electron.evaluate(() => process.getActiveResourcesInfo().filter((name) => name === 'PipeWrap').length);
  await until('the page has subscribed', () => page.evaluate(() => document.querySelector('#content') !== null));
  const before = await until('it is quiet', async () => {
    const first = await streams();
    await new Promise((settle) => setTimeout(settle, 300));
    return first === (await streams()) ? first : 0;
  });
  for (let reload = 0; reload < 5; reload++) await page.reload();
  await until('the old connections are gone', async () => (await streams()) <= before);
});
