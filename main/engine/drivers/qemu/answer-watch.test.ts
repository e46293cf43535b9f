import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import type { RunState } from '../../qmp/qmp-commands.ts';
import { QmpClosedError, QmpTimeoutError } from '../../qmp/qmp-errors.ts';
import { AnswerWatch } from './answer-watch.ts';

beforeEach(() => {
  vi.useFakeTimers({ now: Date.parse('2026-01-01T00:00:00.000Z') });
  onTestFinished(() => void vi.useRealTimers());
});

function watched() {
  const asked: PromiseWithResolvers<{ status: RunState }>[] = [];
  const told: (string | null)[] = [];
  const statuses: RunState[] = [];
  let isExcused = false;
  const watch = new AnswerWatch({
    ask: () => {
      const answer = Promise.withResolvers<{ status: RunState }>();
      asked.push(answer);
      return answer.promise;
    },
    excused: () => isExcused,
    told: (since) => told.push(since),
    status: (status) => statuses.push(status),
  });
  watch.start();
  onTestFinished(() => watch.stop());
  return {
    watch,
    asked,
    told,
    statuses,
    excuse: (on: boolean) => {
      isExcused = on;
    },
  };
}

const seconds = (count: number) => vi.advanceTimersByTimeAsync(count * 1000);

test('one that answers is asked again and again, and what it says is told', async () => {
  const { asked, told, statuses } = watched();
  for (const status of ['running', 'paused', 'postmigrate'] as const) {
    await seconds(3);
    asked.at(-1)?.resolve({ status });
    await seconds(0);
  }
  expect(statuses).toEqual(['running', 'paused', 'postmigrate']);
  // It answers, although it could not do it.
  await seconds(3);
  asked.at(-1)?.reject(new QmpTimeoutError('query-status', 1));
  await seconds(3);
  expect(asked).toHaveLength(5);
  expect(told).toEqual([]);
});

test('one that does not answer is told of once, since when it was asked, and again when it answers', async () => {
  const { asked, told } = watched();
  await seconds(3);
  await seconds(9);
  expect(told).toEqual([]);
  await seconds(60);
  expect([asked.length, told]).toEqual([1, ['2026-01-01T00:00:03.000Z']]);
  asked[0]?.resolve({ status: 'running' });
  await seconds(3);
  expect([asked.length, told.at(-1)]).toEqual([2, null]);
});

test('one whose connection broke, or that saves its state, is not told of', async () => {
  const { watch, asked, told, excuse } = watched();
  await seconds(3);
  excuse(true);
  await seconds(60);
  excuse(false);
  await seconds(9);
  expect(told).toEqual([]);
  watch.stop();
  asked[0]?.reject(new QmpClosedError('gone'));
  await seconds(60);
  expect([asked.length, told]).toEqual([1, []]);
  // Over the next connection what was asked over the one before is not waited for.
  watch.start();
  await seconds(13);
  expect([asked.length, told.length]).toEqual([2, 1]);
});
