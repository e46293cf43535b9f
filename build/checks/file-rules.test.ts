import { expect, test } from 'vitest';
import { findFileProblems } from './file-rules.ts';
import { parseSourceFile } from './source-files.ts';

const problemsOf = (path: string, text = 'export const x = 1;\n') => findFileProblems([parseSourceFile(path, text)]);

test.each([
  ['an empty name', 'main/engine/utils.ts', /“utils” does not say what is inside/],
  ['an empty folder name', 'renderer/common/tokens.ts', /“common” does not say/],
  ['a name that ends emptily', 'main/shell/window-manager.ts', /“window-manager” does not say/],
  ['a module in camelCase', 'contract/guestState.ts', /kebab-case/],
])('is caught: %s', (_what, path, message) => {
  expect(problemsOf(path)).toEqual([expect.stringMatching(message)]);
});

test('a component in a file that is not named like it is caught', () => {
  expect(problemsOf('renderer/ui/icon-button.tsx', 'export function IconButton() {}')).toEqual([
    expect.stringContaining('named IconButton.tsx'),
  ]);
  expect(problemsOf('renderer/ui/buttons.tsx', 'export function IconButton() {}\nexport function TextButton() {}')).toEqual([]);
});

test('a file that is too long is caught', () => {
  expect(problemsOf('main/engine/a.ts', 'export const x = 1;\n'.repeat(600))).toEqual([
    expect.stringContaining('has 601 lines; 600 is the most'),
  ]);
});

test('a file that only hands on the exports of others is caught', () => {
  expect(problemsOf('renderer/ui/index.ts', "export * from './Button.tsx';\nexport { Card } from './Card.tsx';\n")).toEqual([
    expect.stringContaining('only hands on'),
  ]);
});

test('unfinished work is caught with its line', () => {
  expect(problemsOf('main/engine/a.ts', `export const x = 1;\n// ${'TO'}${'DO'}: more\n`)).toEqual([
    expect.stringContaining('main/engine/a.ts:2:'),
  ]);
});

test('well-named files are let through', () => {
  for (const path of [
    'contract/guest-can.ts',
    'renderer/ui/Button.tsx',
    'renderer/main.tsx',
    'vitest.config.ts',
    'renderer/ui/Button.test.tsx',
    'main/index.ts',
  ])
    expect(problemsOf(path, path === 'renderer/ui/Button.tsx' ? 'export function Button() {}' : 'export const x = 1;')).toEqual([]);
});
