/** Following a job to its end: a bar on a terminal, lines of JSON with --json, silence in a pipe. */
import { setTimeout as pause } from 'node:timers/promises';
import { Failure, toFailure } from '../../contract/errors.ts';
import type { JobId } from '../../contract/ids.ts';
import { type Job, jobEnded } from '../../contract/job.ts';
import type { EngineClient } from '../client/engine-client.ts';
import { printable, showLine, type Terminal } from './terminal.ts';
import { bytes, duration } from './units.ts';

const pollMs = 200;
const barCells = 24;

/**
 * Waits until the job has ended. Ctrl+C cancels the job and waits for its undoing; a second one leaves at once.
 * @returns the ended job, when it succeeded
 * @throws Failure of the job, or `job/cancelled`
 */
export async function followJob(client: EngineClient, terminal: Terminal, id: JobId): Promise<Job> {
  let interrupts = 0;
  const interrupt = () => {
    interrupts += 1;
    if (interrupts > 1) process.exit(130);
    client.call('job.cancel', { job: id }).catch(() => {
      // Past the point of cancelling: it ends by itself, and a second Ctrl+C leaves.
    });
  };
  process.on('SIGINT', interrupt);
  let drawn = false;
  let before = '';
  try {
    for (;;) {
      const job = await client.call('job.show', { job: id });
      if (terminal.json) {
        const line = JSON.stringify(job);
        if (line !== before) showLine(terminal, { job });
        before = line;
      } else if (terminal.redraw) {
        terminal.err(`\r\u001b[2K${bar(job)}`);
        drawn = true;
      }
      if (jobEnded.has(job.state)) return settle(job);
      await pause(pollMs);
    }
  } finally {
    if (drawn) terminal.err('\r\u001b[2K');
    process.off('SIGINT', interrupt);
  }
}

function settle(job: Job): Job {
  if (job.state === 'succeeded') return job;
  if (job.error) throw toFailure(job.error);
  throw new Failure('job/cancelled', `“${job.title}” was cancelled; nothing was changed.`);
}

function bar(job: Job): string {
  const full = Math.round(job.progress * barCells);
  const step = job.steps.find((candidate) => candidate.state === 'running')?.name ?? job.title;
  const parts = [`${printable(step)} [${'━'.repeat(full)}${' '.repeat(barCells - full)}] ${Math.floor(job.progress * 100)} %`];
  if (job.bytesDone !== null && job.bytesTotal !== null) parts.push(`${bytes(job.bytesDone)} of ${bytes(job.bytesTotal)}`);
  if (job.bytesPerSecond !== null) parts.push(`${bytes(job.bytesPerSecond)}/s`);
  if (job.secondsLeft !== null) parts.push(`${duration(job.secondsLeft)} left`);
  return parts.join(' · ');
}
