import { join } from 'node:path';
import Database from 'better-sqlite3';
import { defineImages } from '../defined-images.ts';
import { type Measure, median, quantile, timed } from '../figures.ts';
import { engineIn, withHome } from '../measured-engine.ts';

const imageCount = 10_000;
const rounds = 60;

/** What people ask, and the words that a plain scan would look for in its place. */
const queries: readonly [query: string, words: readonly string[]][] = [
  ['web', ['web']],
  ['os:debian version:>=12 patched:<2026-06 tag:web', ['debian', 'web']],
  ['lifecycle:published arch:x86_64 -tag:old size:>1G', ['published', 'x86_64']],
  ['"second floor" eol:<2027', ['second floor']],
  ['is:outdated kernel:6', ['6.']],
  ['package:debian-library-7', ['debian']],
  ['package:lib* tag:web -package:ubuntu-library-1', ['web']],
  ['', []],
];

export const imageSearch: Measure = {
  name: 'image-search',
  about: 'searching 10,000 images by the call, beside SQLite scanning the same rows with LIKE',
  run: () =>
    withHome(async (home) => {
      const path = join(home, 'guesthouse.db');
      // The engine makes the database; the images come while none runs.
      await engineIn(home, async () => undefined);
      await defineImages(path, imageCount, { withPackages: true });
      const taken = await engineIn(home, async ({ client }) => {
        const all: number[][] = [];
        for (const [query] of queries) {
          const times: number[] = [];
          for (let round = 0; round < rounds; round += 1) times.push(await timed(() => client.call('image.search', { query, limit: 50 })));
          all.push(times);
        }
        return all;
      });
      const scans = scanTimes(path);
      const slowest = Math.max(...taken.map(median));
      const slowestScan = Math.max(...scans.map(median));
      return [
        {
          what: `image.search, ${imageCount} images, median of ${queries.length} queries`,
          value: median(taken.flat()),
          unit: 'ms',
          beside: { what: 'LIKE over the same rows', value: median(scans.flat()) },
          aim: { kind: 'value', limit: 50 },
        },
        {
          what: 'the slowest of them (all images), median',
          value: slowest,
          unit: 'ms',
          beside: { what: 'LIKE over the same rows', value: slowestScan },
          aim: { kind: 'value', limit: 50 },
        },
        {
          what: 'all of them, p99',
          value: quantile(taken.flat(), 0.99),
          unit: 'ms',
          beside: { what: 'LIKE over the same rows', value: quantile(scans.flat(), 0.99) },
          aim: { kind: 'value', limit: 50 },
        },
      ];
    }),
};

/** The rows alone, in this process: no call, no facets, no versions that compare as numbers. */
function scanTimes(path: string): number[][] {
  const database = new Database(path, { readonly: true });
  try {
    const text = `name || ' ' || os || ' ' || notes || ' ' || tags || ' ' || kernels || ' ' || source || ' ' || lifecycle || ' ' || coalesce(architecture, '')`;
    return queries.map(([, words]) => {
      const where = words.map(() => `${text} LIKE ?`).join(' AND ') || 'TRUE';
      const scan = database.prepare(`SELECT * FROM images WHERE ${where} ORDER BY name`);
      return Array.from({ length: rounds }, () => {
        const begun = performance.now();
        scan.all(...words.map((word) => `%${word}%`));
        return performance.now() - begun;
      });
    });
  } finally {
    database.close();
  }
}
