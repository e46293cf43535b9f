/** The combinations that cannot be typed, since a desktop keeps them for itself or a keyboard lacks their keys; a menu sends them. */
import { formatKeyCombination } from '../../../contract/guest-keyboard.ts';

export type Chord = { keys: string; codes: readonly string[] };

const chord = (keys: string, ...codes: string[]): Chord => ({ keys, codes });

export const systemChords: readonly Chord[] = [
  chord('Ctrl+Alt+Delete', 'ControlLeft', 'AltLeft', 'Delete'),
  chord('Ctrl+Alt+Backspace', 'ControlLeft', 'AltLeft', 'Backspace'),
  chord('Ctrl+Shift+Esc', 'ControlLeft', 'ShiftLeft', 'Escape'),
  chord('Ctrl+Esc', 'ControlLeft', 'Escape'),
  chord('Alt+Tab', 'AltLeft', 'Tab'),
  chord('Alt+Shift+Tab', 'AltLeft', 'ShiftLeft', 'Tab'),
  chord('Alt+Esc', 'AltLeft', 'Escape'),
  chord('Alt+F4', 'AltLeft', 'F4'),
  chord('Print', 'PrintScreen'),
  chord('Alt+Print', 'AltLeft', 'PrintScreen'),
  chord('Pause', 'Pause'),
  chord('Ctrl+Break', 'ControlLeft', 'Pause'),
  chord('Menu', 'ContextMenu'),
];

export const superChords: readonly Chord[] = [
  chord('Super', 'MetaLeft'),
  chord('Super+L', 'MetaLeft', 'KeyL'),
  chord('Super+D', 'MetaLeft', 'KeyD'),
  chord('Super+E', 'MetaLeft', 'KeyE'),
  chord('Super+R', 'MetaLeft', 'KeyR'),
  chord('Super+X', 'MetaLeft', 'KeyX'),
  chord('Super+Tab', 'MetaLeft', 'Tab'),
  chord('Super+Shift+S', 'MetaLeft', 'ShiftLeft', 'KeyS'),
];

const numbered = Array.from({ length: 12 }, (_, index) => `F${index + 1}`);

export const terminalChords: readonly Chord[] = numbered.map((key) => chord(`Ctrl+Alt+${key}`, 'ControlLeft', 'AltLeft', key));

/** What Linux does at once, whatever hangs; in the order in which they are pressed before a restart. */
export const sysRqChords: readonly Chord[] = [...'REISUBHFWTK'].map((letter) =>
  chord(`Alt+SysRq+${letter}`, 'AltLeft', 'PrintScreen', `Key${letter}`),
);

export const powerChords: readonly Chord[] = [
  chord('Power', 'Power'),
  chord('Sleep', 'Sleep'),
  chord('Wake up', 'WakeUp'),
  chord('Mute', 'AudioVolumeMute'),
  chord('Volume down', 'AudioVolumeDown'),
  chord('Volume up', 'AudioVolumeUp'),
  chord('Play or pause', 'MediaPlayPause'),
  chord('Stop', 'MediaStop'),
  chord('Previous track', 'MediaTrackPrevious'),
  chord('Next track', 'MediaTrackNext'),
];

/** Keys that Japanese and Korean keyboards have and others do not. */
export const asianChords: readonly Chord[] = [
  chord('Hankaku/Zenkaku', 'Backquote'),
  chord('Henkan', 'Convert'),
  chord('Muhenkan', 'NonConvert'),
  chord('Katakana/Hiragana', 'KanaMode'),
  chord('¥', 'IntlYen'),
  chord('Ro (ろ)', 'IntlRo'),
  chord('Han/Yeong', 'Lang1'),
  chord('Hanja', 'Lang2'),
];

const modifierCodes: Readonly<Record<string, string>> = { Ctrl: 'ControlLeft', Alt: 'AltLeft', Shift: 'ShiftLeft', Super: 'MetaLeft' };

/** A combination that stays here, to be sent after all. */
export function chordOf(combination: string): Chord {
  return { keys: formatKeyCombination(combination), codes: combination.split('+').map((word) => modifierCodes[word] ?? word) };
}
