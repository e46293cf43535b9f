/**
 * Exits 0 when node_modules holds exactly what package-lock.json names and what its install scripts make, else 1.
 *
 * Compares npm's own record of what it installed with the lockfile, so that a checkout where somebody ran npm by hand counts as well. Runs on
 * whatever Node the system has.
 */
const { existsSync, readFileSync } = require('node:fs');
const { join } = require('node:path');

const root = join(__dirname, '../..');
const madeByScripts = ['node_modules/.bin/node', 'node_modules/node-pty/build/Release/pty.node'];

/** @returns {Record<string, { version: string, optional?: boolean, devOptional?: boolean }> | null} */
function packagesIn(file) {
  try {
    return JSON.parse(readFileSync(join(root, file), 'utf8')).packages;
  } catch {
    return null;
  }
}

function isInstalled() {
  const wanted = packagesIn('package-lock.json');
  const installed = packagesIn('node_modules/.package-lock.json');
  if (!wanted || !installed) return false;
  for (const [path, { version, optional, devOptional }] of Object.entries(wanted)) {
    if (path === '') continue;
    if (installed[path] ? installed[path].version !== version : !optional && !devOptional) return false;
  }
  if (Object.keys(installed).some((path) => !wanted[path])) return false;
  return process.platform === 'win32' || madeByScripts.every((file) => existsSync(join(root, file)));
}

process.exitCode = isInstalled() ? 0 : 1;
