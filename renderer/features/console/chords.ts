/** The combinations that a desktop keeps for itself and that are therefore sent by a menu. */

export type Chord = { keys: string; codes: readonly string[] };

export const systemChords: readonly Chord[] = [
  { keys: 'Ctrl+Alt+Delete', codes: ['ControlLeft', 'AltLeft', 'Delete'] },
  { keys: 'Ctrl+Alt+Backspace', codes: ['ControlLeft', 'AltLeft', 'Backspace'] },
  { keys: 'Ctrl+Shift+Esc', codes: ['ControlLeft', 'ShiftLeft', 'Escape'] },
  { keys: 'Alt+Tab', codes: ['AltLeft', 'Tab'] },
  { keys: 'Alt+F4', codes: ['AltLeft', 'F4'] },
  { keys: 'Super', codes: ['MetaLeft'] },
  { keys: 'Super+L', codes: ['MetaLeft', 'KeyL'] },
  { keys: 'Print', codes: ['PrintScreen'] },
  { keys: 'Alt+Print', codes: ['AltLeft', 'PrintScreen'] },
  { keys: 'Pause', codes: ['Pause'] },
  { keys: 'Menu', codes: ['ContextMenu'] },
];

export const terminalChords: readonly Chord[] = Array.from({ length: 12 }, (_, index) => ({
  keys: `Ctrl+Alt+F${index + 1}`,
  codes: ['ControlLeft', 'AltLeft', `F${index + 1}`],
}));
