import fc from 'fast-check';
import { expect, test } from 'vitest';
import { buildQmpCommand, parseQmpMessage } from './qmp-message.ts';

test('the greeting gives version and capabilities', () => {
  const line = '{"QMP": {"version": {"qemu": {"micro": 19, "minor": 2, "major": 7}, "package": "Debian"}, "capabilities": ["oob"]}}';
  expect(parseQmpMessage(line)).toEqual({ kind: 'greeting', version: '7.2.19', capabilities: ['oob'] });
});

test('an event keeps its data and its time in ms', () => {
  const line =
    '{"timestamp": {"seconds": 10, "microseconds": 5999}, "event": "SHUTDOWN", "data": {"guest": true, "reason": "guest-shutdown"}}';
  expect(parseQmpMessage(line)).toEqual({
    kind: 'event',
    event: { event: 'SHUTDOWN', data: { guest: true, reason: 'guest-shutdown' }, atMs: 10_005 },
  });
});

test('an error keeps its class and description', () => {
  expect(parseQmpMessage('{"id": 3, "error": {"class": "DeviceNotFound", "desc": "No."}}')).toEqual({
    kind: 'error',
    id: 3,
    class: 'DeviceNotFound',
    desc: 'No.',
  });
});

test('a reply of null is a reply', () => {
  expect(parseQmpMessage('{"return": null, "id": 1}')).toEqual({ kind: 'return', id: 1, value: null });
});

test('nothing that can be sent makes the parser throw', () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (line) => typeof parseQmpMessage(line).kind === 'string'));
  fc.assert(
    fc.property(
      fc.record({ QMP: fc.jsonValue(), event: fc.jsonValue(), error: fc.jsonValue(), id: fc.jsonValue() }, { requiredKeys: [] }),
      (value) => {
        parseQmpMessage(JSON.stringify(value));
      },
    ),
  );
});

test('a command is one line whatever its arguments hold', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const line = buildQmpCommand(7, 'screendump', { filename: text }, false);
      expect(line.indexOf('\n')).toBe(line.length - 1);
      expect(JSON.parse(line)).toEqual({ execute: 'screendump', arguments: { filename: text }, id: 7 });
    }),
  );
});
