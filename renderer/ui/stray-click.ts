/**
 * The second click of a double click belongs to what the first one was on. Where a button has changed its meaning under the pointer meanwhile (it ended
 * a recording and would begin another, the row below moved up, a dialog opened there), nobody meant it.
 */
let first: string | null = null;
let isStray = false;

/** Whether the press that is being handled is such a second click. Only of the mouse: keys do not come in twos. */
export function isStrayClick({ pointerType }: { pointerType: string }): boolean {
  return pointerType === 'mouse' && isStray;
}

function meaningOf(target: EventTarget | null): string | null {
  // Of whatever window: each has an Element of its own.
  const button = target && 'closest' in target ? (target as Element).closest('button') : null;
  return button && (button.getAttribute('aria-label') ?? button.textContent);
}

/** Looks at the clicks in a window, before any press in it is handled. In this one it is done already. */
export function followClicks(clicked: Window): void {
  // The system says what counts as a double click: so close together, in one place.
  clicked.addEventListener(
    'mousedown',
    ({ target, detail }) => {
      const now = meaningOf(target);
      isStray = detail > 1 && now !== first;
      if (detail <= 1) first = now;
    },
    true,
  );
}

if (globalThis.window) followClicks(window);
