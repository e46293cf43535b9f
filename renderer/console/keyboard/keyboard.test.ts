import { expect, test } from 'vitest';
import type { ConsoleInput } from '../console.ts';
import { Keyboard, type KeyboardOptions, type KeyEvent } from './keyboard.ts';

function board(platform: KeyboardOptions['platform'] = 'linux') {
  const sent: string[] = [];
  let releases = 0;
  let waiting: (() => void) | null = null;
  const keyboard = new Keyboard({
    platform,
    send: (input: ConsoleInput) => {
      if (input.kind === 'key') sent.push(`${input.down ? '+' : '-'}${input.scancode.map((byte) => byte.toString(16)).join(' ')}`);
    },
    release: () => releases++,
    after: (_ms, run) => {
      waiting = run;
      return () => {
        waiting = null;
      };
    },
  });
  return { keyboard, sent, releases: () => releases, pass: () => waiting?.() };
}

function key(code: string, held: string[] = [], more: Partial<KeyEvent> = {}): KeyEvent {
  return {
    code,
    key: '',
    timeStamp: 0,
    shiftKey: held.includes('shift'),
    ctrlKey: held.includes('ctrl'),
    altKey: held.includes('alt'),
    metaKey: held.includes('meta'),
    getModifierState: (name) => held.includes(name),
    ...more,
  };
}

test('a key goes down and up, and repeats while it is held', () => {
  const { keyboard, sent } = board();
  keyboard.keyDown(key('KeyA'));
  keyboard.keyDown(key('KeyA'));
  keyboard.keyUp(key('KeyA'));
  expect(sent).toEqual(['+1e', '+1e', '-1e']);
});

test('the release of a key that was never pressed here is not passed on', () => {
  const { keyboard, sent } = board();
  keyboard.keyUp(key('Enter'));
  expect(sent).toEqual([]);
});

test('when the focus leaves every key is let go, the newest first', () => {
  const { keyboard, sent } = board();
  keyboard.keyDown(key('ControlLeft', ['ctrl']));
  keyboard.keyDown(key('ShiftRight', ['ctrl', 'shift']));
  keyboard.keyDown(key('KeyK', ['ctrl', 'shift']));
  sent.length = 0;
  keyboard.releaseAll();
  expect(sent).toEqual(['-25', '-36', '-1d']);
  expect(keyboard.pressed).toEqual([]);
});

test('a modifier whose release was swallowed elsewhere is let go at the next key', () => {
  const { keyboard, sent } = board();
  keyboard.keyDown(key('AltLeft', ['alt']));
  keyboard.keyDown(key('KeyB'));
  expect(sent).toEqual(['+38', '-38', '+30']);
});

test('a modifier that was held before the console had the focus is pressed first', () => {
  const { keyboard, sent } = board();
  keyboard.keyDown(key('KeyC', ['ctrl']));
  expect(sent).toEqual(['+1d', '+2e']);
});

test('AltGr is AltGr alone on Linux', () => {
  const { keyboard, sent } = board();
  keyboard.keyDown(key('AltRight', ['AltGraph']));
  keyboard.keyDown(key('KeyQ', ['AltGraph']));
  keyboard.keyUp(key('KeyQ', ['AltGraph']));
  keyboard.keyUp(key('AltRight'));
  expect(sent).toEqual(['+e0 38', '+10', '-10', '-e0 38']);
});

test('AltGr is AltGr alone on Windows, which says Ctrl and Alt for it, also while it repeats', () => {
  const { keyboard, sent, pass } = board('win32');
  for (const timeStamp of [100, 600, 630]) {
    keyboard.keyDown(key('ControlLeft', ['ctrl'], { timeStamp }));
    keyboard.keyDown(key('AltRight', ['ctrl', 'alt', 'AltGraph'], { timeStamp }));
  }
  pass();
  keyboard.keyDown(key('KeyE', ['ctrl', 'alt', 'AltGraph'], { timeStamp: 650 }));
  keyboard.keyUp(key('KeyE', ['ctrl', 'alt', 'AltGraph'], { timeStamp: 660 }));
  keyboard.keyUp(key('ControlLeft', [], { timeStamp: 700 }));
  keyboard.keyUp(key('AltRight', [], { timeStamp: 700 }));
  expect(sent).toEqual(['+e0 38', '+e0 38', '+e0 38', '+12', '-12', '-e0 38']);
});

test('a Ctrl on Windows is pressed before what comes after it, after an instant alone, and with an AltRight of its own', () => {
  const { keyboard, sent, pass } = board('win32');
  keyboard.keyDown(key('ControlLeft', ['ctrl'], { timeStamp: 100 }));
  expect(sent).toEqual([]);
  keyboard.keyDown(key('KeyC', ['ctrl'], { timeStamp: 103 }));
  expect(sent).toEqual(['+1d', '+2e']);
  keyboard.releaseAll();
  sent.length = 0;
  keyboard.keyDown(key('ControlLeft', ['ctrl'], { timeStamp: 200 }));
  pass();
  keyboard.keyUp(key('ControlLeft', [], { timeStamp: 300 }));
  keyboard.keyDown(key('ControlLeft', ['ctrl'], { timeStamp: 400 }));
  keyboard.keyUp(key('ControlLeft', [], { timeStamp: 404 }));
  keyboard.keyDown(key('ControlLeft', ['ctrl'], { timeStamp: 500 }));
  keyboard.keyDown(key('AltRight', ['ctrl', 'alt'], { timeStamp: 560 }));
  expect(sent).toEqual(['+1d', '-1d', '+1d', '-1d', '+1d', '+e0 38']);
});

test('a Ctrl that the guest has not seen yet when the focus leaves is never pressed', () => {
  const { keyboard, sent, pass } = board('win32');
  keyboard.keyDown(key('ControlLeft', ['ctrl'], { timeStamp: 100 }));
  keyboard.releaseAll();
  pass();
  expect(sent).toEqual([]);
});

test('Print is pressed and let go on Windows, which tells of its release alone', () => {
  const { keyboard, sent } = board('win32');
  keyboard.keyUp(key('PrintScreen'));
  expect(sent).toEqual(['+e0 37', '-e0 37']);
});

test('a combination that stays here reaches the guest in no part, and what comes after it does', () => {
  const { keyboard, sent } = board();
  keyboard.setLocalKeys(['Ctrl+Alt+KeyT', 'F11']);
  expect(keyboard.keyDown(key('F11'))).toBe(false);
  expect(keyboard.keyUp(key('F11'))).toBe(false);
  expect(sent).toEqual([]);
  expect(keyboard.keyDown(key('ControlLeft', ['ctrl']))).toBe(true);
  keyboard.keyDown(key('AltLeft', ['ctrl', 'alt']));
  expect(keyboard.keyDown(key('KeyT', ['ctrl', 'alt']))).toBe(false);
  expect(sent).toEqual(['+1d', '+38', '-38', '-1d']);
  // A repeat after the modifiers were let go is still the same key.
  expect(keyboard.keyDown(key('KeyT'))).toBe(false);
  expect(keyboard.keyUp(key('KeyT'))).toBe(false);
  expect(keyboard.keyDown(key('KeyT'))).toBe(true);
  expect(keyboard.keyDown(key('F11', ['shift']))).toBe(true);
});

test('Ctrl and Alt pressed together and let go give the keyboard back, and nothing stays pressed', () => {
  const { keyboard, sent, releases } = board();
  keyboard.keyDown(key('ControlLeft', ['ctrl']));
  keyboard.keyDown(key('AltLeft', ['ctrl', 'alt']));
  keyboard.keyUp(key('AltLeft', ['ctrl']));
  expect(releases()).toBe(1);
  expect(sent).toEqual(['+1d', '+38', '-38', '-1d']);
});

test('Ctrl+Alt+F2 does not give the keyboard back', () => {
  const { keyboard, releases } = board();
  keyboard.keyDown(key('ControlLeft', ['ctrl']));
  keyboard.keyDown(key('AltLeft', ['ctrl', 'alt']));
  keyboard.keyDown(key('F2', ['ctrl', 'alt']));
  keyboard.keyUp(key('F2', ['ctrl', 'alt']));
  keyboard.keyUp(key('AltLeft', ['ctrl']));
  keyboard.keyUp(key('ControlLeft'));
  expect(releases()).toBe(0);
});

test('a chord presses its keys in order and lets go of what was held before', () => {
  const { keyboard, sent } = board();
  keyboard.keyDown(key('KeyA'));
  sent.length = 0;
  keyboard.chord(['ControlLeft', 'AltLeft', 'Delete']);
  expect(sent).toEqual(['-1e', '+1d', '+38', '+e0 53', '-e0 53', '-38', '-1d']);
});

test('Pause is pressed and never let go', () => {
  const { keyboard, sent } = board();
  keyboard.keyDown(key('Pause'));
  keyboard.keyUp(key('Pause'));
  expect(sent).toEqual(['+e1 1d 45 e1 9d c5']);
});

test('releasing Command on macOS lets go of everything, because macOS does not tell of the rest', () => {
  const { keyboard, sent } = board('darwin');
  keyboard.keyDown(key('MetaLeft', ['meta']));
  keyboard.keyDown(key('KeyC', ['meta']));
  keyboard.keyUp(key('MetaLeft'));
  expect(sent).toEqual(['+e0 5b', '+2e', '-e0 5b', '-2e']);
});

test('the lock keys are told when they differ from what was told before', () => {
  const told: ConsoleInput[] = [];
  const keyboard = new Keyboard({
    platform: 'linux',
    send: (input) => input.kind === 'locks' && told.push(input),
    release: () => undefined,
  });
  keyboard.keyDown(key('KeyA', ['NumLock']));
  keyboard.keyDown(key('KeyB', ['NumLock']));
  keyboard.keyDown(key('KeyC', ['NumLock', 'CapsLock']));
  expect(told).toEqual([
    { kind: 'locks', scroll: false, num: true, caps: false },
    { kind: 'locks', scroll: false, num: true, caps: true },
  ]);
});

test('a guest whose lock keys show something else is told once, again when it strays, and not when it agrees', () => {
  const told: ConsoleInput[] = [];
  const keyboard = new Keyboard({
    platform: 'linux',
    send: (input) => input.kind === 'locks' && told.push(input),
    release: () => undefined,
  });
  const numOn = key('KeyA', ['NumLock']);
  keyboard.guestLocks({ scroll: false, num: true, caps: false });
  keyboard.keyDown(numOn);
  expect(told).toEqual([]);
  // The guest started anew, or a program in it switched the lock off.
  keyboard.guestLocks({ scroll: false, num: false, caps: false });
  keyboard.syncLocks(numOn);
  keyboard.keyDown(numOn);
  expect(told).toEqual([{ kind: 'locks', scroll: false, num: true, caps: false }]);
  keyboard.guestLocks({ scroll: false, num: true, caps: false });
  keyboard.keyDown(numOn);
  expect(told).toHaveLength(1);
  keyboard.guestLocks({ scroll: false, num: false, caps: false });
  keyboard.keyDown(numOn);
  expect(told).toHaveLength(2);
});
