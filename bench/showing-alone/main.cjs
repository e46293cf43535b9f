/**
 * A canvas on which the parts that a console showed change when they did, and nothing else happens: nothing is carried, unpacked or drawn. What that
 * costs is the least that any console in this browser can.
 */
const { app, BrowserWindow } = require('electron');
const { join } = require('node:path');

app.on('window-all-closed', () => app.quit());
app.whenReady().then(() => {
  const window = new BrowserWindow({ width: 1400, height: 950, webPreferences: { sandbox: true, contextIsolation: true } });
  window.loadFile(join(__dirname, 'page.html'));
});
