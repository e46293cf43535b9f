import { expect, test } from 'vitest';
import type { Nic } from '../../../contract/guest-spec.ts';
import { nicOf, specOf } from '../drivers/qemu/arguments/golden-specs.ts';
import { cannotGoOnAside } from './go-on-aside.ts';

const memoryWith = (nics: Nic[] | null) => ({
  machine: 'pc-q35-7.2',
  accelerator: 'tcg' as const,
  spec: nics && specOf({ nics }),
  plugged: {},
});
const bridged = nicOf({ id: 'nic1', mode: 'bridge', bridge: 'br0', forwards: [] });

test('a second guest goes on from memory whose cards were on user or isolated networks', () => {
  const nics = [nicOf(), nicOf({ id: 'nic1', mode: 'isolated', network: 'lab', forwards: [] })];
  expect(cannotGoOnAside({ name: 'Moment', memory: memoryWith(null), spec: specOf({ nics }) })).toBeNull();
});

test('it does not beside a card on a bridge, of the hardware that the memory was saved with', () => {
  const why = 'The network card nic1 was on the bridge br0, and would be there again with the addresses of the original.';
  expect(cannotGoOnAside({ name: 'Moment', memory: memoryWith(null), spec: specOf({ nics: [bridged] }) })).toBe(why);
  expect(cannotGoOnAside({ name: 'Moment', memory: memoryWith([bridged]), spec: specOf({ nics: [nicOf()] }) })).toBe(why);
  expect(cannotGoOnAside({ name: 'Moment', memory: memoryWith([nicOf()]), spec: specOf({ nics: [bridged] }) })).toBeNull();
});

test('where there is no memory, it says so', () => {
  expect(cannotGoOnAside({ name: 'Moment', memory: null, spec: specOf() })).toBe('The snapshot “Moment” has no memory to go on from.');
});
