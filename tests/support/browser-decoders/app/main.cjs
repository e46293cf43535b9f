/** A hidden page with Node, which decodes pictures for the test whose socket DECODER_SOCKET names. */
const { app, BrowserWindow } = require('electron');

app.setPath('userData', process.env.DECODER_PROFILE);
app.whenReady().then(() => {
  const window = new BrowserWindow({
    show: false,
    webPreferences: { nodeIntegration: true, contextIsolation: false, sandbox: false, backgroundThrottling: false },
  });
  window.webContents.on('render-process-gone', () => app.exit(1));
  window.loadFile('page.html');
});
