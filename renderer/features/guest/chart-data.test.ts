import { expect, test } from 'vitest';
import type { Sample } from '../../../contract/guest-state.ts';
import { chartData, mergeSamples } from './chart-data.ts';

const at = (second: number, cpuCores = 1) =>
  ({
    at: new Date(second * 1000).toISOString(),
    cpuCores,
    memoryBytes: 1,
    diskReadBytesPerSecond: 0,
    diskWriteBytesPerSecond: 0,
    netReceiveBytesPerSecond: null,
    netSendBytesPerSecond: null,
  }) satisfies Sample;

test('live samples go on where the stored ones end', () => {
  expect(mergeSamples([at(1), at(2)], [at(2), at(3)]).map((sample) => sample.at)).toEqual([at(1).at, at(2).at, at(3).at]);
});

test('a line breaks where nothing was measured', () => {
  const data = chartData([at(10), at(11), at(600), at(601)], 1, 0);
  expect(data.times).toEqual([10, 11, 12, 600, 601]);
  expect(data.cpu).toEqual([1, 1, null, 1, 1]);
});

test('samples a minute apart are one line when they are taken once a minute', () => {
  expect(chartData([at(0), at(60), at(120)], 1, 0).cpu).toEqual([1, 1, 1]);
});

test('what lies before the span or runs backwards is left out', () => {
  expect(chartData([at(5), at(10), at(9), at(11)], 1, 8).times).toEqual([10, 11]);
});

test('what is not measured is no value, not zero', () => {
  expect(chartData([at(1)], 1, 0).receive).toEqual([null]);
});
