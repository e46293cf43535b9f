import { expect, test } from 'vitest';
import { type Figure, figuresTable, median, met, quantile, ratio } from './figures.ts';

const figure: Figure = {
  what: 'guest start',
  value: 110,
  unit: 'ms',
  beside: { what: 'bare script', value: 100 },
  aim: { kind: 'ratio', limit: 1.2 },
};

test('a figure stands beside its peer as a ratio and says whether the aim was met', () => {
  expect(ratio(figure)).toBeCloseTo(1.1);
  expect(met(figure)).toBe(true);
  expect(met({ ...figure, value: 130 })).toBe(false);
  expect(met({ ...figure, value: 30, unit: 'frames/s', aim: { kind: 'value', limit: 25, atLeast: true } })).toBe(true);
  expect(figuresTable([figure]).split('\n').at(-1)).toBe('| guest start | 110 ms | bare script: 100 ms | 1.10× | ≤ 1.2× | met |');
});

test('quantiles are values that were measured', () => {
  expect(median([5, 1, 9])).toBe(5);
  expect(quantile([1, 2, 3, 4], 0.99)).toBe(4);
  expect(quantile([7], 0.5)).toBe(7);
  expect(() => median([])).toThrow(RangeError);
});
