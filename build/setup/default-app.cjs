/**
 * What a plain `electron <folder> [arguments]` runs: Electron's own default app is missing from the development runtime, and this does the
 * part of it that the project needs. The folder's package.json names the app, its version and its main script.
 */
const { app } = require('electron');
const { existsSync, readFileSync } = require('node:fs');
const { join, resolve } = require('node:path');

const named = process.argv.slice(1).find((argument) => !argument.startsWith('-'));
const folder = named === undefined ? null : resolve(named);
if (folder === null || !existsSync(join(folder, 'package.json'))) {
  console.error(folder === null ? 'Usage: electron FOLDER [ARGUMENTS]' : `There is no app in ${folder}: it has no package.json.`);
  process.exit(2);
}

const { name, productName, version, main, desktopName } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
process.defaultApp = true;
app.name = productName ?? name;
app.setVersion(version);
app.setDesktopName(desktopName ?? `${app.name}.desktop`);
app.setAppPath(folder);
app.setPath('userData', join(app.getPath('appData'), app.name));
require(join(folder, main));
