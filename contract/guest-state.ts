/** What a guest is observed to be, and the shape in which lists and pages show it. */
import { z } from 'zod';
import { specDifference } from './guest-hardware.ts';
import { guestOrigin, innerIdentity } from './guest-lineage.ts';
import { acceleratorName, guestSpec } from './guest-spec.ts';
import { guestId, instant } from './ids.ts';

/**
 * ```
 *   creating ─► off (its disks are being made; undone when that fails)
 *
 *            start                       pause
 *   off ───────────► starting ─► running ◄────► paused
 *    ▲  ▲                │          │   resume    │
 *    │  └── stopping ◄───┴──────────┴─────────────┘   shutdown, force off
 *    │          │ suspend: running|paused ─► suspending ─► suspended ─ start ─► starting
 *    └──────────┘
 *   crashed: QEMU ended without being asked; start leaves it
 *   template: off for good, to make guests from; off or crashed ◄─► template
 * ```
 */
export const guestStatus = z.enum([
  'creating',
  'off',
  'starting',
  'running',
  'paused',
  'stopping',
  'suspending',
  'suspended',
  'crashed',
  'template',
]);
export type GuestStatus = z.infer<typeof guestStatus>;

/** Why a guest stands still, when nobody pressed Pause `kind` says what happened and `text` says it in plain words. */
export const pauseReason = z.object({
  kind: z.enum(['user', 'disk-full', 'io-error', 'guest-panicked', 'watchdog', 'internal-error', 'moved', 'other']),
  text: z.string(),
  /** The device at fault, of `io-error` and `disk-full`. */
  deviceId: z.string().optional(),
  /** The file at fault, of `io-error` and `disk-full`. */
  file: z.string().optional(),
});
export type PauseReason = z.infer<typeof pauseReason>;

/** How QEMU ended when it was not asked to. `exitStatus` is null when nobody could see it (a host that lost power). */
export const crash = z.object({
  at: instant,
  kind: z.enum(['killed', 'exited', 'guest-panicked', 'internal-error', 'host-restarted', 'start-failed']),
  exitStatus: z.number().int().nullable(),
  /** "SIGKILL", or null when no signal ended it. */
  signal: z.string().nullable(),
  text: z.string(),
  /** The last lines that QEMU printed. */
  lastWords: z.string(),
});
export type Crash = z.infer<typeof crash>;

/** Where a guest's shutdown stands: asked and waiting, or unanswered so that the user is asked what to do. */
export const shutdownProgress = z.object({ askedAt: instant, by: z.enum(['agent', 'acpi']), unanswered: z.boolean() });

export const guestState = z.object({
  status: guestStatus,
  since: instant,
  /** Present while paused. */
  pause: pauseReason.optional(),
  /** Present when the last run ended in a crash. */
  crash: crash.optional(),
  /** Present while `stopping` by shutdown. */
  shutdown: shutdownProgress.optional(),
  /** Present while something is done to its disks that must end before it can be started: "The guest is being copied." */
  busy: z.string().optional(),
  /** Present while QEMU runs. */
  run: z
    .object({
      pid: z.number().int(),
      accelerator: acceleratorName,
      /** True when no hardware helps: "emulated, slow". */
      emulated: z.boolean(),
      startedAt: instant,
      qemuAgent: z.boolean(),
      /** As the guest agent says it. */
      qemuAgentVersion: z.string().nullable(),
      spiceAgent: z.boolean(),
      /** Addresses the guest agent reported, without loopback. */
      addresses: z.array(z.string()),
      hostname: z.string().nullable(),
      resolution: z.object({ widthPx: z.number().int(), heightPx: z.number().int() }).nullable(),
      /** Since when QEMU has not answered although it lives; null while it does. */
      silentSince: instant.nullable(),
    })
    .optional(),
  /** Something that wants attention although the guest works: a missing CD, a spec the host cannot run. */
  problems: z.array(z.string()),
});
export type GuestState = z.infer<typeof guestState>;

export const guest = z.object({
  id: guestId,
  spec: guestSpec,
  state: guestState,
  createdAt: instant,
  lastStartedAt: instant.nullable(),
  /** Set while the guest lies in the trash. */
  trashedAt: instant.nullable(),
  /** It runs on disks that are thrown away, and goes with them when it ends. */
  disposable: z.literal(true).optional(),
  origin: guestOrigin.optional(),
  /** Present on a clone whose system gets an identity of its own. */
  identity: innerIdentity.optional(),
  /** In what the hardware that it runs with differs from the spec: what waits for the next start. Absent when nothing does. */
  pending: z.array(specDifference).optional(),
});
export type Guest = z.infer<typeof guest>;

/** One measurement of one guest. Rates are per second over the sample's interval. */
export const sample = z.object({
  at: instant,
  /** Share of one host processor: 1 is one core fully used by QEMU. */
  cpuCores: z.number(),
  /** Resident memory of the QEMU process. */
  memoryBytes: z.number(),
  diskReadBytesPerSecond: z.number(),
  diskWriteBytesPerSecond: z.number(),
  netReceiveBytesPerSecond: z.number().nullable(),
  netSendBytesPerSecond: z.number().nullable(),
});
export type Sample = z.infer<typeof sample>;
