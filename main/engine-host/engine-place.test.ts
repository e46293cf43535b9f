import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { findEnginePlace, unpackedPath } from './engine-place.ts';

function folderWith(...files: string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'gh-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const file of files) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), '');
  }
  return folder;
}

/** As if this process were an Electron of this Node-API version. */
function asElectron(napi: string): void {
  vi.spyOn(process, 'versions', 'get').mockReturnValue({ ...process.versions, napi, electron: '1.2.3' });
  onTestFinished(() => void vi.restoreAllMocks());
}

test('a new Electron runs the engine itself, from outside the archive of a package', () => {
  asElectron('10');
  const resources = folderWith('node/bin/node');
  const place = findEnginePlace({ appPath: join(resources, 'app.asar'), resourcesPath: resources, isPackaged: true }, {});
  expect(place.node).toEqual({ executable: process.execPath, environment: { ELECTRON_RUN_AS_NODE: '1' } });
  expect(place.engineScript).toBe(join(resources, 'app.asar.unpacked/out/engine/index.js'));
});

test('an old Electron uses the Node that is named, else the package’s own, else the checkout’s', () => {
  asElectron('9');
  const resources = folderWith('node/bin/node');
  const packaged = { appPath: join(resources, 'app.asar'), resourcesPath: resources, isPackaged: true };
  expect(findEnginePlace(packaged, { GUESTHOUSE_NODE: '/opt/node' }).node.executable).toBe('/opt/node');
  expect(findEnginePlace(packaged, {}).node.executable).toBe(join(resources, 'node/bin/node'));
  const checkout = folderWith('node_modules/.bin/node');
  const place = findEnginePlace({ appPath: checkout, resourcesPath: resources, isPackaged: false }, {});
  expect(place).toEqual({
    node: { executable: join(checkout, 'node_modules/.bin/node'), environment: {} },
    engineScript: join(checkout, 'out/engine/index.js'),
  });
});

test('with no Node that can run the engine, the remedy is named', () => {
  asElectron('9');
  const empty = folderWith();
  expect(() => findEnginePlace({ appPath: empty, resourcesPath: empty, isPackaged: true }, {})).toThrow(
    'No Node that can run the engine was found',
  );
});

test('only the archive itself has a folder beside it', () => {
  expect(unpackedPath('/opt/g/resources/app.asar')).toBe('/opt/g/resources/app.asar.unpacked');
  expect(unpackedPath('/home/ann/app.asar-checkout')).toBe('/home/ann/app.asar-checkout');
});
