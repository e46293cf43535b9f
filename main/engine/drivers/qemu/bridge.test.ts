import { expect, test } from 'vitest';
import { isBridgeAllowed } from './bridge.ts';

const files: Record<string, string> = {
  '/etc/qemu/bridge.conf': '# ours\n\nallow br0\ndeny br1\ninclude lab.conf\nallow all\n',
  '/etc/qemu/lab.conf': 'deny br2\n  allow   br3 \n',
};
const allowed = (bridge: string, from = '/etc/qemu/bridge.conf') => isBridgeAllowed(bridge, from, (path) => files[path] ?? null);

test('the first line of the list that names a bridge decides', () => {
  expect(['br0', 'br1', 'br2', 'br3', 'br4'].map((bridge) => allowed(bridge))).toEqual([true, false, false, true, true]);
});

test('what no line names, and what there is no list for, is not allowed', () => {
  expect(allowed('br9', '/etc/qemu/lab.conf')).toBeNull();
  expect(allowed('br0', '/none')).toBeNull();
});
