import { execFileSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { release } from 'node:os';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { guestFacts } from '../../../contract/image-catalogue.ts';
import { factsScript, parseFacts } from './guest-facts.ts';

const readAt = '2026-11-25T08:00:00.000Z';

test('a real Linux answers with its system, its kernel, its packages and up to when it has its updates', (context) => {
  const status = '/var/lib/dpkg/status';
  if (!existsSync(status)) context.skip('this computer has no dpkg to compare with');
  const facts = parseFacts(execFileSync('/bin/sh', ['-c', factsScript]).toString(), readAt);
  expect(facts.kernels).toContain(release());
  expect(facts.architecture).toBe(process.arch === 'arm64' ? 'aarch64' : 'x86_64');
  expect(facts.patchLevel).toBe(statSync(status).mtime.toISOString().slice(0, 10));
  expect(facts.patchLevelFrom).toContain(status);
  expect(facts.osName).toMatch(/\w/);
  const installed = execFileSync('dpkg-query', ['-f', '.\n', '-W']).toString().trim().split('\n').length;
  expect(facts.packages).toEqual({ manager: 'dpkg', count: installed });
});

test('what other systems answer is understood as well, and what they do not say is not known', () => {
  const alpine =
    'kernel 6.6.14-0-virt\nmachine aarch64\nchanged 1767350400 /lib/apk/db/installed\napk .\napk .\nrelease ID=alpine\nrelease PRETTY_NAME="Alpine Linux v3.19"\n';
  expect(parseFacts(alpine, readAt)).toEqual({
    architecture: 'aarch64',
    kernels: ['6.6.14-0-virt'],
    patchLevel: '2026-01-02',
    patchLevelFrom: 'The day on which packages were last changed, by the time of /lib/apk/db/installed.',
    packages: { manager: 'apk', count: 2 },
    osName: 'Alpine Linux v3.19',
    readAt,
  });
  expect(parseFacts('kernel 6.1.0\nmachine x86_64\n', readAt)).toMatchObject({
    kernels: ['6.1.0'],
    patchLevel: null,
    packages: null,
    osName: null,
  });
});

test('whatever a guest answers, what is kept of it is bounded and in the shape of the contract', () => {
  const word = fc.constantFrom(
    'kernel ',
    'machine ',
    'changed ',
    'release ',
    'dpkg ',
    '9999999999999 /var/lib/dpkg/status',
    '-1',
    'ID="',
    '\u0000',
    '\u001b[31m',
    '\n',
    '6.1',
    'x86_64',
    'PRETTY_NAME=',
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.array(word).map((parts) => parts.join('')),
        fc.string(),
      ),
      (output) => {
        const facts = guestFacts.parse(parseFacts(output, readAt));
        expect(facts.kernels.length).toBeLessThanOrEqual(16);
        expect(facts.osName?.length ?? 0).toBeLessThanOrEqual(100);
      },
    ),
    { numRuns: 1000 },
  );
});
