import { expect, test } from 'vitest';
import { fileNameFor } from './file-name.ts';

const at = new Date(2026, 10, 23, 9, 15, 2);

test('a name says the guest and the time, in what every file system takes', () => {
  expect(fileNameFor('Debian 12', 'png', at)).toBe('Debian 12 2026-11-23 09-15-02.png');
  expect(fileNameFor('../a/b: "c"?', 'png', at)).toBe('a b   c 2026-11-23 09-15-02.png');
  expect(fileNameFor('...', 'png', at)).toBe('2026-11-23 09-15-02.png');
  expect(fileNameFor('photo\u202Egnp.exe', 'png', at)).not.toMatch(/[\u202a-\u202e]/);
});

test('a long name is cut between its characters, to what fits beside all that is added to it', () => {
  for (const character of ['م', '字', '👩‍🚀', 'é', 'x']) {
    const name = fileNameFor(character.repeat(120), 'webm', at);
    expect(Buffer.byteLength(name.replace('.webm', ' (recording).webm'))).toBeLessThanOrEqual(255);
    const kept = name.slice(0, -' 2026-11-23 09-15-02.webm'.length);
    expect(character.repeat(120).startsWith(kept)).toBe(true);
    expect(kept.length % character.length).toBe(0);
  }
});
