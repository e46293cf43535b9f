/** Downloads by a real engine that is killed in the middle of them. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type Job, jobEnded } from '../../contract/job.ts';
import { startFileServer } from '../support/file-server.ts';
import { until } from '../support/until.ts';
import { connect, engineHome, killEngine } from '../support/whole-engine.ts';

const memtest = readFileSync('/usr/lib/memtest86+/memtest86+x64.iso');
const sha256 = createHash('sha256').update(memtest).digest('hex');

test('a download goes on by itself where it was when its engine was killed, again and again', async () => {
  const server = await startFileServer();
  server.serve('/disc.iso', { body: memtest, etag: '"one"', bytesPerSecond: 2_500_000 });
  const home = await engineHome();
  let client = await connect(home);
  const { id } = await client.call('download.start', { source: { kind: 'url', url: `${server.origin}/disc.iso`, sha256 } });
  const show = async (): Promise<Job> => client.call('job.show', { job: id });
  for (const share of [0.2, 0.5, 0.8]) {
    await until(`${share} of the file`, async () => ((await show()).bytesDone ?? 0) > share * memtest.length);
    await killEngine(client);
    client = await connect(home);
  }
  const job = await until('the end', async () => {
    const now = await show();
    return jobEnded.has(now.state) && now;
  });
  expect(job).toMatchObject({ state: 'succeeded', error: null });
  const starts = server.asked.map(({ range }) => Number(/\d+/.exec(range ?? '0')?.[0]));
  expect(starts.length).toBe(4);
  expect([...starts].sort((one, other) => one - other)).toEqual(starts);
  expect(starts.at(-1)).toBeGreaterThan(memtest.length / 2);
  const image = (await client.call('image.list', {})).find((one) => one.sha256 === sha256);
  expect(readFileSync(image?.path ?? '').equals(memtest)).toBe(true);
  expect((await client.call('download.list', {})).unfinished).toEqual([]);
  client.close();
}, 120_000);
