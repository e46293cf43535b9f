/** Calls into a guest that runs: its screen, its keyboard, its agent, its measurements. */
import { z } from 'zod';
import { keyboardLayout } from '../guest-keyboard.ts';
import { sample } from '../guest-state.ts';
import { guestId, instant } from '../ids.ts';
import { type CallTable, done, oneGuest } from './definition.ts';

export const guestConsoleCalls = {
  'guest.screenshot': {
    summary: 'Take a picture of the screen of a guest, as PNG in base64.',
    input: oneGuest,
    output: z.object({ pngBase64: z.string(), widthPx: z.number().int(), heightPx: z.number().int() }),
    effect: 'read',
  },
  'guest.exec': {
    summary: 'Run a command in a guest through its agent.',
    input: z.strictObject({
      guest: guestId,
      command: z.array(z.string()).min(1).max(256),
      timeoutSeconds: z.number().int().min(1).max(3600).optional(),
    }),
    output: z.object({ exitStatus: z.number().int(), stdoutBase64: z.string(), stderrBase64: z.string(), truncated: z.boolean() }),
    effect: 'write',
  },
  'guest.type': {
    summary: 'Type text on the keyboard of a guest: of `layout`, or else of the one that the guest is said to have. All of it or nothing.',
    input: z.strictObject({ guest: guestId, text: z.string().max(10_000), layout: keyboardLayout.optional() }),
    output: done,
    effect: 'write',
  },
  'guest.sendKeys': {
    summary: 'Press keys of a guest together, as QEMU names them: ["ctrl","alt","delete"].',
    input: z.strictObject({
      guest: guestId,
      keys: z
        .array(z.string().regex(/^[a-z0-9_]{1,24}$/))
        .min(1)
        .max(8),
    }),
    output: done,
    effect: 'write',
  },
  'guest.keysRead': {
    summary: 'Say whether a guest has read all that its PS/2 keyboard got; null while its QEMU is not the one that runs it.',
    input: oneGuest,
    output: z.object({ read: z.boolean().nullable() }),
    effect: 'read',
  },
  'guest.samples': {
    summary: 'Give the measurements of a guest between two instants, oldest first.',
    input: z.strictObject({ guest: guestId, since: instant }),
    output: z.object({ intervalSeconds: z.number(), samples: z.array(sample) }),
    effect: 'read',
  },
  'guest.consoles': {
    summary: 'Say where the consoles of a guest are.',
    input: oneGuest,
    output: z.object({
      spiceSocketPath: z.string().nullable(),
      /** Where a QEMU listens that the guest is moved to by hand: docs/guide/hardware.md. */
      movedSpiceSocketPath: z.string().nullable(),
      serial: z.boolean(),
    }),
    effect: 'read',
  },
  'guest.arguments': {
    summary: 'Show the QEMU command line of a guest.',
    input: oneGuest,
    output: z.object({ arguments: z.array(z.string()) }),
    effect: 'read',
  },
} as const satisfies CallTable;
