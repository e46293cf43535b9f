import { expect, test } from 'vitest';
import {
  compareNames,
  formatBytes,
  formatCount,
  formatDuration,
  formatFileName,
  formatMiB,
  formatRate,
  formatRelativeTime,
  plainName,
} from './format.ts';

test('sizes are in binary units with a space that does not break and at most one digit behind the point', () => {
  expect(formatBytes(0)).toBe('0\u00a0B');
  expect(formatBytes(1023)).toBe('1,023\u00a0B');
  expect(formatBytes(1024)).toBe('1\u00a0KiB');
  expect(formatBytes(1536 * 1024)).toBe('1.5\u00a0MiB');
  expect(formatBytes(4 * 2 ** 30)).toBe('4\u00a0GiB');
  expect(formatBytes(-5)).toBe('0\u00a0B');
  expect(formatMiB(2048)).toBe('2\u00a0GiB');
  expect(formatRate(2048)).toBe('2\u00a0KiB/s');
});

test('a size just below the next unit is written in the next unit', () => {
  expect(formatBytes(1024 ** 2 - 1)).toBe('1\u00a0MiB');
});

test('times are relative, and what has just happened is now', () => {
  const now = Date.parse('2026-06-01T12:00:00.000Z');
  expect(formatRelativeTime('2026-06-01T11:59:55.000Z', now)).toBe('now');
  expect(formatRelativeTime('2026-06-01T11:57:00.000Z', now)).toBe('3 minutes ago');
  expect(formatRelativeTime('2026-05-31T11:00:00.000Z', now)).toBe('yesterday');
  expect(formatRelativeTime('2026-06-01T12:02:10.000Z', now)).toBe('in 2 minutes');
});

test('durations name their two largest units', () => {
  expect(formatDuration(0)).toBe('0 s');
  expect(formatDuration(75)).toBe('1 min 15 s');
  expect(formatDuration(3600)).toBe('1 h');
  expect(formatDuration(90_061)).toBe('1 d 1 h');
});

test('counts agree with their noun', () => {
  expect(formatCount(1, 'guest', 'guests')).toBe('1 guest');
  expect(formatCount(1200, 'guest', 'guests')).toBe('1,200 guests');
});

test('names are in the order people expect', () => {
  expect(['guest 10', 'Guest 2', 'guest 1'].sort(compareNames)).toEqual(['guest 1', 'Guest 2', 'guest 10']);
});

test('a file’s name looks like no other, stays on its line, and turns no sentence that it stands in', () => {
  expect(plainName('invoice\u202egnp.exe')).toBe('invoice\ufffdgnp.exe');
  expect(plainName('a\nb\u2028c\u0007')).toBe('a\ufffdb\ufffdc\ufffd');
  expect(plainName('Grüße 👋 שלום.txt')).toBe('Grüße 👋 שלום.txt');
  expect(formatFileName('letter.txt')).toBe('letter.txt');
  expect(formatFileName('שלום.txt')).toBe('\u2068שלום.txt\u2069');
  expect(formatFileName(`${'👋'.repeat(300)} end.tar.gz`)).toBe(`${'👋'.repeat(35)}…👋 end.tar.gz`);
});
