import { expect, test } from 'vitest';
import { findLayerProblems } from './layers.ts';
import { parseSourceFile } from './source-files.ts';

/** What the rules say about files with these contents. */
function problemsOf(contents: Record<string, string>): string[] {
  return findLayerProblems(Object.entries(contents).map(([path, text]) => parseSourceFile(path, text)));
}

test.each([
  ['the contract imports Node', 'contract/errors.ts', "import { join } from 'node:path';", /contract has no Node/],
  [
    'the contract imports a process',
    'contract/errors.ts',
    "import { x } from '../main/engine/index.ts';",
    /contract may import only itself/,
  ],
  ['the window imports Node without its prefix', 'renderer/app/App.tsx', "import fs from 'fs';", /renderer has no Node/],
  ['the window imports Electron', 'renderer/app/App.tsx', "import { ipcRenderer } from 'electron';", /renderer never does/],
  [
    'the window imports the engine',
    'renderer/app/App.tsx',
    "import type { X } from '../../main/engine/x.ts';",
    /may import only itself, contract/,
  ],
  ['the window imports the preload', 'renderer/app/App.tsx', "const x = await import('../../preload/index.ts');", /may import only/],
  ['the preload imports Node', 'preload/index.ts', "import { readFileSync } from 'node:fs';", /preload has no Node/],
  ['the engine imports Electron', 'main/engine/index.ts', "import { app } from 'electron';", /never does/],
  [
    'the engine imports the client',
    'main/engine/index.ts',
    "import { x } from '../client/engine-client.ts';",
    /may import only itself, contract/,
  ],
  [
    'the command line imports the engine',
    'main/cli/index.ts',
    "export { x } from '../engine/index.ts';",
    /may import only itself, contract, main\/client/,
  ],
  ['the shell imports the engine', 'main/shell/menu.ts', "import { x } from '../engine/index.ts';", /may import only/],
  ['a console transport imports Electron', 'main/consoles/transport.ts', "import { app } from 'electron';", /never does/],
  ['the app imports a test', 'main/engine/index.ts', "import { x } from '../../tests/support/x.ts';", /no part of the app/],
  ['a feature imports another', 'renderer/features/library/Card.tsx', "import { x } from '../console/x.ts';", /from the feature library/],
  [
    'a feature imports the routes',
    'renderer/features/library/Card.tsx',
    "import { x } from '../../app/routes.ts';",
    /never import renderer\/app/,
  ],
  ['a primitive imports state', 'renderer/ui/Button.tsx', "import { x } from '../state/guests.ts';", /renderer\/ui may import only itself/],
  [
    'a driver imports guests',
    'main/engine/drivers/qemu/run.ts',
    "import type { X } from '../../guests/actor.ts';",
    /drivers and qmp never import guests/,
  ],
  ['QMP imports guests', 'main/engine/qmp/socket.ts', "import { x } from '../guests/actor.ts';", /drivers and qmp never import guests/],
  ['a route touches the database', 'main/engine/api/routes.ts', "import Database from 'better-sqlite3';", /touch the database/],
])('is caught: %s', (_what, path, text, message) => {
  const problems = problemsOf({ [path]: `\n${text}` });
  expect(problems).toHaveLength(1);
  expect(problems[0]).toMatch(message);
  expect(problems[0]).toMatch(new RegExp(`^${path}:2: imports `));
});

test('files that import each other are caught, also in a wide circle', () => {
  const problems = problemsOf({
    'main/engine/a.ts': "import { b } from './b.ts';",
    'main/engine/b.ts': "import { c } from './c.ts';",
    'main/engine/c.ts': "import { a } from './a.ts';",
    'main/engine/d.ts': "import { a } from './a.ts';",
  });
  expect(problems).toEqual([expect.stringContaining('main/engine/a.ts ↔ main/engine/b.ts ↔ main/engine/c.ts: import each other')]);
});

test('what is allowed is let through', () => {
  expect(
    problemsOf({
      'contract/errors.ts': "import { z } from 'zod';",
      'renderer/app/App.tsx': "import { Library } from '../features/library/Library.tsx';\nimport '../ui/tokens.css';",
      'renderer/features/library/Library.tsx':
        "import { Button } from '../../ui/Button.tsx';\nimport { guests } from '../../state/guests.ts';",
      'main/index.ts': "import { app } from 'electron';\nimport { x } from './shell/x.ts';",
      'main/consoles/electron-ports.ts': "import { MessageChannelMain } from 'electron';",
      'main/engine/guests/store.ts': "import type Database from 'better-sqlite3';",
      'main/engine/guests/actor.test.ts':
        "import { expect } from 'vitest';\nimport { x } from '../../../tests/support/x.ts';\nimport Database from 'better-sqlite3';",
      'main/engine/guests/actor.ts': "import type { Driver } from './driver.ts';",
      'main/engine/guests/driver.ts': "import { x } from './actor.ts';",
    }),
  ).toEqual([]);
});
