/**
 * What pictures come to that servers pack for slow networks, with the browser's own decoder of JPEG: a part of `npm run matrix` that takes no
 * desktop. Seven clients, each with its own packing, look at the starter guest's console, on which text and photos are drawn.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { compareWhenStill, exact, near, openWatchers, type Watcher } from '../matrix/watchers.ts';
import { openBrowserDecoders } from '../support/browser-decoders.ts';
import { differingPixels } from '../support/png.ts';
import { type SpiceStarter, startSpiceStarter } from '../support/spice-starter.ts';
import { photo, screenBytes } from '../support/test-photos.ts';
import { until } from '../support/until.ts';

/** The text console of the starter guest. */
const widthPx = 1280;
const heightPx = 800;
const screenMemory = widthPx * heightPx * 4;

/** A starter guest with photos on its second disk, for several clients. */
function startWithPhotos(device: string, spice: string): Promise<SpiceStarter> {
  return startSpiceStarter(
    (folder) => {
      const photos = join(folder, 'photos');
      writeFileSync(photos, Buffer.concat([5, 23].map((seed) => screenBytes(photo(widthPx, heightPx, seed)))));
      const words = ['-device', device, '-drive', `if=none,id=photos,format=raw,readonly=on,file=${photos}`];
      return [...words, '-device', 'virtio-blk-pci,drive=photos'];
    },
    spice,
    { SPICE_DEBUG_ALLOW_MC: '1' },
  );
}

const packings = (watchers: Watcher[]) =>
  new Set(watchers.flatMap(({ client }) => client.session.details.pictures.map(({ packing }) => packing)));

/** Text, then two photos: how near each client's screen comes to QEMU's each time, in dB. */
async function watchAll(device: string, spice: string, lossy: boolean) {
  const decoders = await openBrowserDecoders();
  onTestFinished(() => decoders.close());
  const machine = await startWithPhotos(device, spice);
  await machine.run('echo 0 > /sys/class/graphics/fbcon/cursor_blink');
  const watchers = await openWatchers(machine.socketPath, decoders);
  onTestFinished(() => {
    for (const { client } of watchers) client.close();
  });
  const look = async () => {
    const found = await compareWhenStill(machine, watchers, lossy ? near : exact);
    expect(found.map(({ end }) => end)).toEqual(watchers.map(() => null));
    return found.map(({ ratioDb }) => ratioDb);
  };
  await machine.run('clear > /dev/tty1; (dmesg; seq 1 60) > /dev/tty1');
  const text = await look();
  const before = await machine.screendump();
  const photos: number[] = [];
  for (const index of [0, 1]) {
    await machine.run(`dd if=/dev/vdb of=/dev/fb0 bs=${screenMemory} skip=${index} count=1`);
    await until('the photo is on the screen', async () => differingPixels(before, await machine.screendump()) > 100_000, 60_000);
    photos.push(...(await look()));
  }
  return { packed: packings(watchers), text, photos };
}

test('with everything lossy allowed, text and photos are near to what the screen shows', async () => {
  const options = ',jpeg-wan-compression=always,zlib-glz-wan-compression=always,streaming-video=off';
  const { packed, text, photos } = await watchAll('virtio-vga', options, true);
  expect([...packed]).toEqual(expect.arrayContaining(['jpeg', 'zlibGlzRgb', 'lzRgb', 'bitmap']));
  for (const ratioDb of [...text, ...photos]) expect(ratioDb).toBeGreaterThanOrEqual(38);
  // JPEG is what auto_glz, auto_lz and quic make of photos.
  expect(photos.filter((ratioDb) => ratioDb === Number.POSITIVE_INFINITY)).toHaveLength(8);
});

test('with nothing lossy, text and photos are what the screen shows, pixel by pixel', async () => {
  const options = ',jpeg-wan-compression=never,zlib-glz-wan-compression=always,streaming-video=off';
  const { packed, text, photos } = await watchAll('VGA', options, false);
  expect([...packed]).toEqual(expect.arrayContaining(['quic', 'lzRgb', 'bitmap']));
  expect(new Set([...text, ...photos])).toEqual(new Set([Number.POSITIVE_INFINITY]));
});
