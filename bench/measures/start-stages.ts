import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { projectRoot } from '../../build/places.ts';
import type { Figure, Measure } from '../figures.ts';

/**
 * `./start --demo` as a user would type it: the demo's own table tells when engine and window were ready, counted from the start of
 * Electron's process; what came before is set-up that found nothing to do, or a build when `out/` was removed.
 */
export const startStages: Measure = {
  name: 'start-stages',
  about: './start until the window can be used, split by stage: with a build, and with nothing to do',
  async run(log) {
    await rm(join(projectRoot, 'out', 'renderer'), { recursive: true, force: true });
    const built = await demo(log);
    const again = await demo(log);
    const figure = (what: string, value: number, beside: number): Figure => ({
      what,
      value,
      unit: 'ms',
      beside: { what: 'with a build', value: beside },
      aim: null,
    });
    return [
      figure('./start, set-up before Electron', again.setUpMs, built.setUpMs),
      figure('./start, Electron to engine ready', again.engineMs, built.engineMs),
      figure('./start, Electron to usable window', again.windowMs, built.windowMs),
      figure('./start to usable window, all', again.setUpMs + again.windowMs, built.setUpMs + built.windowMs),
    ];
  },
};

type Stages = { setUpMs: number; engineMs: number; windowMs: number };

async function demo(log: (line: string) => void): Promise<Stages> {
  const out = await mkdtemp(join(tmpdir(), 'gh-demo-'));
  try {
    const begun = performance.now();
    const child = spawn(join(projectRoot, 'start'), ['--demo', '--out', out], { stdio: ['ignore', 'pipe', 'inherit'] });
    const rows = new Map<string, number>();
    for await (const line of createInterface({ input: child.stdout })) {
      const row = /^(.+?)\s{2,}([\d.]+) (ms|s)\s*$/.exec(line);
      if (row?.[1]) rows.set(row[1].trim(), Number(row[2]) * (row[3] === 's' ? 1000 : 1));
    }
    const allMs = performance.now() - begun;
    const total = rows.get('total');
    const engineMs = rows.get('engine ready');
    const windowMs = rows.get('window ready');
    if (total === undefined || engineMs === undefined || windowMs === undefined) throw new Error('the demo printed no table');
    const stages = { setUpMs: Math.max(0, allMs - total), engineMs, windowMs };
    log(JSON.stringify(stages));
    return stages;
  } finally {
    await rm(out, { recursive: true, force: true });
  }
}
