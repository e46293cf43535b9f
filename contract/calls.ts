/**
 * Every call of the engine, as values. The router, the OpenAPI document, the clients of the window and of the command
 * line are derived from this table.
 *
 * INVARIANT: no process makes or answers an engine call that does not stand here (`contract/calls.test.ts`,
 * `main/engine/api/router.test.ts`).
 */
import { z } from 'zod';
import { auditEntry, engineInfo, feedEvent } from './events.ts';
import { guestName, guestSpec, portForward } from './guest-spec.ts';
import { guest, sample } from './guest-state.ts';
import { hostReport } from './host.ts';
import { guestId, imageId, instant, jobId } from './ids.ts';
import { image, mediumReport } from './image.ts';
import { job, jobState } from './job.ts';
import { settings } from './settings.ts';

type CallDefinition = {
  /** One sentence for the API document and `--help`. */
  summary: string;
  input: z.ZodObject;
  output: z.ZodType;
  /** A `read` changes nothing and is not audited. */
  effect: 'read' | 'write';
};

const nothing = z.strictObject({});
const oneGuest = z.strictObject({ guest: guestId });
const done = z.object({});

/** Where a new guest's first disk or CD comes from. Paths are absolute and on the engine's host. */
export const createSource = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('iso'), path: z.string().startsWith('/') }),
  z.strictObject({ kind: z.literal('disk'), path: z.string().startsWith('/'), inPlace: z.boolean() }),
  z.strictObject({ kind: z.literal('image'), imageId }),
]);
export type CreateSource = z.infer<typeof createSource>;

/** What the person creating a guest decided; everything absent is chosen for the recognised operating system. */
export const createChoices = guestSpec
  .pick({
    name: true,
    notes: true,
    tags: true,
    architecture: true,
    machine: true,
    accelerator: true,
    memoryMiB: true,
    firmware: true,
    tpm: true,
    clock: true,
    hypervEnlightenments: true,
    display: true,
    sound: true,
    usbTablet: true,
    rng: true,
    balloon: true,
    watchdog: true,
    serial: true,
    agents: true,
    panicDevice: true,
    autostart: true,
    extraArguments: true,
  })
  .extend({
    cpu: guestSpec.shape.cpu.partial(),
    /** Size of the new empty disk (ISO), or the size to grow the copied disk to. Null: no disk (ISO only). */
    diskGiB: z.number().int().min(1).max(65_536).nullable(),
    diskBus: z.enum(['virtio', 'scsi', 'sata', 'ide', 'nvme', 'usb']),
    diskCache: z.enum(['none', 'writeback', 'writethrough', 'directsync', 'unsafe']),
    nicModel: z.enum(['virtio', 'e1000e', 'e1000', 'rtl8139', 'vmxnet3']),
    network: z.enum(['user', 'restricted', 'none']),
    forwards: z.array(portForward).max(64),
  })
  .partial()
  .strict();
export type CreateChoices = z.infer<typeof createChoices>;

/** A problem with one field of a form; `severity` problem stops creation, warning does not. */
export const fieldNote = z.object({
  path: z.string(),
  severity: z.enum(['problem', 'warning']),
  message: z.string(),
  hint: z.string().optional(),
});
export type FieldNote = z.infer<typeof fieldNote>;

export const calls = {
  'engine.info': { summary: 'Say which engine this is.', input: nothing, output: engineInfo, effect: 'read' },
  'engine.stop': { summary: 'Stop the engine; guests keep running.', input: nothing, output: done, effect: 'write' },
  'host.report': {
    summary: 'Say what this computer can do for guests, with findings and remedies.',
    input: z.strictObject({ refresh: z.boolean().optional() }),
    output: hostReport,
    effect: 'read',
  },

  'image.list': { summary: 'List the images.', input: nothing, output: z.array(image), effect: 'read' },
  'image.inspect': {
    summary: 'Read a file and say what it is, without copying it.',
    input: z.strictObject({ path: z.string() }),
    output: mediumReport,
    effect: 'read',
  },
  'image.import': {
    summary: 'Copy an ISO or a disk image into the store.',
    input: z.strictObject({ path: z.string(), name: z.string().min(1).max(200).optional() }),
    output: job,
    effect: 'write',
  },
  'image.delete': {
    summary: 'Delete an image that nothing uses.',
    input: z.strictObject({ image: imageId }),
    output: done,
    effect: 'write',
  },

  'guest.plan': {
    summary: 'Say what guest.create would make, with a note for every field that does not fit.',
    input: z.strictObject({ source: createSource, choices: createChoices }),
    output: z.object({
      spec: guestSpec.nullable(),
      medium: mediumReport.nullable(),
      diskGiB: z.number().nullable(),
      notes: z.array(fieldNote),
    }),
    effect: 'read',
  },
  'guest.create': {
    summary: 'Create a guest from an ISO, a disk or an image.',
    input: z.strictObject({ source: createSource, choices: createChoices }),
    output: z.object({ guest, job }),
    effect: 'write',
  },
  'guest.list': {
    summary: 'List the guests.',
    input: z.strictObject({ trash: z.boolean().optional() }),
    output: z.array(guest),
    effect: 'read',
  },
  'guest.show': { summary: 'Show one guest.', input: oneGuest, output: guest, effect: 'read' },
  'guest.start': { summary: 'Start a guest, or resume it from disk.', input: oneGuest, output: guest, effect: 'write' },
  'guest.pause': { summary: 'Freeze a guest in memory.', input: oneGuest, output: guest, effect: 'write' },
  'guest.resume': { summary: 'Let a paused guest go on.', input: oneGuest, output: guest, effect: 'write' },
  'guest.shutdown': {
    summary: 'Ask a guest to shut down.',
    input: z.strictObject({ guest: guestId, timeoutSeconds: z.number().int().min(1).max(3600).optional() }),
    output: guest,
    effect: 'write',
  },
  'guest.forceOff': { summary: 'Cut the power of a guest.', input: oneGuest, output: guest, effect: 'write' },
  'guest.reset': { summary: 'Press the reset button of a guest.', input: oneGuest, output: guest, effect: 'write' },
  'guest.suspend': {
    summary: 'Save a guest with its memory to disk and free what it uses.',
    input: oneGuest,
    output: job,
    effect: 'write',
  },
  'guest.delete': { summary: 'Move a guest with its disks to the trash.', input: oneGuest, output: done, effect: 'write' },
  'guest.restore': { summary: 'Bring a guest back from the trash.', input: oneGuest, output: guest, effect: 'write' },
  'guest.purge': { summary: 'Delete a guest in the trash for good, with its disks.', input: oneGuest, output: job, effect: 'write' },
  'guest.rename': {
    summary: 'Rename a guest.',
    input: z.strictObject({ guest: guestId, name: guestName }),
    output: guest,
    effect: 'write',
  },
  'guest.annotate': {
    summary: 'Change what a guest says of itself: notes, tags, favourite, autostart.',
    input: z.strictObject({
      guest: guestId,
      notes: guestSpec.shape.notes.optional(),
      tags: guestSpec.shape.tags.optional(),
      favourite: z.boolean().optional(),
      autostart: z.boolean().optional(),
    }),
    output: guest,
    effect: 'write',
  },
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
    summary: 'Type text on the keyboard of a guest (US layout).',
    input: z.strictObject({ guest: guestId, text: z.string().max(10_000) }),
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
  'guest.samples': {
    summary: 'Give the measurements of a guest between two instants, oldest first.',
    input: z.strictObject({ guest: guestId, since: instant }),
    output: z.object({ intervalSeconds: z.number(), samples: z.array(sample) }),
    effect: 'read',
  },
  'guest.consoles': {
    summary: 'Say where the consoles of a guest are.',
    input: oneGuest,
    output: z.object({ spiceSocketPath: z.string().nullable(), serial: z.boolean() }),
    effect: 'read',
  },
  'guest.arguments': {
    summary: 'Show the QEMU command line of a guest.',
    input: oneGuest,
    output: z.object({ arguments: z.array(z.string()) }),
    effect: 'read',
  },

  'job.list': {
    summary: 'List the jobs, newest first.',
    input: z.strictObject({ states: z.array(jobState).optional() }),
    output: z.array(job),
    effect: 'read',
  },
  'job.show': { summary: 'Show one job.', input: z.strictObject({ job: jobId }), output: job, effect: 'read' },
  'job.cancel': { summary: 'Cancel a job.', input: z.strictObject({ job: jobId }), output: job, effect: 'write' },

  'event.list': {
    summary: 'List what happened, newest first.',
    input: z.strictObject({
      guest: guestId.optional(),
      beforeId: z.number().int().optional(),
      limit: z.number().int().min(1).max(1000).optional(),
    }),
    output: z.array(feedEvent),
    effect: 'read',
  },
  'audit.list': {
    summary: 'List who asked for what, newest first.',
    input: z.strictObject({ beforeId: z.number().int().optional(), limit: z.number().int().min(1).max(1000).optional() }),
    output: z.array(auditEntry),
    effect: 'read',
  },

  'settings.get': { summary: 'Read the settings.', input: nothing, output: settings, effect: 'read' },
  'settings.set': { summary: 'Change some settings.', input: settings.partial().strict(), output: settings, effect: 'write' },
} as const satisfies Record<`${string}.${string}`, CallDefinition>;

export type CallName = keyof typeof calls;
export type CallInput<Name extends CallName> = z.input<(typeof calls)[Name]['input']>;
/** The input after parsing, as a handler receives it. */
export type CallParsed<Name extends CallName> = z.output<(typeof calls)[Name]['input']>;
export type CallOutput<Name extends CallName> = z.output<(typeof calls)[Name]['output']>;

export function isCallName(name: string): name is CallName {
  return Object.hasOwn(calls, name);
}
