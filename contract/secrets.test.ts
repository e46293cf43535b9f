import { expect, test } from 'vitest';
import { z } from 'zod';
import { auditEntry, feedEvent } from './events.ts';
import { guest } from './guest-state.ts';
import { image } from './image.ts';
import { job } from './job.ts';
import { settings } from './settings.ts';

/** The names of all fields, however deep. */
function fieldNames(schema: unknown): string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  const own = 'properties' in schema && typeof schema.properties === 'object' && schema.properties ? Object.keys(schema.properties) : [];
  return [...own, ...Object.values(schema).flatMap(fieldNames)];
}

test('nothing that is stored in the database has a field for a secret', () => {
  for (const [name, stored] of Object.entries({ guest, image, job, settings, feedEvent, auditEntry })) {
    const names = fieldNames(z.toJSONSchema(stored, { io: 'input', unrepresentable: 'any' }));
    expect(names.length).toBeGreaterThan(3);
    expect([name, names.filter((field) => /password|passphrase|secret|ticket|token|credential|private/i.test(field))]).toEqual([name, []]);
  }
});
