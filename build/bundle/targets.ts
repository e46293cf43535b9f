/** The bundles of the app: what each is made from and how. */
import { chmod, cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { builtinModules } from 'node:module';
import { join } from 'node:path';
import react from '@vitejs/plugin-react';
import { rolldown } from 'rolldown';
import { type Plugin, build as viteBuild } from 'vite';

/** The oldest Chromium the window runs on: that of the development runtime (build/setup/electron-runtime.ts). */
const chromiumTarget = 'chrome130';

export interface Target {
  /** Folder under out/. */
  name: string;
  /** The file the target begins with; the build says which one is missing. */
  entry: string;
  /** Files and folders whose change makes a new build necessary. */
  inputs: string[];
  /** Builds into `directory`, which is empty. */
  build: (root: string, directory: string) => Promise<void>;
}

/** Native modules cannot be bundled, and `ws` looks for two that it does without. */
const nativeModules = ['better-sqlite3', 'node-pty', 'bufferutil', 'utf-8-validate'];
const nodeExternals = [...builtinModules, /^node:/, ...nativeModules];

interface NodeBundle {
  entry: string;
  format: 'esm' | 'cjs';
  external: (string | RegExp)[];
  platform: 'node' | 'browser';
  banner?: string;
}

async function bundleForNode(root: string, directory: string, options: NodeBundle): Promise<void> {
  const bundle = await rolldown({
    cwd: root,
    input: { index: join(root, options.entry) },
    platform: options.platform,
    external: options.external,
    logLevel: 'warn',
    transform: { define: { 'process.env.NODE_ENV': '"production"' } },
  });
  const extension = options.format === 'cjs' ? 'cjs' : 'js';
  await bundle.write({
    dir: directory,
    format: options.format,
    entryFileNames: `[name].${extension}`,
    chunkFileNames: `[name]-[hash].${extension}`,
    sourcemap: true,
    // A sandboxed preload can load no second file.
    codeSplitting: options.platform === 'node',
    ...(options.banner ? { banner: options.banner } : {}),
  });
  await bundle.close();
  // Outside the checkout no package.json above says so.
  if (options.format === 'esm') await writeFile(join(directory, 'package.json'), '{ "type": "module" }\n');
}

/**
 * spice-html5 is LGPL-3.0-or-later: whoever has the app may replace it. So it is never bundled. Its files are shipped as they are under
 * renderer/vendor/spice-html5/, and every import of it is left in place and points there.
 */
const spicePackage = '@spice-project/spice-html5';
const spiceUrl = '/vendor/spice-html5';

function keepSpiceReplaceable(root: string): Plugin {
  return {
    name: 'guesthouse:keep-spice-replaceable',
    enforce: 'pre',
    resolveId(id) {
      if (id === spicePackage) return { id: `${spiceUrl}/src/main.js`, external: 'absolute' };
      if (id.startsWith(`${spicePackage}/`)) return { id: spiceUrl + id.slice(spicePackage.length), external: 'absolute' };
      return null;
    },
    async writeBundle(options) {
      if (!options.dir) return;
      const from = join(root, 'node_modules', spicePackage);
      const to = join(options.dir, spiceUrl);
      await mkdir(to, { recursive: true });
      for (const file of ['COPYING', 'COPYING.LESSER', 'README', 'package.json']) await cp(join(from, file), join(to, file));
      await cp(join(root, 'assets/notices/spice-html5.txt'), join(to, 'NOTICE.txt'));
      // The module loader for browsers without ES modules is of no use here, and is 3 MB.
      await cp(join(from, 'src'), join(to, 'src'), { recursive: true, filter: (file) => !file.includes('browser-es-module-loader') });
    },
  };
}

async function bundleRenderer(root: string, directory: string): Promise<void> {
  // Vite takes the kind of build from here. A test run that builds says "test", and React Aria then assumes a page without a layout.
  process.env.NODE_ENV = 'production';
  await viteBuild({
    root: join(root, 'renderer'),
    configFile: false,
    logLevel: 'warn',
    // The app:// origin serves this folder as its root, so that an address of any depth finds its scripts.
    base: '/',
    publicDir: false,
    plugins: [keepSpiceReplaceable(root), react()],
    worker: { format: 'es', plugins: () => [keepSpiceReplaceable(root)] },
    build: {
      outDir: directory,
      emptyOutDir: true,
      target: chromiumTarget,
      sourcemap: true,
      // The content security policy allows neither inline scripts nor data: fonts.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      chunkSizeWarningLimit: 3000,
    },
  });
}

/** What every bundle depends on besides its own sources. */
const common = ['contract', 'package.json', 'package-lock.json', 'build/bundle.ts', 'build/bundle'];

export const targets: readonly Target[] = [
  {
    name: 'main',
    entry: 'main/index.ts',
    inputs: [...common, 'main/index.ts', 'main/client', 'main/shell', 'main/consoles', 'main/engine-host'],
    build: (root, directory) =>
      bundleForNode(root, directory, {
        entry: 'main/index.ts',
        format: 'cjs',
        platform: 'node',
        external: ['electron', ...nodeExternals],
      }),
  },
  {
    name: 'preload',
    entry: 'preload/index.ts',
    inputs: [...common, 'preload'],
    build: (root, directory) =>
      bundleForNode(root, directory, { entry: 'preload/index.ts', format: 'cjs', platform: 'browser', external: ['electron'] }),
  },
  {
    name: 'engine',
    entry: 'main/engine/index.ts',
    inputs: [...common, 'main/engine'],
    build: (root, directory) =>
      bundleForNode(root, directory, { entry: 'main/engine/index.ts', format: 'esm', platform: 'node', external: nodeExternals }),
  },
  {
    name: 'cli',
    entry: 'main/cli/index.ts',
    inputs: [...common, 'main/client', 'main/cli'],
    build: async (root, directory) => {
      const source = await readFile(join(root, 'main/cli/index.ts'), 'utf8');
      await bundleForNode(root, directory, {
        entry: 'main/cli/index.ts',
        format: 'esm',
        platform: 'node',
        external: nodeExternals,
        ...(source.startsWith('#!') ? {} : { banner: '#!/usr/bin/env node' }),
      });
      await chmod(join(directory, 'index.js'), 0o755);
    },
  },
  {
    name: 'renderer',
    entry: 'renderer/index.html',
    inputs: [...common, 'renderer', 'assets'],
    build: bundleRenderer,
  },
  {
    name: 'assets',
    entry: 'assets/icon.svg',
    inputs: ['assets', 'build/bundle'],
    build: (root, directory) => cp(join(root, 'assets'), directory, { recursive: true }),
  },
];
