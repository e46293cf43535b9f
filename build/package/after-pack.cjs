/** Called by electron-builder with the finished folder, before targets such as deb are made of it. */
const { existsSync, rmSync } = require('node:fs');
const { join } = require('node:path');

exports.default = async ({ appOutDir }) => {
  // The development runtime has a default app there (build/setup/default-app.cjs), which Electron would prefer to app.asar.
  const defaultApp = join(appOutDir, 'resources/app');
  if (existsSync(defaultApp)) rmSync(defaultApp, { recursive: true });
};
