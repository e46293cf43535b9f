/** What is particular about the keyboard of one guest: its layout, and the keys that its console leaves to this computer. */
import { z } from 'zod';

/** As X11 names them. */
export const keyboardLayouts = ['us', 'gb', 'de', 'fr', 'es'] as const;
export const keyboardLayout = z.enum(keyboardLayouts);
export type KeyboardLayout = z.infer<typeof keyboardLayout>;

const modifiers = ['Ctrl', 'Alt', 'Shift', 'Super'] as const;
type Modifier = (typeof modifiers)[number];

/** Other names of modifiers, as people write them. */
const modifierNames: Readonly<Record<string, Modifier>> = {
  ctrl: 'Ctrl',
  control: 'Ctrl',
  strg: 'Ctrl',
  alt: 'Alt',
  option: 'Alt',
  shift: 'Shift',
  super: 'Super',
  meta: 'Super',
  win: 'Super',
  cmd: 'Super',
};

/** Other names of keys; what stands for it is a `KeyboardEvent.code`. */
const keyNames: Readonly<Record<string, string>> = {
  esc: 'Escape',
  del: 'Delete',
  ins: 'Insert',
  return: 'Enter',
  print: 'PrintScreen',
  up: 'ArrowUp',
  down: 'ArrowDown',
  left: 'ArrowLeft',
  right: 'ArrowRight',
};
const namedKeys = [
  ...['Escape', 'Delete', 'Insert', 'Home', 'End', 'PageUp', 'PageDown', 'Enter', 'Tab', 'Space', 'Backspace', 'PrintScreen', 'Pause'],
  ...['ArrowUp', 'ArrowDown', 'ArrowLeft', 'ArrowRight', 'ScrollLock', 'NumLock', 'ContextMenu'],
  ...['AudioVolumeMute', 'AudioVolumeDown', 'AudioVolumeUp', 'MediaPlayPause', 'MediaTrackNext', 'MediaTrackPrevious', 'MediaStop'],
];

/** A letter or a digit needs Ctrl, Alt or Super with it: a guest that got no A could not be used. */
const isBare = (code: string) => /^(Key[A-Z]|Digit\d|Space|Enter|Tab|Backspace)$/.test(code);

/**
 * A combination in the one way in which it is stored: the modifiers in their order, then the physical key as browsers name it
 * ("Ctrl+Alt+KeyT", "F11"). Takes what people write ("ctrl-alt-t"); null for what is no such combination, or would take a plain key away.
 */
export function parseKeyCombination(text: string): string | null {
  const words = text.trim().split(/\s*[+\s-]\s*/);
  const last = words.pop() ?? '';
  const held = new Set<Modifier>();
  for (const word of words) {
    const modifier = modifierNames[word.toLowerCase()];
    if (!modifier || held.has(modifier)) return null;
    held.add(modifier);
  }
  const code = codeNamed(last);
  if (!code || (isBare(code) && !held.has('Ctrl') && !held.has('Alt') && !held.has('Super'))) return null;
  return [...modifiers.filter((modifier) => held.has(modifier)), code].join('+');
}

function codeNamed(name: string): string | null {
  const lower = name.toLowerCase();
  if (/^[a-z]$/.test(lower)) return `Key${lower.toUpperCase()}`;
  if (/^\d$/.test(lower)) return `Digit${lower}`;
  if (/^key[a-z]$/.test(lower)) return `Key${lower.slice(3).toUpperCase()}`;
  if (/^digit\d$/.test(lower)) return `Digit${lower.slice(5)}`;
  if (/^f([1-9]|1\d|2[0-4])$/.test(lower)) return lower.toUpperCase();
  return keyNames[lower] ?? namedKeys.find((known) => known.toLowerCase() === lower) ?? null;
}

/** As it is shown: "Ctrl+Alt+T". */
export function formatKeyCombination(combination: string): string {
  return combination.replace(/(Key|Digit)(?=.$)/, '').replace('Arrow', '');
}

/** The combination that an event of a keyboard is, in the same words. */
export function combinationOf(event: { code: string; ctrlKey: boolean; altKey: boolean; shiftKey: boolean; metaKey: boolean }): string {
  const held = { Ctrl: event.ctrlKey, Alt: event.altKey, Shift: event.shiftKey, Super: event.metaKey };
  return [...modifiers.filter((modifier) => held[modifier]), event.code].join('+');
}

export const guestKeyboard = z.object({
  /** What the system in the guest takes its keyboard for: text is typed on that. Keys pressed in the console need none. */
  layout: keyboardLayout,
  /** Combinations that the console does not pass on while it has the keyboard: "Ctrl+Alt+KeyT". */
  localKeys: z.array(z.string().refine((text) => parseKeyCombination(text) === text, 'A combination looks like “Ctrl+Alt+KeyT”.')).max(32),
});
export type GuestKeyboard = z.infer<typeof guestKeyboard>;

/** F11 leads out of full screen, as in every program; a guest's own F11 is in the menu of keys to send. */
export const defaultGuestKeyboard: GuestKeyboard = { layout: 'us', localKeys: ['F11'] };
