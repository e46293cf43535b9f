/**
 * `npm run screens`: pictures of every page of the real app with real guests, light and dark, also small and enlarged, into screens/.
 * `npm run screens -- --guide` also replaces the pictures of the user's guide with those of the same run.
 */
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { defineGuests } from '../bench/defined-guests.ts';
import { withApp } from '../bench/measured-app.ts';
import { createStarterGuest, engineIn, type MeasuredEngine, withHome } from '../bench/measured-engine.ts';
import type { Guest } from '../contract/guest-state.ts';
import type { GuestId } from '../contract/ids.ts';
import { jobEnded } from '../contract/job.ts';
import { until } from '../tests/support/until.ts';
import { projectRoot } from './places.ts';
import { Photographer } from './screens/photographer.ts';
import { prepare } from './setup/prepare.ts';

const directory = join(projectRoot, 'screens');
const guideDirectory = join(projectRoot, 'docs/guide/img');

/** Pictures of the guide, and which of the run they are. */
const guidePictures: Record<string, string> = {
  'library-light.png': 'light/1280x800/library-one.png',
  'library-empty-light.png': 'light/1280x800/library-empty.png',
  'library-many-dark.png': 'dark/1280x800/library-hundred.png',
  'create-light.png': 'light/1280x800/new.png',
  'console-light.png': 'light/1280x800/guest-console.png',
  'overview-light.png': 'light/1280x800/guest-overview.png',
  'health-light.png': 'light/1280x800/health.png',
  'hardware-light.png': 'light/1280x800/guest-hardware.png',
  'snapshots-light.png': 'light/1280x800/guest-snapshots.png',
  'images-light.png': 'light/1280x800/images.png',
  'downloads-light.png': 'light/1280x800/downloads.png',
  'storage-light.png': 'light/1280x800/storage.png',
};

const longName = 'Accounting desktop of the second floor, Windows, kept for the tax returns of 2019 to 2024 until the audit is over'.padEnd(
  120,
  '!',
);
const rightToLeftName = 'שרת הבדיקות של المكتب';
const log = (line: string) => console.log(line);

/** One engine and one window on the data folder, for a part of the pictures. */
function session(home: string, action: (camera: Photographer, page: Page, engine: MeasuredEngine) => Promise<void>): Promise<void> {
  return engineIn(home, (engine) =>
    withApp([projectRoot], engine.environment, async (electron, page) => {
      // Playwright makes every page light unless it is told to leave that alone.
      await page.emulateMedia({ colorScheme: null });
      await page.locator('#content').waitFor();
      await action(new Photographer(electron, page, engine.client, directory, log), page, engine);
    }),
  );
}

/** What the library looks like before anything is in it, and the pages that need no guest. */
async function photographEmpty(camera: Photographer, page: Page): Promise<void> {
  await camera.go('/library');
  await page.getByRole('heading').first().waitFor();
  await camera.take('library-empty', ['800x600', 'zoom-200']);
  for (const [address, name] of [
    ['/new', 'new'],
    ['/new/iso', 'new-iso'],
    ['/new/image', 'new-image'],
    ['/import', 'import'],
    ['/images', 'images'],
    ['/downloads', 'downloads'],
    ['/storage', 'storage'],
    ['/activity', 'activity-empty'],
    ['/trash', 'trash-empty'],
    ['/settings', 'settings'],
    ['/no/such/page', 'not-found'],
  ] as const) {
    await camera.go(address);
    await page.getByRole('heading').first().waitFor();
    await camera.take(name, ['800x600', 'zoom-200']);
  }
  await camera.go('/new/iso?path=/nowhere/missing.iso');
  await page.getByText('missing.iso').first().waitFor();
  await camera.take('new-iso-failing', ['800x600']);
  await camera.go('/health');
  // The doctor tries every accelerator once, with a deadline of its own.
  await until('the doctor has finished', async () => (await page.getByText('KVM').count()) > 0, 90_000);
  await camera.take('health', ['800x600', 'zoom-200']);
}

/** One guest, running: the library and all that its page shows. */
async function photographOne(camera: Photographer, page: Page, { client }: MeasuredEngine, guest: Guest): Promise<void> {
  await client.call('guest.start', { guest: guest.id });
  await camera.go(`/guests/${guest.id}/console`);
  await until('the guest has booted', () => isBooted({ client }, guest.id), 120_000);
  await client.call('guest.type', { guest: guest.id, text: 'uname -a\n' });
  await page.locator('canvas[data-console-canvas]').waitFor();
  await until('the guest has answered', () => hasQuietScreen({ client }, guest.id), 60_000);
  await camera.take('guest-console', ['800x600', 'zoom-200']);
  for (const name of ['Freshly started', 'Before the update']) await takeSnapshot({ client }, guest.id, name);
  for (const tab of ['overview', 'hardware', 'snapshots', 'activity', 'terminal']) {
    await camera.go(`/guests/${guest.id}/${tab}`);
    await page.getByRole('tabpanel').first().waitFor();
    await camera.take(`guest-${tab}`, ['800x600', 'zoom-200']);
  }
  await camera.go('/library');
  await page.getByText(guest.spec.name).first().waitFor();
  await camera.take('library-one', ['800x600', 'zoom-200']);
  await page.keyboard.press('Control+k');
  await page.getByRole('dialog').waitFor();
  await camera.take('command-palette', ['800x600']);
  await page.keyboard.press('Escape');
}

/** What happens when QEMU is gone, and when the engine does not answer. */
async function photographTrouble(camera: Photographer, page: Page, { client, pid }: MeasuredEngine, guest: Guest): Promise<void> {
  const { state } = await client.call('guest.show', { guest: guest.id });
  if (!state.run) throw new Error('The guest that was started does not run.');
  process.kill(state.run.pid, 'SIGKILL');
  await until('the guest is crashed', async () => (await client.call('guest.show', { guest: guest.id })).state.status === 'crashed');
  for (const tab of ['console', 'overview']) {
    await camera.go(`/guests/${guest.id}/${tab}`);
    await page.getByRole('tabpanel').first().waitFor();
    await camera.take(`guest-crashed-${tab}`, ['800x600']);
  }
  await camera.go('/activity');
  await page.getByRole('heading').first().waitFor();
  await camera.take('activity', ['800x600', 'zoom-200']);

  // Stopped and not slow: what a page shows while an answer is awaited can be looked at for as long as it takes.
  process.kill(pid, 'SIGSTOP');
  try {
    await camera.go('/health');
    await page.waitForTimeout(1000);
    writeFileSync(join(directory, 'light/1280x800/health-loading.png'), await camera.capture());
  } finally {
    process.kill(pid, 'SIGCONT');
  }
}

/** A hundred guests, with the names that break layouts. */
async function photographMany(camera: Photographer, page: Page, { client }: MeasuredEngine): Promise<void> {
  const [first, second] = await client.call('guest.list', {});
  if (first) await client.call('guest.rename', { guest: first.id, name: longName });
  if (second) await client.call('guest.rename', { guest: second.id, name: rightToLeftName });
  await camera.go('/library');
  await page.getByText(longName).first().waitFor();
  await camera.take('library-hundred', ['800x600', 'zoom-200']);
  await camera.go(`/library?q=${encodeURIComponent(rightToLeftName)}`);
  await page.getByText(rightToLeftName).first().waitFor();
  await camera.take('library-right-to-left');
  await camera.go('/library');
  await client.call('settings.set', { libraryView: 'table' });
  await page.getByRole('grid').waitFor();
  await camera.take('library-table', ['800x600', 'zoom-200']);
  if (first) {
    await camera.go(`/guests/${first.id}/overview`);
    await page.getByRole('tabpanel').first().waitFor();
    await camera.take('guest-long-name', ['800x600', 'zoom-200']);
  }
}

async function isBooted({ client }: Pick<MeasuredEngine, 'client'>, guest: GuestId): Promise<boolean> {
  return (await client.call('guest.show', { guest })).state.run?.qemuAgent === true;
}

async function takeSnapshot({ client }: Pick<MeasuredEngine, 'client'>, guest: GuestId, name: string): Promise<void> {
  const { job } = await client.call('snapshot.create', { guest, name, memory: false });
  await until(`the snapshot “${name}” is there`, async () => jobEnded.has((await client.call('job.show', { job: job.id })).state), 60_000);
}

/** Two pictures in a row are equal. */
async function hasQuietScreen({ client }: Pick<MeasuredEngine, 'client'>, guest: GuestId): Promise<boolean> {
  const first = await client.call('guest.screenshot', { guest });
  const second = await client.call('guest.screenshot', { guest });
  return first.pngBase64 === second.pngBase64;
}

async function makeScreens(): Promise<void> {
  await prepare((stage, line) => log(`[${stage}] ${line}`));
  rmSync(directory, { recursive: true, force: true });
  await withHome(async (home) => {
    let guest: Guest | null = null;
    await session(home, async (camera, page, engine) => {
      await photographEmpty(camera, page);
      guest = await createStarterGuest(engine.client, 'Starter');
      await photographOne(camera, page, engine, guest);
      await photographTrouble(camera, page, engine, guest);
    });
    const { spec } = guest as unknown as Guest;
    defineGuests(join(home, 'guesthouse.db'), spec, 99);
    await session(home, photographMany);
  });
  if (process.argv.includes('--guide')) {
    mkdirSync(guideDirectory, { recursive: true });
    for (const [name, from] of Object.entries(guidePictures)) copyFileSync(join(directory, from), join(guideDirectory, name));
    log(`replaced ${Object.keys(guidePictures).length} pictures of the guide`);
  }
}

await makeScreens();
