/**
 * spice-html5 in a page of its own, as its authors meant it: the peer that a console is measured beside. A WebSocket on loopback stands for the
 * websockify that the package asks for; it leads to the Unix socket in SPICE_SOCKET.
 */
const { app, BrowserWindow, protocol } = require('electron');
const { readFile } = require('node:fs/promises');
const { connect } = require('node:net');
const { join, normalize } = require('node:path');
const { WebSocketServer } = require(join(process.env.PROJECT_MODULES, 'ws'));

const vendor = join(process.env.PROJECT_MODULES, '@spice-project/spice-html5');
protocol.registerSchemesAsPrivileged([{ scheme: 'bare', privileges: { standard: true, secure: true, supportFetchAPI: true } }]);

app.on('window-all-closed', () => app.quit());
app.whenReady().then(() => {
  protocol.handle('bare', async ({ url }) => {
    const path = normalize(new URL(url).pathname);
    const file = path.startsWith('/src/') ? join(vendor, path) : join(__dirname, path === '/' ? 'page.html' : path);
    const type = path.endsWith('.js') ? 'text/javascript' : 'text/html';
    return new Response(await readFile(file), { headers: { 'content-type': type } });
  });
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, handleProtocols: () => 'binary' }, () => {
    const window = new BrowserWindow({ width: 1400, height: 950, webPreferences: { sandbox: true, contextIsolation: true } });
    window.loadURL(`bare://page/?port=${server.address().port}`);
  });
  server.on('connection', (channel) => {
    const guest = connect(process.env.SPICE_SOCKET);
    channel.on('message', (bytes) => guest.write(bytes));
    guest.on('data', (bytes) => channel.send(bytes));
    channel.on('close', () => guest.destroy());
    guest.on('close', () => channel.close());
    guest.on('error', () => channel.close());
  });
});
