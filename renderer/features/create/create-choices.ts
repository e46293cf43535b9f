/** The form of a new guest as values: what was typed, what of it the engine can be asked about, and which note belongs to which field. Pure. */
import { type CreateChoices, type CreateSource, createChoices, type FieldNote } from '../../../contract/guest-creation.ts';
import type { GuestSpec } from '../../../contract/guest-spec.ts';
import type { ImageId } from '../../../contract/ids.ts';

export type SourceKind = CreateSource['kind'];

/** What was chosen on the page of one kind of source. */
export type SourceDraft = { kind: SourceKind; path: string; inPlace: boolean; imageId: ImageId | null };

/** The source as the engine takes it; null while it is incomplete. */
export function buildSource(draft: SourceDraft): CreateSource | null {
  const path = draft.path.trim();
  if (draft.kind === 'image') return draft.imageId === null ? null : { kind: 'image', imageId: draft.imageId };
  if (!path.startsWith('/')) return null;
  return draft.kind === 'iso' ? { kind: 'iso', path } : { kind: 'disk', path, inPlace: draft.inPlace };
}

export type Checked = {
  /** What can be sent; fields that do not fit are left out. */
  valid: CreateChoices;
  notes: FieldNote[];
};

/** Checks what was typed with the contract's own schema, so that a field is judged before the engine is asked. */
export function checkChoices(choices: CreateChoices): Checked {
  const parsed = createChoices.safeParse(choices);
  if (parsed.success) return { valid: parsed.data, notes: [] };
  const notes: FieldNote[] = parsed.error.issues.map((issue) => ({
    path: issue.path.join('.'),
    severity: 'problem',
    message: issue.message,
  }));
  const bad = new Set(parsed.error.issues.map((issue) => String(issue.path[0])));
  const rest = createChoices.safeParse(Object.fromEntries(Object.entries(choices).filter(([key]) => !bad.has(key))));
  return { valid: rest.success ? rest.data : {}, notes };
}

/** The first note that stops creation, in words for the button. */
export function firstProblem(notes: readonly FieldNote[]): string | null {
  return notes.find((note) => note.severity === 'problem')?.message ?? null;
}

/** What the form shows: what was chosen, else what was planned, else something sensible until the plan is there. */
export function shownHardware(choices: CreateChoices, spec: GuestSpec | null) {
  const disk = spec?.disks[0];
  const nic = spec?.nics[0];
  return {
    name: choices.name ?? spec?.name ?? '',
    notes: choices.notes ?? spec?.notes ?? '',
    tags: choices.tags ?? spec?.tags ?? [],
    architecture: choices.architecture ?? spec?.architecture ?? 'x86_64',
    machine: choices.machine ?? spec?.machine ?? 'q35',
    accelerator: choices.accelerator ?? spec?.accelerator ?? 'auto',
    memoryMiB: choices.memoryMiB ?? spec?.memoryMiB ?? 2048,
    cpu: {
      model: choices.cpu?.model ?? spec?.cpu.model ?? 'auto',
      sockets: choices.cpu?.sockets ?? spec?.cpu.sockets ?? 1,
      cores: choices.cpu?.cores ?? spec?.cpu.cores ?? 2,
      threads: choices.cpu?.threads ?? spec?.cpu.threads ?? 1,
    },
    firmware: choices.firmware ?? spec?.firmware ?? 'bios',
    tpm: choices.tpm ?? spec?.tpm ?? false,
    clock: choices.clock ?? spec?.clock ?? 'utc',
    hypervEnlightenments: choices.hypervEnlightenments ?? spec?.hypervEnlightenments ?? false,
    display: choices.display ?? spec?.display ?? { device: 'qxl' as const, heads: 1 },
    sound: choices.sound ?? spec?.sound ?? 'hda',
    usbTablet: choices.usbTablet ?? spec?.usbTablet ?? true,
    rng: choices.rng ?? spec?.rng ?? true,
    balloon: choices.balloon ?? spec?.balloon ?? true,
    watchdog: choices.watchdog ?? spec?.watchdog ?? { model: 'none' as const, action: 'none' as const },
    serial: choices.serial ?? spec?.serial ?? true,
    agents: choices.agents ?? spec?.agents ?? { qemu: true, spice: true },
    panicDevice: choices.panicDevice ?? spec?.panicDevice ?? true,
    autostart: choices.autostart ?? spec?.autostart ?? false,
    extraArguments: choices.extraArguments ?? spec?.extraArguments ?? [],
    diskBus: choices.diskBus ?? disk?.bus ?? 'virtio',
    diskCache: choices.diskCache ?? disk?.cache ?? 'none',
    nicModel: choices.nicModel ?? nic?.model ?? 'virtio',
    network: choices.network ?? (spec && !nic ? ('none' as const) : nic?.restricted ? ('restricted' as const) : ('user' as const)),
    forwards: choices.forwards ?? nic?.forwards ?? [],
  };
}
export type ShownHardware = ReturnType<typeof shownHardware>;
