/** Where the engine's bundle is and which Node runs it, in a checkout and in a package. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type EngineNode, findEngineNode } from '../client/start-engine.ts';

export type EnginePlace = { node: EngineNode; engineScript: string };

export type AppPlaces = {
  /** The app's own folder: the checkout, or `resources/app.asar` of a package. */
  appPath: string;
  /** Electron's `process.resourcesPath`. */
  resourcesPath: string;
  isPackaged: boolean;
};

/**
 * A package carries its engine outside the archive, since another Node must be able to read it, and a Node of its own where its Electron
 * is too old to run the engine.
 * @throws Failure `engine/unreachable` when no Node can run the engine
 */
export function findEnginePlace(places: AppPlaces, environment: NodeJS.ProcessEnv = process.env): EnginePlace {
  const appRoot = unpackedPath(places.appPath);
  const engineScript = join(appRoot, 'out', 'engine', 'index.js');
  const carried = join(places.resourcesPath, 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  if (!environment.GUESTHOUSE_NODE && Number(process.versions.napi) < 10 && places.isPackaged && existsSync(carried))
    return { engineScript, node: { executable: carried, environment: {} } };
  return { engineScript, node: findEngineNode(appRoot, environment) };
}

/** What electron-builder keeps beside the archive because it cannot be used from inside it. */
export function unpackedPath(appPath: string): string {
  return appPath.replace(/app\.asar$/, 'app.asar.unpacked');
}
