import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { windowsAtOnce } from './build/test/displays.ts';
import { LongestFirst } from './build/test/longest-first.ts';
import { OutcomeReporter } from './build/test/outcome-reporter.ts';

const cores = availableParallelism();
/** Set by `./test`, which adds up what the suites came to. */
const outcomeFile = process.env.GUESTHOUSE_TEST_REPORT;

/**
 * Unit tests stand beside the code and run in parallel. Integration tests start QEMU and wait for guests half of the time, so of their files
 * half as many again as there are cores run side by side; `./test` says how many when they take the windows' place. End-to-end tests look at a window that must have the screen and the keyboard to
 * itself: one for each display.
 */
export default defineConfig({
  test: {
    reporters: ['default', ...(outcomeFile ? [new OutcomeReporter(outcomeFile)] : [])],
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          name: 'unit',
          include: ['{contract,main,preload,renderer,build,bench}/**/*.test.{ts,tsx}'],
          // Threads of one process would share its children: one that another file is just starting holds open what this one closed and
          // deleted, so that room on a small file system comes back late.
          pool: 'forks',
          // One fewer where nothing is said, which on two cores is half of them.
          maxWorkers: cores,
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'integration',
          include: ['tests/integration/**/*.test.ts'],
          globalSetup: ['build/test/engine-set-up.ts'],
          pool: 'forks',
          maxWorkers: Number(process.env.GUESTHOUSE_TEST_WORKERS ?? Math.min(4, Math.ceil(cores * 1.5))),
          testTimeout: 480_000,
          hookTimeout: 240_000,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['tests/e2e/**/*.test.ts'],
          globalSetup: ['build/test/app-set-up.ts'],
          setupFiles: ['build/test/own-display.ts'],
          pool: 'forks',
          maxWorkers: windowsAtOnce,
          testTimeout: 600_000,
          hookTimeout: 300_000,
        },
      },
      {
        test: {
          name: 'matrix',
          include: ['tests/matrix/**/*.test.ts'],
          globalSetup: ['build/test/app-set-up.ts'],
          setupFiles: ['build/test/own-display.ts'],
          pool: 'forks',
          maxWorkers: windowsAtOnce,
        },
      },
    ],
  },
});
