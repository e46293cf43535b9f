import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Failure } from '../../../contract/errors.ts';
import type { FeedEvent } from '../../../contract/events.ts';
import type { JobId } from '../../../contract/ids.ts';
import type { Job } from '../../../contract/job.ts';
import { freshDatabase } from '../../../tests/support/fresh-database.ts';
import { silentLog } from '../log/log.ts';
import type { Database } from '../store/database.ts';
import type { JobDefinition, StepContext } from './job-definition.ts';
import { createJobRunner, type Jobs } from './job-runner.ts';

const never = new Promise<never>(() => undefined);

function runnerOver(database: Database, time = { nowMs: Date.now() }) {
  const told: Job[] = [];
  const events: Pick<FeedEvent, 'kind' | 'text'>[] = [];
  const jobs = createJobRunner({
    database,
    changes: { job: (_id, job) => job && told.push(job) },
    feed: { record: (event) => events.push(event) },
    clock: { nowMs: () => time.nowMs },
    log: silentLog,
  });
  return { jobs, told, events };
}

type Step = { name: string; run?: (context: StepContext<null>) => Promise<void>; undo?: () => Promise<void> };

function definition(steps: Step[], more: Partial<JobDefinition<null>> = {}): JobDefinition<null> {
  return {
    kind: 'guest.suspend',
    parseInput: () => null,
    steps: steps.map(({ name, run, undo }) => ({ name, weight: 1, run: run ?? (() => Promise.resolve()), ...(undo ? { undo } : {}) })),
    afterCrash: 'undo',
    cancellable: true,
    ...more,
  };
}

const newJob = {
  title: 'Suspend Debian',
  target: { kind: 'guest' as const, id: null, name: 'Debian' },
  input: null,
  startedBy: 'root via test',
};
const untilAborted = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));

test('a job runs its steps in order, is stored throughout and told to clients', async () => {
  const { jobs, told } = runnerOver(await freshDatabase());
  const order: string[] = [];
  const steps = ['one', 'two'].map((name) => ({ name, run: async () => void order.push(name) }));
  const started = jobs.start(definition(steps), newJob);
  const ended = await jobs.ended(started.id);
  expect(order).toEqual(['one', 'two']);
  expect(ended).toMatchObject({ state: 'succeeded', progress: 1, error: null });
  expect(jobs.show(started.id)).toEqual(ended);
  expect(await jobs.ended(started.id)).toEqual(ended);
  expect(told.map((job) => job.state)).toEqual(expect.arrayContaining(['queued', 'running', 'succeeded']));
  expect(jobs.activeCount()).toBe(0);
});

test('a step that fails has what was begun undone last first, and the reason is kept', async () => {
  const { jobs, events } = runnerOver(await freshDatabase());
  const undone: string[] = [];
  const undo = (name: string) => async () => void undone.push(name);
  const fails = () => Promise.reject(new Failure('store/full', 'There is no room.'));
  const { id } = jobs.start(
    definition([
      { name: 'one', undo: undo('one') },
      { name: 'two', run: fails, undo: undo('two') },
      { name: 'three', undo: undo('three') },
    ]),
    newJob,
  );
  const ended = await jobs.ended(id);
  expect(undone).toEqual(['two', 'one']);
  expect(ended).toMatchObject({ state: 'failed', error: { code: 'store/full' } });
  expect(ended.steps.map((step) => step.state)).toEqual(['undone', 'undone', 'waiting']);
  expect(events).toMatchObject([{ kind: 'job.failed', text: 'Suspend Debian: There is no room.' }]);
});

test('an undo that throws does not keep the other steps from being undone, and the next engine tries again', async () => {
  const database = await freshDatabase();
  const { jobs } = runnerOver(database);
  const undone: string[] = [];
  let stuck = true;
  const steps: Step[] = [
    { name: 'one', undo: async () => void undone.push('one') },
    {
      name: 'two',
      undo: async () => {
        if (stuck) throw new Error('device is busy');
        undone.push('two');
      },
    },
    { name: 'three', run: () => Promise.reject(new Error('no')) },
  ];
  const { id } = jobs.start(definition(steps), newJob);
  const ended = await jobs.ended(id);
  expect(undone).toEqual(['one']);
  expect(ended.state).toBe('failed');
  expect(ended.error?.detail).toContain('“two” could not be undone');

  stuck = false;
  const next = runnerOver(database).jobs;
  await next.recover([definition(steps)]);
  expect(undone).toEqual(['one', 'two']);
  expect(next.show(id).state).toBe('failed');
});

test('a disk on which nothing can be stored any more keeps a job from being neither undone nor cancelled', async () => {
  const database = await freshDatabase();
  const { jobs } = runnerOver(database);
  const undone: string[] = [];
  const steps = (last: Step['run']): Step[] => [
    { name: 'one', undo: async () => void undone.push('one') },
    { name: 'two', undo: async () => void undone.push('two') },
    { name: 'three', ...(last ? { run: last } : {}), undo: async () => void undone.push('three') },
  ];
  const fill = database.prepare('test.fill', "CREATE TRIGGER full BEFORE UPDATE ON jobs BEGIN SELECT RAISE(FAIL, 'disk is full'); END");
  const free = database.prepare('test.free', 'DROP TRIGGER IF EXISTS full');

  const failing = jobs.start(
    definition(
      steps(async () => {
        fill.run();
        throw new Failure('store/full', 'There is no room.');
      }),
    ),
    newJob,
  ).id;
  expect(await jobs.ended(failing)).toMatchObject({ state: 'failed', error: { code: 'store/full' } });
  expect(undone).toEqual(['three', 'two', 'one']);

  free.run();
  undone.length = 0;
  const began = Promise.withResolvers<void>();
  const cancelled = jobs.start(
    definition(
      steps(async ({ signal }) => {
        fill.run();
        began.resolve();
        await untilAborted(signal);
      }),
    ),
    newJob,
  ).id;
  await began.promise;
  jobs.cancel(cancelled, 'enough');
  expect((await jobs.ended(cancelled)).state).toBe('cancelled');
  expect(undone).toEqual(['three', 'two', 'one']);

  // The rows still say that the jobs run: the next engine settles them.
  free.run();
  const next = runnerOver(database).jobs;
  await next.recover([definition(steps(undefined))]);
  for (const id of [failing, cancelled]) expect(next.show(id).state).toBe('failed');
});

test('cancelling tells the step why, undoes and ends as cancelled', async () => {
  const { jobs } = runnerOver(await freshDatabase());
  const undone: string[] = [];
  const { id } = jobs.start(
    definition([{ name: 'copy', run: ({ signal }) => untilAborted(signal), undo: async () => void undone.push('copy') }]),
    newJob,
  );
  expect(jobs.cancel(id, 'root cancelled it.').state).toBe('cancelling');
  expect(jobs.cancel(id, 'again').state).toBe('cancelling');
  expect(await jobs.ended(id)).toMatchObject({ state: 'cancelled', error: { code: 'job/cancelled', message: 'root cancelled it.' } });
  expect(undone).toEqual(['copy']);
  expect(() => jobs.cancel(id, 'late')).toThrow('has ended already');
});

test('a step that finishes in spite of being cancelled is undone as well', async () => {
  const { jobs } = runnerOver(await freshDatabase());
  const { promise, resolve } = Promise.withResolvers<void>();
  const undone: string[] = [];
  const { id } = jobs.start(definition([{ name: 'deaf', run: () => promise, undo: async () => void undone.push('deaf') }]), newJob);
  jobs.cancel(id, 'enough');
  resolve();
  expect((await jobs.ended(id)).state).toBe('cancelled');
  expect(undone).toEqual(['deaf']);
});

test('a job that cannot be cancelled says so, and an unknown one too', async () => {
  const { jobs } = runnerOver(await freshDatabase());
  const { promise, resolve } = Promise.withResolvers<void>();
  const { id } = jobs.start(definition([{ name: 'one', run: () => promise }], { cancellable: false }), newJob);
  expect(() => jobs.cancel(id, 'no')).toThrow('cannot be cancelled');
  expect(() => jobs.cancel('j000000000' as JobId, 'no')).toThrow('There is no job');
  await expect(jobs.ended('j000000000' as JobId)).rejects.toThrow('There is no job');
  resolve();
  await jobs.ended(id);
});

test('a job of a heavy kind that says that it is light does not wait for those that are not', async () => {
  const { jobs } = runnerOver(await freshDatabase());
  const { promise, resolve } = Promise.withResolvers<void>();
  const heavy = definition([{ name: 'copy', run: () => promise }], { kind: 'guest.create', isLight: () => false });
  const ids = [1, 2, 3].map(() => jobs.start(heavy, newJob).id);
  const light = definition([{ name: 'link', run: async () => undefined }], { kind: 'guest.create', isLight: () => true });
  expect(await jobs.ended(jobs.start(light, newJob).id)).toMatchObject({ state: 'succeeded' });
  expect(ids.map((id) => jobs.show(id).state)).toEqual(['running', 'running', 'queued']);
  resolve();
  expect(await jobs.ended(ids[2] as JobId)).toMatchObject({ state: 'succeeded' });
});

test('at most two heavy jobs run at once, light ones pass them, and a queued one can be cancelled before it begins', async () => {
  const { jobs } = runnerOver(await freshDatabase());
  const { promise, resolve } = Promise.withResolvers<void>();
  const heavy = definition([{ name: 'copy', run: () => promise }], { kind: 'image.import' });
  const ids = [1, 2, 3, 4].map(() => jobs.start(heavy, newJob).id);
  const light = jobs.start(definition([{ name: 'quick' }]), newJob).id;
  expect((await jobs.ended(light)).state).toBe('succeeded');
  expect(ids.map((id) => jobs.show(id).state)).toEqual(['running', 'running', 'queued', 'queued']);
  expect(jobs.cancel(ids[3] as JobId, 'not wanted').state).toBe('cancelled');
  resolve();
  expect((await Promise.all(ids.map((id) => jobs.ended(id)))).map((job) => job.state)).toEqual([
    'succeeded',
    'succeeded',
    'succeeded',
    'cancelled',
  ]);
});

test('progress is told a few times a second at most, never goes back, and speed and time left follow the bytes', async () => {
  const time = { nowMs: 1_000_000 };
  const { jobs, told } = runnerOver(await freshDatabase(), time);
  const { promise: ready, resolve: begin } = Promise.withResolvers<StepContext<null>['progress']>();
  const { promise: finish, resolve: end } = Promise.withResolvers<void>();
  const { id } = jobs.start(
    definition([
      {
        name: 'copy',
        run: ({ progress }) => {
          begin(progress);
          return finish;
        },
      },
    ]),
    newJob,
  );
  const progress = await ready;
  const before = told.length;
  for (let tenth = 0; tenth <= 50; tenth++) {
    time.nowMs += 100;
    progress(tenth * 1_000_000, 100_000_000);
  }
  expect(told.length).toBe(before);
  const shown = jobs.show(id);
  expect(shown.progress).toBeCloseTo(0.5);
  expect(shown.bytesPerSecond).toBeCloseTo(10_000_000, -4);
  expect(shown.secondsLeft).toBe(5);
  progress(1_000_000, 100_000_000);
  expect(jobs.show(id).progress).toBeCloseTo(0.5);
  end();
  expect((await jobs.ended(id)).progress).toBe(1);
});

test('an engine that stops interrupts what runs without undoing it, takes nothing new, and the next engine goes on', async () => {
  const database = await freshDatabase();
  const undone: string[] = [];
  let runs = 0;
  const steps: Step[] = [
    {
      name: 'copy',
      run: async ({ signal }) => {
        runs++;
        if (runs === 1) await untilAborted(signal);
      },
      undo: async () => void undone.push('copy'),
    },
  ];
  const first = runnerOver(database).jobs;
  const { id } = first.start(definition(steps, { afterCrash: 'resume' }), newJob);
  await first.interrupt(1000);
  expect(() => first.start(definition(steps), newJob)).toThrow('stopping');
  expect(first.show(id).state).toBe('interrupted');

  const second = runnerOver(database).jobs;
  const order: string[] = [];
  await second.recover([definition(steps, { afterCrash: 'resume' })], async () => void order.push(`before resuming: ${runs}`));
  expect((await second.ended(id)).state).toBe('succeeded');
  expect([order, undone]).toEqual([['before resuming: 1'], []]);
});

test('a job that was begun by an engine before and waits for its turn is undone when it is cancelled', async () => {
  const database = await freshDatabase();
  const undone: string[] = [];
  const { promise: gate, resolve: open } = Promise.withResolvers<void>();
  const heavy = (run: () => Promise<void>) =>
    definition([{ name: 'copy', run, undo: async () => void undone.push('copy') }], { kind: 'image.import', afterCrash: 'resume' });
  const first = runnerOver(database).jobs;
  const ids = [1, 2].map(
    () =>
      first.start(
        heavy(() => never),
        newJob,
      ).id,
  );

  const second = runnerOver(database).jobs;
  // Two others keep the places, so that those of the engine before wait.
  const others = [1, 2].map(
    () =>
      second.start(
        heavy(() => gate),
        newJob,
      ).id,
  );
  await second.recover([heavy(() => gate)]);
  const waiting = second.list().filter((job) => job.state === 'interrupted');
  expect(waiting.map((job) => job.id).sort()).toEqual([...ids].sort());
  const [one] = ids as [JobId, JobId];
  expect(second.cancel(one, 'not wanted').state).toBe('cancelling');
  open();
  expect((await second.ended(one)).state).toBe('cancelled');
  expect(undone).toEqual(['copy']);
  expect((await Promise.all(others.map((id) => second.ended(id)))).map((job) => job.state)).toEqual(['succeeded', 'succeeded']);
});

test('a job of a kind that this engine does not know, or with an input it cannot read, is failed in plain words', async () => {
  const database = await freshDatabase();
  const first = runnerOver(database).jobs;
  const a = first.start(definition([{ name: 'one', run: () => never }]), newJob).id;
  const b = first.start(definition([{ name: 'one', run: () => never }], { kind: 'guest.delete' }), newJob).id;
  const next = runnerOver(database).jobs;
  const unreadable = definition([{ name: 'one' }], {
    kind: 'guest.delete',
    parseInput: () => {
      throw new Error('what is this');
    },
  });
  await next.recover([unreadable]);
  for (const id of [a, b])
    expect(next.show(id)).toMatchObject({ state: 'failed', error: { message: expect.stringContaining('does not know how to go on') } });
});

test('only the newest 500 ended jobs are remembered', async () => {
  const { jobs } = runnerOver(await freshDatabase());
  for (let count = 0; count < 510; count++) await jobs.ended(jobs.start(definition([]), newJob).id);
  expect(jobs.list()).toHaveLength(500);
});

/** Effects of a job whose steps each put one thing into the world. `dieAt` hangs for ever at one point, as a killed engine does. */
function worldJob(
  world: Set<string>,
  stepCount: number,
  dieAt: { step: number; when: 'before' | 'after' | 'undo' } | null,
  failAt: number | null,
) {
  const { promise: died, resolve: die } = Promise.withResolvers<void>();
  const hang = () => {
    die();
    return never;
  };
  const steps = Array.from({ length: stepCount }, (_, index): Step => {
    const name = `step ${index}`;
    return {
      name,
      run: async () => {
        if (dieAt?.step === index && dieAt.when === 'before') await hang();
        if (failAt === index) throw new Error('it failed');
        world.add(name);
        if (dieAt?.step === index && dieAt.when === 'after') await hang();
      },
      undo: async () => {
        if (dieAt?.step === index && dieAt.when === 'undo') await hang();
        world.delete(name);
      },
    };
  });
  return { steps, died };
}

test('wherever the engine dies, the next one finishes the job or leaves nothing of it', async () => {
  const database = await freshDatabase();
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.nat(3),
      fc.constantFrom('before' as const, 'after' as const, 'undo' as const),
      fc.option(fc.nat(3)),
      fc.option(fc.nat(3)),
      fc.constantFrom('resume' as const, 'undo' as const),
      async (stepCount, dieStep, when, failAt, failAgainAt, afterCrash) => {
        const world = new Set<string>();
        const dying = worldJob(world, stepCount, { step: dieStep % stepCount, when }, failAt);
        const first = runnerOver(database).jobs;
        const { id } = first.start(definition(dying.steps, { afterCrash }), newJob);
        await Promise.race([dying.died, first.ended(id)]);

        const second: Jobs = runnerOver(database).jobs;
        await second.recover([definition(worldJob(world, stepCount, null, failAgainAt).steps, { afterCrash })]);
        const { state } = await second.ended(id);
        expect(['succeeded', 'failed']).toContain(state);
        expect(world.size).toBe(state === 'succeeded' ? stepCount : 0);
      },
    ),
    { numRuns: 150 },
  );
});
