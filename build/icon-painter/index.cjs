/** Draws an SVG as PNGs with Chromium, the same that shows it later. Its last argument says what, where and how large. */
const { app, BrowserWindow } = require('electron');
const { readFileSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');

const { drawing, directory, sizes } = JSON.parse(process.argv.at(-1));

async function paint() {
  const window = new BrowserWindow({ show: false });
  await window.loadURL('about:blank');
  const source = `data:image/svg+xml;base64,${readFileSync(drawing).toString('base64')}`;
  for (const size of sizes) {
    // Drawn by the page onto a canvas, and not taken from the window, so that the corners stay transparent.
    const picture = await window.webContents.executeJavaScript(`(async () => {
      const image = new Image(${size}, ${size});
      image.src = ${JSON.stringify(source)};
      await image.decode();
      const canvas = document.createElement('canvas');
      canvas.width = canvas.height = ${size};
      canvas.getContext('2d').drawImage(image, 0, 0, ${size}, ${size});
      return canvas.toDataURL('image/png');
    })()`);
    writeFileSync(join(directory, `${size}x${size}.png`), Buffer.from(picture.split(',')[1], 'base64'));
  }
}

app
  .whenReady()
  .then(paint)
  .then(
    () => app.exit(0),
    (error) => {
      console.error(error);
      app.exit(1);
    },
  );
