import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { projectRoot } from './places.ts';

interface Manifest {
  license: string;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
}

const read = (path: string) => readFileSync(join(projectRoot, path), 'utf8');
const readManifest = (path: string) => JSON.parse(read(path)) as Manifest;

const manifest = readManifest('package.json');
const named = { ...manifest.dependencies, ...manifest.devDependencies };
const rows = [...read('docs/dependencies.md').matchAll(/^\| (?!package \|)(@?[a-z0-9][\w./-]*) \| ([^|]+) \| ([^|]+) \|$/gm)].map(
  ([, name, licence]) => ({ name, licence }),
);

test('docs/dependencies.md names every dependency once, and nothing else', () => {
  expect(rows.map(({ name }) => name).sort()).toEqual(Object.keys(named).sort());
});

test.each(rows)('the licence of $name is as documented', ({ name, licence }) => {
  expect(readManifest(`node_modules/${name}/package.json`).license).toBe(licence);
});

test('every dependency is pinned exactly', () => {
  for (const [name, version] of Object.entries(named)) expect(version, name).toMatch(/^\d+\.\d+\.\d+$/);
});

test('the lockfile names no host but the npm registry', () => {
  const hosts = new Set([...read('package-lock.json').matchAll(/"resolved": "([a-z+]+:\/\/[^/"]*)/g)].map((match) => match[1]));
  hosts.delete('https://registry.npmjs.org');
  expect([...hosts]).toEqual([]);
});

test('the lockfile holds what other systems need too', () => {
  // npm leaves out optional packages that its registry does not have, and npm ci then refuses the lockfile everywhere.
  const { packages } = JSON.parse(read('package-lock.json')) as {
    packages: Record<string, { optionalDependencies?: Record<string, string> }>;
  };
  for (const [path, { optionalDependencies = {} }] of Object.entries(packages))
    for (const name of Object.keys(optionalDependencies))
      expect(Boolean(packages[`node_modules/${name}`] ?? packages[`${path}/node_modules/${name}`]), `${name}, wanted by ${path}`).toBe(
        true,
      );
});
