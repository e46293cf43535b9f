import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { projectRoot } from './places.ts';
import { referencePages } from './reference.ts';

test.each(Object.entries(referencePages()))('docs/reference/%s says what the code says (npm run reference)', async (name, text) => {
  expect(await readFile(join(projectRoot, 'docs', 'reference', name), 'utf8')).toBe(text);
});
