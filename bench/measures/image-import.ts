import { execFile } from 'node:child_process';
import { open, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { jobEnded } from '../../contract/job.ts';
import type { EngineClient } from '../../main/client/engine-client.ts';
import { type Measure, timed } from '../figures.ts';
import { residentMiB, withEngine } from '../measured-engine.ts';

const run = promisify(execFile);
const mib = 1024 ** 2;
const dataMiB = 1024;

/** What an import costs beside the copying alone: the hash, the check, the row; and what the engine holds in memory meanwhile. */
export const imageImport: Measure = {
  name: 'image-import',
  about: 'image.import of a disk with 1 GiB of data beside cp --sparse and qemu-img convert, and the engine’s memory during 20 GB',
  run: (log) =>
    withEngine(async ({ client, home, pid }) => {
      await client.call('settings.set', { keepFreeMiB: 0 });
      const raw = join(home, 'disk.img');
      await makeDisk(raw, dataMiB, 4096);
      const ours = await timed(() => importFile(client, raw));
      const copied = await timed(() => run('cp', ['--sparse=always', raw, join(home, 'copy.img')]));
      const hashed = copied + (await timed(() => run('sha256sum', [join(home, 'copy.img')])));
      log(`raw: ${ours.toFixed(0)} ms, cp ${copied.toFixed(0)} ms, with sha256sum ${hashed.toFixed(0)} ms`);

      const vmdk = join(home, 'disk.vmdk');
      await run('qemu-img', ['convert', '-f', 'raw', '-O', 'vmdk', raw, vmdk]);
      const converted = await timed(() => importFile(client, vmdk));
      const bare = await timed(() => run('qemu-img', ['convert', '-f', 'vmdk', '-O', 'qcow2', vmdk, join(home, 'copy.qcow2')]));
      log(`VMDK: ${converted.toFixed(0)} ms, qemu-img convert ${bare.toFixed(0)} ms`);

      const large = join(home, 'large.img');
      await makeDisk(large, 16, 20_000);
      let peakMiB = 0;
      let done = false;
      const importing = importFile(client, large).finally(() => {
        done = true;
      });
      while (!done) {
        peakMiB = Math.max(peakMiB, await residentMiB(pid));
        await Promise.race([pause(100), importing]);
      }
      return [
        {
          what: 'image.import, raw, 1 GiB in 4 GiB',
          value: ours,
          unit: 'ms',
          beside: { what: 'cp --sparse=always', value: copied },
          aim: null,
        },
        { what: 'the same', value: ours, unit: 'ms', beside: { what: 'cp and sha256sum', value: hashed }, aim: null },
        {
          what: 'image.import, VMDK, 1 GiB in 4 GiB',
          value: converted,
          unit: 'ms',
          beside: { what: 'qemu-img convert', value: bare },
          aim: null,
        },
        {
          what: 'engine memory during a sparse import of 20 GB',
          value: peakMiB,
          unit: 'MiB',
          beside: null,
          aim: { kind: 'value', limit: 200 },
        },
      ];
    }),
};

/** A raw disk with a boot record, some data that does not pack, and nothing behind it. */
async function makeDisk(path: string, usedMiB: number, sizeMiB: number): Promise<void> {
  await run('sh', ['-c', 'head -c "$2" /dev/urandom > "$1"', 'sh', path, String(usedMiB * mib)]);
  const file = await open(path, 'r+');
  await file.write(Buffer.from([0x55, 0xaa]), 0, 2, 510);
  await file.close();
  await truncate(path, sizeMiB * mib);
}

async function importFile(client: EngineClient, path: string): Promise<void> {
  const { id } = await client.call('image.import', { path });
  for (;;) {
    const now = await client.call('job.show', { job: id });
    if (now.state === 'succeeded') return;
    if (jobEnded.has(now.state)) throw new Error(`the import ${now.state}: ${now.error?.message}`);
    await pause(20);
  }
}
