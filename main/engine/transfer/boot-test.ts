/**
 * Starts a copy once to see whether it boots: on an overlay that is thrown away, without a way out of its network card, in a folder of its
 * own, so that the copy stays as it was. What is seen is measured, not understood: how much it read of its disk, and whether its screen
 * changed.
 */
import { createHash } from 'node:crypto';
import { link, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { toGuesthouseError } from '../../../contract/errors.ts';
import type { GuestSpec } from '../../../contract/guest-spec.ts';
import type { GuestId } from '../../../contract/ids.ts';
import type { BootTest } from '../../../contract/machine.ts';
import type { Driver, DriverRun, Screenshot } from '../drivers/driver.ts';
import { writeWhole } from '../files/durable.ts';
import type { GuestFiles, Layout } from '../files/layout.ts';
import { createOverlay } from '../images/empty-overlay.ts';
import { layerIdOf, readBases } from '../layers/disk-chain.ts';

export type BootTestOptions = {
  id: GuestId;
  spec: GuestSpec;
  layout: Layout;
  driver: Driver;
  /** What became of giving it drivers, kept with the verdict. */
  drivers: string | null;
  signal: AbortSignal;
  onProgress: (done: number, total: number) => void;
};

/** More than firmware reads while it looks for something to start. */
const bootReadBytes = 3 * 1024 * 1024;
const limitSeconds = { emulated: 150, accelerated: 60 };
/** A screen that stays as it is for so long has arrived somewhere. */
const calmSeconds = 12;
/** Firmware that found nothing neither reads nor draws any more. */
const stillSeconds = 45;
const lookEveryMs = 2000;

/** Where the test keeps everything, and what is left of it. */
const testFolder = (files: GuestFiles) => join(files.folder, 'boot-test');
export const bootTestRecord = (files: GuestFiles) => join(files.folder, 'boot-test.json');
export const bootTestPicture = (files: GuestFiles) => join(files.folder, 'boot-test.png');

/** Runs the test and writes down how it went. @throws the signal's reason; whatever else happens is the verdict. */
export async function testBoot(options: BootTestOptions): Promise<BootTest> {
  const { id, layout, driver, signal } = options;
  const files = filesOfTest(layout.guest(id));
  await endLeftover(options, files);
  const begunMs = performance.now();
  let seen: Seen;
  try {
    await prepareDisks(options, files);
    seen = await watch(options, files);
  } catch (thrown) {
    signal.throwIfAborted();
    const { message, detail } = toGuesthouseError(thrown);
    seen = { verdict: 'failed', text: [message, detail].filter(Boolean).join(' '), picture: null };
  } finally {
    await driver.clear(files);
    await rm(files.folder, { recursive: true, force: true });
  }
  const test: BootTest = {
    verdict: seen.verdict,
    text: seen.text,
    seconds: Math.round((performance.now() - begunMs) / 1000),
    drivers: options.drivers,
    at: new Date().toISOString(),
    pngBase64: null,
  };
  const real = layout.guest(id);
  if (seen.picture) await writeFile(bootTestPicture(real), seen.picture.png, { mode: 0o600 });
  // Until it is started for the first time, this is the last picture that there is of it.
  if (seen.picture) await writeFile(real.lastFrame, seen.picture.png, { mode: 0o600 });
  await writeWhole(bootTestRecord(real), JSON.stringify(test));
  return test;
}

/** Ends what an engine that died left running of a test. Idempotent. */
export async function forgetBootTest({
  id,
  spec,
  layout,
  driver,
}: Pick<BootTestOptions, 'id' | 'spec' | 'layout' | 'driver'>): Promise<void> {
  const files = filesOfTest(layout.guest(id));
  await endLeftover({ id, spec, driver }, files);
  await rm(files.folder, { recursive: true, force: true });
}

function filesOfTest(real: GuestFiles): GuestFiles {
  const folder = testFolder(real);
  return {
    ...real,
    folder,
    disk: (file) => join(folder, file),
    nvram: join(folder, 'nvram.fd'),
    tpmState: join(folder, 'tpm'),
    suspended: join(folder, 'suspended.state'),
    lastFrame: join(folder, 'last-frame.png'),
    serialLog: join(folder, 'serial.log'),
    qemuLog: join(folder, 'qemu.log'),
    bases: { ...real.bases, layers: join(folder, 'layers') },
  };
}

async function endLeftover({ id, spec, driver }: Pick<BootTestOptions, 'id' | 'spec' | 'driver'>, files: GuestFiles): Promise<void> {
  const facts = driver.find(files);
  if (!facts) return;
  const run = await driver.adopt({ id, spec, files }, facts, () => undefined);
  if ('end' in run && typeof run.end === 'function') await run.end();
  await driver.clear(files);
}

/**
 * Overlays upon other names of the very copies, which so look like layers. The layers that a copy of a capsule builds upon get other names
 * beside them, where the names in their headers lead to.
 */
async function prepareDisks({ id, spec, layout }: BootTestOptions, files: GuestFiles): Promise<void> {
  await rm(files.folder, { recursive: true, force: true });
  const real = layout.guest(id);
  for (const [index, disk] of spec.disks.entries()) {
    if (disk.location.kind !== 'store') continue;
    const copy = real.disk(disk.location.file);
    const base = join(files.bases.layers, `l${String(index).padStart(9, '0')}`, 'disk.qcow2');
    await giveName(copy, base);
    for (const { path } of await readBases(copy, real.bases, `The disk ${disk.id}`)) {
      const layer = layerIdOf(path, real.bases.layers);
      if (layer) await giveName(path, join(files.bases.layers, layer, 'disk.qcow2'));
    }
    await createOverlay(files.disk(disk.location.file), { path: base, format: 'qcow2' }, disk.sizeBytes);
  }
}

async function giveName(path: string, name: string): Promise<void> {
  await mkdir(dirname(name), { recursive: true, mode: 0o700 });
  await rm(name, { force: true });
  await link(path, name);
}

type Seen = Pick<BootTest, 'verdict' | 'text'> & { picture: Screenshot | null };

async function watch({ id, spec, driver, signal, onProgress }: BootTestOptions, files: GuestFiles): Promise<Seen> {
  const alone: GuestSpec = {
    ...spec,
    // It is only looked at: it reaches nobody, and holds no port or disc that others may want.
    nics: spec.nics.map((nic) => ({ ...nic, mode: 'user' as const, bridge: null, restricted: true, forwards: [] })),
    cdDrives: spec.cdDrives.map((drive) => ({ ...drive, medium: null })),
    extraArguments: [],
    autostart: false,
  };
  let ended: string | null = null;
  const prepared = await driver.prepare({
    id,
    spec: alone,
    files,
    saved: null,
    imagePath: () => '',
    seed: null,
    portHolders: new Map(),
  });
  const run = await prepared.launch((event) => {
    if (event.kind === 'ended') ended = event.end.crash?.text ?? 'It powered itself off.';
  }, signal);
  try {
    await run.begin();
    const limit = run.facts.accelerator === 'tcg' ? limitSeconds.emulated : limitSeconds.accelerated;
    const observed = await observe(run, limit, () => ended, signal, onProgress);
    return { ...verdictOf(observed, limit), picture: observed.picture };
  } finally {
    if (ended === null) await run.end().catch(() => undefined);
    run.release();
  }
}

type Observed = { readBytes: number; changes: number; seconds: number; ended: string | null; picture: Screenshot | null };

async function observe(
  run: DriverRun,
  limit: number,
  ended: () => string | null,
  signal: AbortSignal,
  onProgress: BootTestOptions['onProgress'],
): Promise<Observed> {
  const begunMs = performance.now();
  const seen: Observed = { readBytes: 0, changes: 0, seconds: 0, ended: null, picture: null };
  // Two, since a cursor that blinks goes back and forth between them for ever, and a screen with nothing else on it has come to rest.
  let lastTwo: string[] = [];
  let changedAt = 0;
  let readAt = 0;
  let measuredMs = begunMs;
  for (;;) {
    await pause(lookEveryMs, undefined, { signal }).catch(() => signal.throwIfAborted());
    seen.ended = ended();
    if (seen.ended !== null) return seen;
    const nowMs = performance.now();
    seen.seconds = (nowMs - begunMs) / 1000;
    onProgress(Math.min(seen.seconds, limit), limit);
    const sample = await run.measure().catch(() => null);
    const readBytes = sample ? (sample.diskReadBytesPerSecond * (nowMs - measuredMs)) / 1000 : 0;
    if (readBytes > 0) readAt = seen.seconds;
    seen.readBytes += readBytes;
    measuredMs = nowMs;
    const picture = await run.screenshot().catch(() => null);
    if (picture) {
      const hash = createHash('sha256').update(picture.png).digest('hex');
      if (!lastTwo.includes(hash)) {
        if (lastTwo.length > 0) {
          seen.changes += 1;
          changedAt = seen.seconds;
        }
        lastTwo = [hash, ...lastTwo.slice(0, 1)];
      }
      seen.picture = picture;
    }
    const arrived = seen.readBytes >= bootReadBytes && seen.changes > 0 && seen.seconds - changedAt >= calmSeconds;
    const still = seen.seconds - Math.max(changedAt, readAt) >= stillSeconds;
    if (arrived || still || seen.seconds >= limit) return seen;
  }
}

function verdictOf({ readBytes, changes, seconds, ended }: Observed, limit: number): Pick<BootTest, 'verdict' | 'text'> {
  const read = `${(readBytes / 1024 ** 2).toFixed(1)} MiB`;
  const after = `${Math.round(seconds)} s`;
  if (readBytes < bootReadBytes) {
    const text = `Within ${Math.round(Math.min(seconds, limit))} s it had read only ${read} of its disk: the firmware seems to have found nothing to start.`;
    return { verdict: 'idle', text: ended === null ? text : `${text} Then it ended. ${ended}` };
  }
  if (ended !== null) return { verdict: 'reading', text: `It read ${read} of its disk and then ended. ${ended}` };
  if (changes === 0) return { verdict: 'reading', text: `It read ${read} of its disk within ${after}, but its screen stayed as it was.` };
  return {
    verdict: 'booted',
    text: `It read ${read} of its disk and its screen changed ${changes} times within ${after}. The picture shows where it came to.`,
  };
}
