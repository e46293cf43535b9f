import { expect, test } from 'vitest';
import { buildArguments } from './arguments/build-arguments.ts';
import { goldenFacts, goldenGuests } from './arguments/golden-specs.ts';
import { shareProtocol, sharesOf } from './shares.ts';

const share = { id: 'share0', tag: 'work', path: '/work', readOnly: false };

test('virtiofs is used where its daemon can serve the folder, and 9p else', () => {
  const c = { path: '/usr/lib/qemu/virtiofsd', generation: 'c' } as const;
  const rust = { path: '/usr/libexec/virtiofsd', generation: 'rust' } as const;
  expect(shareProtocol(share, null, true)).toBe('9p');
  expect(shareProtocol(share, c, true)).toBe('virtiofs');
  expect(shareProtocol(share, c, false)).toBe('9p');
  expect(shareProtocol(share, rust, false)).toBe('virtiofs');
  expect(shareProtocol({ ...share, readOnly: true }, rust, true)).toBe('9p');
});

test('how a guest’s folders are served is read from its own command line', () => {
  const golden = goldenGuests['shared-folders'];
  if (!golden) throw new Error('There is no such golden guest.');
  expect(Object.fromEntries(sharesOf(buildArguments(golden.spec, goldenFacts(golden))))).toEqual({ share0: 'virtiofs', share1: '9p' });
  expect(sharesOf(['-device', 'virtio-net-pci,id=nic0']).size).toBe(0);
});
