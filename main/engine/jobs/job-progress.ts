/** How far a job is, how fast it goes and how long it will take: pure arithmetic over its steps. */
import type { Job, JobStep } from '../../../contract/job.ts';

/** 0 to 1 over all steps by weight. A running step counts by its bytes, and not at all while it says nothing of them. */
export function progressOf(steps: readonly JobStep[]): number {
  const whole = steps.reduce((sum, step) => sum + step.weight, 0);
  const done = steps.reduce((sum, step) => sum + step.weight * stepShare(step), 0);
  return whole === 0 ? 0 : Math.min(1, done / whole);
}

function stepShare(step: JobStep): number {
  if (step.state === 'done') return 1;
  if (step.state !== 'running' || !step.bytesTotal || step.bytesDone === null) return 0;
  return Math.min(1, Math.max(0, step.bytesDone / step.bytesTotal));
}

/** Speeds below this age of measurement are noise. */
const settleMs = 1000;
/** The weight of the past halves in this time: a copy's speed jumps about, what is shown must not. */
const halfLifeMs = 3000;

export type ProgressMeter = {
  /** Takes the job's bytes and progress at `nowMs`; answers what is worth showing. */
  measure(nowMs: number, steps: readonly JobStep[]): Pick<Job, 'progress' | 'bytesDone' | 'bytesTotal' | 'bytesPerSecond' | 'secondsLeft'>;
};

export function createProgressMeter(): ProgressMeter {
  let startedMs: number | null = null;
  let last: { atMs: number; step: number; bytes: number; progress: number } | null = null;
  let bytesPerSecond: number | null = null;
  let progressPerSecond: number | null = null;
  let shown = 0;

  return {
    measure(nowMs, steps) {
      const index = steps.findIndex((step) => step.state === 'running');
      const step = steps[index];
      const bytes = step?.bytesDone ?? 0;
      const progress = progressOf(steps);
      startedMs ??= nowMs;
      if (last === null || last.step !== index) {
        last = { atMs: nowMs, step: index, bytes, progress: last?.progress ?? progress };
        bytesPerSecond = null;
      } else if (nowMs - last.atMs >= 200) {
        const seconds = (nowMs - last.atMs) / 1000;
        const keep = 0.5 ** ((nowMs - last.atMs) / halfLifeMs);
        bytesPerSecond = smooth(bytesPerSecond, Math.max(0, bytes - last.bytes) / seconds, keep);
        progressPerSecond = smooth(progressPerSecond, Math.max(0, progress - last.progress) / seconds, keep);
        last = { atMs: nowMs, step: index, bytes, progress };
      }
      const settled = nowMs - startedMs >= settleMs;
      shown = Math.max(shown, progress);
      return {
        progress: shown,
        bytesDone: step?.bytesDone ?? null,
        bytesTotal: step?.bytesTotal ?? null,
        bytesPerSecond: settled && step?.bytesDone != null ? bytesPerSecond : null,
        secondsLeft: settled && progressPerSecond ? Math.round((1 - shown) / progressPerSecond) : null,
      };
    },
  };
}

function smooth(past: number | null, now: number, keep: number): number {
  return past === null ? now : past * keep + now * (1 - keep);
}
