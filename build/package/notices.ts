/** The licences of everything that is shipped, collected from the packages themselves. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { projectRoot } from '../places.ts';

interface Shipped {
  name: string;
  version: string;
  license: string;
  texts: string[];
}

const licenceFile = /^(licen[cs]e|copying|notice)(\.|-|$)/i;

/**
 * The text of THIRD-PARTY-NOTICES. `sources` are the files that went into the bundles, as the bundlers' source maps name them; each stands
 * for the package that holds it. `added` are packages that are shipped without being bundled.
 */
export function writeNotices(sources: readonly string[], added: readonly string[]): string {
  const directories = new Set(added.map((name) => join('node_modules', name)));
  for (const source of sources) {
    const directory = packageDirectory(source);
    if (directory) directories.add(directory);
  }
  const shipped = [...directories].sort().flatMap(readPackage);
  const header =
    'Guesthouse is licensed under the Apache License 2.0 (see LICENSE). It contains the following works of others.\n' +
    'The licences of Electron and Chromium stand in LICENSE.electron.txt and LICENSES.chromium.html beside the program.\n' +
    'spice-html5 may be replaced: see resources/app.asar.unpacked/out/renderer/vendor/spice-html5/NOTICE.txt.\n';
  const sections = shipped.map(({ name, version, license, texts }) => [`${name} ${version} (${license})`, ...texts].join('\n\n'));
  return [header, ...sections].join(`\n${'-'.repeat(80)}\n\n`);
}

/** `…/node_modules/@scope/name/lib/x.js` → `node_modules/@scope/name`; null for our own sources. */
function packageDirectory(source: string): string | null {
  return /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(source)?.[0] ?? null;
}

function readPackage(directory: string): Shipped[] {
  const absolute = join(projectRoot, directory);
  if (!existsSync(join(absolute, 'package.json')))
    throw new Error(`${directory} is shipped, but ${relative(projectRoot, absolute)} is not installed.`);
  const { name, version, license } = JSON.parse(readFileSync(join(absolute, 'package.json'), 'utf8')) as Partial<
    Record<'name' | 'version' | 'license', string>
  >;
  if (!name || !version || !license) throw new Error(`${directory}/package.json names no licence; find out what it is before shipping it.`);
  const texts = readdirSync(absolute)
    .filter((file) => licenceFile.test(file))
    .map((file) => readFileSync(join(absolute, file), 'utf8').trim());
  return [{ name, version, license, texts }];
}
