import fc from 'fast-check';
import { expect, test } from 'vitest';
import { guestNameProblem, type PortForward, unknownOs } from '../../../contract/guest-spec.ts';
import { suggestName } from './guest-names.ts';
import { newMac } from './plan-spec.ts';
import { checkForwards } from './port-checks.ts';

const debian = { ...unknownOs, id: 'debian12', name: 'Debian 12', family: 'linux' as const };
const nobody = () => false;

test('a name is suggested after the operating system, with a number when it is taken', () => {
  expect(suggestName(debian, 'x.iso', nobody)).toBe('Debian 12');
  expect(suggestName(debian, 'x.iso', (name) => name === 'Debian 12')).toBe('Debian 12 (2)');
  expect(suggestName(debian, 'x.iso', (name) => name === 'Debian 12' || name === 'Debian 12 (2)')).toBe('Debian 12 (3)');
});

test('what is not recognised is named after its file', () => {
  expect(suggestName(unknownOs, 'my_old-disk.qcow2', nobody)).toBe('my old-disk');
  expect(suggestName(unknownOs, '...', nobody)).toBe('Guest');
});

test('every suggested name can be used', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 0, max: 3 }), (fileName, taken) => {
      const used = new Set<string>();
      for (let round = 0; round <= taken; round++) {
        const name = suggestName(unknownOs, fileName, (one) => used.has(one));
        if (guestNameProblem(name) !== null || used.has(name)) return false;
        used.add(name);
      }
      return true;
    }),
  );
});

test('a MAC address is of QEMU’s range and new', () => {
  const taken = new Set<string>();
  for (let count = 0; count < 500; count++) taken.add(newMac(taken));
  expect(taken.size).toBe(500);
  for (const mac of taken) expect(mac).toMatch(/^52:54:00(:[0-9a-f]{2}){3}$/);
});

const forward = (parts: Partial<PortForward> = {}): PortForward => ({
  protocol: 'tcp',
  hostAddress: '127.0.0.1',
  hostPort: 2222,
  guestPort: 22,
  ...parts,
});
const free = async () => null;
const severities = async (...args: Parameters<typeof checkForwards>) => (await checkForwards(...args)).map((note) => note.severity);

test('a free port is no matter', async () => {
  expect(await checkForwards([forward()], [], free)).toEqual([]);
});

test('the same port twice in one guest is a problem, by whichever address', async () => {
  expect(await severities([forward(), forward({ guestPort: 23 })], [], free)).toEqual(['problem']);
  expect(await severities([forward(), forward({ protocol: 'udp' })], [], free)).toEqual([]);
});

test('a port in use now is a problem, one of another guest that is off a warning', async () => {
  const others = [{ name: 'Debian', forwards: [forward()] }];
  const [used] = await checkForwards([forward()], others, async () => 'EADDRINUSE');
  expect(used).toMatchObject({ severity: 'problem', path: 'forwards.0.hostPort', code: 'guest/port-taken' });
  expect(used?.message).toContain('“Debian”');
  expect(await severities([forward()], others, free)).toEqual(['warning']);
});

test('an address that the computer does not have is a problem, one that others can reach a warning', async () => {
  expect(await severities([forward({ hostAddress: '192.0.2.1' })], [], async () => 'EADDRNOTAVAIL')).toEqual(['problem']);
  expect(await severities([forward({ hostAddress: '0.0.0.0' })], [], free)).toEqual(['warning']);
});
