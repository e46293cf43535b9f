import { expect, test } from 'vitest';
import { Touch } from './touch.ts';

function screen(touchpad = false) {
  const said: string[] = [];
  let waiting: (() => void) | null = null;
  const touch = new Touch({
    isTouchpad: () => touchpad,
    point: ({ x, y }) => said.push(`${x},${y}`),
    move: ({ x, y }) => said.push(`by ${x},${y}`),
    button: (button, down) => said.push(`${down ? '+' : '-'}${button}`),
    scroll: (deltaY) => said.push(`wheel ${deltaY}`),
    after: (_ms, run) => {
      waiting = run;
      return () => {
        waiting = null;
      };
    },
  });
  return { touch, said, longEnough: () => waiting?.() };
}

test('a tap is a click where the finger came down', () => {
  const { touch, said } = screen();
  touch.down(1, { x: 10, y: 20 });
  touch.moved(1, { x: 13, y: 22 });
  touch.up(1);
  expect(said).toEqual(['10,20', '+left', '-left']);
});

test('a finger that stays is the right button, and lifting it is no click', () => {
  const { touch, said, longEnough } = screen();
  touch.down(1, { x: 10, y: 20 });
  longEnough();
  touch.moved(1, { x: 90, y: 90 });
  touch.up(1);
  expect(said).toEqual(['10,20', '+right', '-right']);
});

test('a drag holds the left button from where it began', () => {
  const { touch, said, longEnough } = screen();
  touch.down(1, { x: 10, y: 20 });
  touch.moved(1, { x: 30, y: 20 });
  longEnough();
  touch.moved(1, { x: 40, y: 25 });
  touch.up(1);
  expect(said).toEqual(['10,20', '+left', '30,20', '40,25', '-left']);
});

test('two fingers turn the wheel, the page going with them, and press nothing', () => {
  const { touch, said, longEnough } = screen();
  touch.down(1, { x: 10, y: 100 });
  touch.down(2, { x: 60, y: 100 });
  longEnough();
  touch.moved(1, { x: 10, y: 80 });
  touch.moved(2, { x: 60, y: 80 });
  touch.up(1);
  touch.moved(2, { x: 60, y: 20 });
  touch.up(2);
  expect(said).toEqual(['wheel 10', 'wheel 10']);
});

test('a second finger during a drag, and fingers that are taken away, let the button go', () => {
  for (const end of [(touch: Touch) => touch.down(2, { x: 0, y: 0 }), (touch: Touch) => touch.cancel()]) {
    const { touch, said } = screen();
    touch.down(1, { x: 10, y: 20 });
    touch.moved(1, { x: 30, y: 20 });
    end(touch);
    touch.moved(1, { x: 50, y: 20 });
    touch.up(1);
    expect(said).toEqual(['10,20', '+left', '30,20', '-left']);
  }
});

test('a guest that takes movements has a touchpad: moving presses nothing, a tap clicks where its pointer is', () => {
  const { touch, said } = screen(true);
  touch.down(1, { x: 10, y: 20 });
  touch.moved(1, { x: 30, y: 20 });
  touch.moved(1, { x: 35, y: 18 });
  touch.up(1);
  touch.down(1, { x: 300, y: 300 });
  touch.up(1);
  expect(said).toEqual(['by 20,0', 'by 5,-2', '+left', '-left']);
});
