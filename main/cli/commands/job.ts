/** `guesthouse job …` */
import type { Job } from '../../../contract/job.ts';
import { jobEnded, jobState } from '../../../contract/job.ts';
import type { EngineClient } from '../../client/engine-client.ts';
import type { CommandGroup } from '../context.ts';
import { followJob } from '../job-progress.ts';
import { resolveName } from '../names.ts';
import { facts, show, type Terminal, table } from '../terminal.ts';
import { duration, localTime } from '../units.ts';

export const addJob: CommandGroup = (program, { terminal, engine }) => {
  const group = program.command('job').description('list, show, cancel or wait for jobs');

  group
    .command('list')
    .description('list the jobs that have not ended, newest first')
    .option('--all', 'the ended ones too')
    .action(async (options: { all?: boolean }) => {
      const client = await engine();
      const states = jobState.options.filter((state) => !jobEnded.has(state));
      const jobs = await client.call('job.list', options.all ? {} : { states });
      show(terminal, jobs, () => listing(terminal, jobs, options.all ?? false));
    });

  group
    .command('show')
    .description('show one job with its steps')
    .argument('<job>', 'id')
    .action(async (wanted: string) => show(terminal, await findJob(await engine(), wanted), describe));

  group
    .command('cancel')
    .description('cancel a job; what it did is undone')
    .argument('<job>', 'id')
    .action(async (wanted: string) => {
      const client = await engine();
      const job = await findJob(client, wanted);
      show(terminal, await client.call('job.cancel', { job: job.id }), (cancelled) => `“${cancelled.title}” is ${cancelled.state}.`);
    });

  group
    .command('wait')
    .description('wait until a job has ended; the exit status says how')
    .argument('<job>', 'id')
    .action(async (wanted: string) => {
      const client = await engine();
      const job = await followJob(client, terminal, (await findJob(client, wanted)).id);
      if (!terminal.json) terminal.out(`${describe(job)}\n`);
    });
};

async function findJob(client: EngineClient, wanted: string): Promise<Job> {
  const jobs = await client.call('job.list', {});
  return resolveName(
    jobs.map((job) => ({ ...job, name: job.title })),
    wanted,
    { noun: 'job', notFound: 'job/not-found', ambiguous: 'job/not-found' },
  );
}

function listing(terminal: Terminal, jobs: readonly Job[], all: boolean): string {
  if (jobs.length === 0) return all ? 'There were no jobs.' : 'No job runs.';
  return table(terminal, jobs, [
    { title: 'ID', value: (job) => job.id },
    { title: 'STATE', value: (job) => job.state },
    { title: 'DONE', value: (job) => `${Math.floor(job.progress * 100)} %`, align: 'right' },
    { title: 'BEGUN', value: (job) => localTime(job.createdAt) },
    { title: 'WHAT', value: (job) => job.title },
  ]);
}

function describe(job: Job): string {
  return facts([
    ['Job', job.title],
    ['Id', job.id],
    ['State', job.state],
    ['Done', `${Math.floor(job.progress * 100)} %`],
    ['Time left', job.secondsLeft === null ? null : duration(job.secondsLeft)],
    ['Begun', `${localTime(job.createdAt)} by ${job.startedBy}`],
    ['Ended', job.endedAt ? localTime(job.endedAt) : null],
    ...job.steps.map((step, index) => [`Step ${index + 1}`, `${step.name} (${step.state})`] as const),
    ['Error', job.error ? `${job.error.message} (${job.error.code})` : null],
  ]);
}
