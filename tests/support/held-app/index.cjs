/**
 * The app of this checkout, held back until Playwright is connected. Playwright waits for ever for a window that it meets between its first
 * empty page and its real one, about once in twenty starts on a busy computer; so no window is opened before it looks. It holds apps back
 * itself only where it chooses the executable, and calls `__playwright_run` in any case.
 */
const { app } = require('electron');
const { resolve } = require('node:path');

const reallyReady = app.whenReady();
const { promise: released, resolve: release } = Promise.withResolvers();
let isReleased = false;
globalThis.__playwright_run = async () => {
  await reallyReady;
  isReleased = true;
  release();
};
// All that the app asks; it does not listen to `ready`.
app.whenReady = () => released;
app.isReady = () => isReleased;

// From here on as if the checkout's own folder had been named.
const checkout = resolve(__dirname, '../../..');
process.argv[process.argv.indexOf(__dirname)] = checkout;
require('../../../build/setup/default-app.cjs');
