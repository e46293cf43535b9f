import { expect, test } from 'vitest';
import { Wheel } from './wheel.ts';

test('one notch of a wheel is one notch in the guest, in pixels, lines and pages', () => {
  expect(new Wheel().turn({ deltaY: 100, deltaMode: 0 })).toBe(1);
  expect(new Wheel().turn({ deltaY: -3, deltaMode: 1 })).toBe(-1);
  expect(new Wheel().turn({ deltaY: 1, deltaMode: 2 })).toBe(1);
});

test('a touchpad adds up to notches, and turning round begins anew', () => {
  const wheel = new Wheel();
  expect([30, 30, 30, 30].map((deltaY) => wheel.turn({ deltaY, deltaMode: 0 }))).toEqual([0, 0, 0, 1]);
  expect(wheel.turn({ deltaY: -90, deltaMode: 0 })).toBe(0);
  expect(wheel.turn({ deltaY: -10, deltaMode: 0 })).toBe(-1);
});

test('a flick is bounded', () => {
  expect(new Wheel().turn({ deltaY: 99_999, deltaMode: 0 })).toBe(10);
});
