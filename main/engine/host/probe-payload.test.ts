import { expect, test } from 'vitest';
import { buildArmPayload, buildX86Payload, probeExitStatus } from './probe-payload.ts';

test('the x86 payload is a 64 KiB ROM whose reset vector jumps to the code', () => {
  const rom = buildX86Payload();
  expect(rom.length).toBe(65_536);
  expect(rom[0xfff0]).toBe(0xe9);
  const distance = new DataView(rom.buffer).getInt16(0xfff1, true);
  expect(0xfff3 + distance).toBe(0xf000);
  expect([...rom.subarray(0xf000, 0xf002)]).toEqual([0xfa, 0xfc]);
});

test('the x86 payload initialises the FPU in 64-bit mode, where a badly emulating KVM dies', () => {
  const rom = Buffer.from(buildX86Payload());
  const longMode = rom.indexOf(Buffer.from([0xb0, 'L'.charCodeAt(0), 0xe6, 0xe9]));
  const fninit = rom.indexOf(Buffer.from([0xdb, 0xe3]));
  expect(longMode).toBeGreaterThan(0xf000);
  expect(fninit).toBeGreaterThan(longMode);
  expect(fninit - longMode).toBeLessThan(16);
});

test('the good exit status cannot be mistaken for one of QEMU’s own', () => {
  expect(probeExitStatus).toBe(85);
});

test('the Arm payload is a 64 KiB ROM of whole instructions', () => {
  const rom = buildArmPayload();
  expect(rom.length).toBe(65_536);
  expect(new DataView(rom.buffer).getUint32(0, true)).toBe(0xd2a12001);
});
