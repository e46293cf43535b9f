import { expect, test } from 'vitest';
import { buildArguments } from './arguments/build-arguments.ts';
import { goldenFacts, goldenGuests } from './arguments/golden-specs.ts';
import { protocolOf, sharesOf } from './shares.ts';

const share = { id: 'share0', tag: 'work', path: '/work', readOnly: false, via: 'mount' } as const;

test('virtiofs is used where its daemon can serve the folder, and 9p else', () => {
  const c = { path: '/usr/lib/qemu/virtiofsd', generation: 'c' } as const;
  const rust = { path: '/usr/libexec/virtiofsd', generation: 'rust' } as const;
  expect(protocolOf(share, null, true)).toBe('9p');
  expect(protocolOf(share, c, true)).toBe('virtiofs');
  expect(protocolOf(share, c, false)).toBe('9p');
  expect(protocolOf(share, rust, false)).toBe('virtiofs');
  expect(protocolOf({ ...share, readOnly: true }, rust, true)).toBe('9p');
  expect(protocolOf({ ...share, via: 'webdav' }, rust, true)).toBe('webdav');
});

test('how a guest’s folders are served is read from its own command line', () => {
  const golden = goldenGuests['shared-folders'];
  if (!golden) throw new Error('There is no such golden guest.');
  expect(Object.fromEntries(sharesOf(buildArguments(golden.spec, goldenFacts(golden)), golden.spec))).toEqual({
    share0: 'virtiofs',
    share1: '9p',
    share2: 'webdav',
  });
  expect(sharesOf(['-device', 'virtio-net-pci,id=nic0'], { ...golden.spec, shares: [] }).size).toBe(0);
});
