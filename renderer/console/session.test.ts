import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import {
  type Console,
  type ConsoleCapabilities,
  type ConsoleEvent,
  type ConsoleHead,
  ConsoleLifecycle,
  type ConsoleState,
  type ConsoleStats,
  noStats,
} from './console.ts';
import type { Clock } from './reconnect.ts';
import { ConsoleSession } from './session.ts';

const size = { widthPx: 640, heightPx: 480 };
const impossible = { possible: false, reason: 'not here' } as const;
const capabilities: ConsoleCapabilities = {
  resizeGuest: impossible,
  pointer: 'absolute',
  clipboard: impossible,
  files: impossible,
  audio: impossible,
  guestVolume: impossible,
  desktopLook: impossible,
};

/** A console that does what the test says. */
class ScriptedConsole implements Console {
  readonly protocol = 'TEST';
  readonly canvas = { width: 640, height: 480 } as HTMLCanvasElement;
  readonly capabilities = capabilities;
  readonly #lifecycle = new ConsoleLifecycle();
  get state(): ConsoleState {
    return this.#lifecycle.state;
  }
  connect(): void {
    this.#lifecycle.advance({ phase: 'connecting' });
  }
  becomeLive(): void {
    this.#lifecycle.advance({ phase: 'connected', size });
  }
  haveMonitors(...widths: number[]): void {
    const place = (id: number) => ({ id, display: id, xPx: 0, yPx: 0, heightPx: 480 });
    const canvasOf = (widthPx: number) => ({ width: widthPx, height: 480 }) as HTMLCanvasElement;
    this.heads = widths.map((widthPx, id) => ({ ...place(id), widthPx, canvas: id === 0 ? this.canvas : canvasOf(widthPx) }));
    this.#lifecycle.emit({ kind: 'heads', heads: this.heads });
  }
  measure(stats: ConsoleStats): void {
    this.#lifecycle.emit({ kind: 'stats', stats });
  }
  goAlong(): void {
    this.#lifecycle.emit({ kind: 'moved' });
  }
  breakDown(): void {
    this.#lifecycle.advance({ phase: 'closed', end: { cause: 'server', text: 'It broke.', detail: '' } });
  }
  heads: readonly ConsoleHead[] = [];
  resize(): void {}
  setMonitors(): void {}
  setSeen(): void {}
  shrinkOnto(): void {}
  setShownSize(): void {}
  input(): void {}
  usedAt = Number.NEGATIVE_INFINITY;
  setSound(): void {}
  connectSound(): () => void {
    return () => undefined;
  }
  setMicrophone(): void {}
  setGuestVolume(): void {}
  setDesktopLook(): void {}
  setClipboard(): void {}
  offerCopied(): void {}
  setFiles(): void {}
  sendFile(): void {}
  cancelFile(): void {}
  close(): void {
    this.#lifecycle.advance({ phase: 'closed', end: { cause: 'asked', text: 'closed', detail: '' } });
  }
  listen(listener: (event: ConsoleEvent) => void): () => void {
    return this.#lifecycle.listen(listener);
  }
}

function begin() {
  const made: ScriptedConsole[] = [];
  const planned: (() => void)[] = [];
  const clock: Clock = {
    now: () => 0,
    after: (_delayMs, callback) => {
      planned.push(callback);
      return () => planned.splice(planned.indexOf(callback), 1);
    },
  };
  const session = new ConsoleSession(() => {
    const console = new ScriptedConsole();
    made.push(console);
    return console;
  }, clock);
  return { session, made, planned, last: () => made.at(-1) as ScriptedConsole };
}

beforeEach(() => {
  // The last picture is copied to a canvas; what is on it is tried in the real app.
  vi.stubGlobal('document', { createElement: () => ({ width: 0, height: 0, getContext: () => ({ drawImage: () => undefined }) }) });
});
afterEach(() => vi.unstubAllGlobals());

test('nothing is connected until somebody wants it', () => {
  const { session, made } = begin();
  expect(made).toHaveLength(0);
  session.setWanted(true);
  expect(made).toHaveLength(1);
  expect(session.view.phase).toBe('connecting');
});

test('a connection that breaks leaves its last picture and its reason until the next one shows a picture', () => {
  const { session, made, planned, last } = begin();
  session.setWanted(true);
  last().becomeLive();
  expect(session.view).toMatchObject({ phase: 'connected', size, frame: null });
  last().breakDown();
  expect(session.view).toMatchObject({ phase: 'retrying', console: null, end: { text: 'It broke.' }, frame: { width: 640, height: 480 } });
  planned.shift()?.();
  expect(made).toHaveLength(2);
  expect(session.view).toMatchObject({ phase: 'connecting', end: { text: 'It broke.' }, frame: { width: 640 } });
  last().becomeLive();
  expect(session.view).toMatchObject({ phase: 'connected', end: null, frame: null });
});

test('monitors are those of the live console, and keep their last pictures when it is gone', () => {
  const { session, made, planned, last } = begin();
  session.setWanted(true);
  last().haveMonitors(640, 800);
  last().becomeLive();
  expect(session.view.heads.map(({ canvas }) => canvas)).toEqual(made[0]?.heads.map(({ canvas }) => canvas));
  const live = session.view.heads;
  last().breakDown();
  expect(session.view.heads.map(({ id, canvas }) => [id, canvas.width])).toEqual([
    [0, 640],
    [1, 800],
  ]);
  expect(session.view.heads[0]?.canvas).toBe(session.view.frame);
  expect(session.view.heads[1]?.canvas).not.toBe(live[1]?.canvas);
  planned.shift()?.();
  // Those that are about to come have no picture yet.
  last().haveMonitors(1024);
  expect(session.view.heads.map(({ canvas }) => canvas.width)).toEqual([640, 800]);
  last().becomeLive();
  expect(session.view.heads.map(({ canvas }) => canvas)).toEqual(made[1]?.heads.map(({ canvas }) => canvas));
});

test('a new console is a new object, and the old one is heard no more', () => {
  const { session, made, planned } = begin();
  session.setWanted(true);
  made[0]?.breakDown();
  planned.shift()?.();
  made[0]?.becomeLive();
  expect(session.view).toMatchObject({ phase: 'connecting', console: made[1] });
});

test('when the guest goes off the console is closed, its picture stays and nothing is tried', () => {
  const { session, planned, last } = begin();
  session.setWanted(true);
  last().becomeLive();
  const live = last();
  session.setWanted(false);
  expect(live.state.phase).toBe('closed');
  expect(session.view).toMatchObject({ phase: 'waiting', console: null, end: null, frame: { width: 640 } });
  expect(planned).toHaveLength(0);
});

test('asking to connect now does not wait for the plan', () => {
  const { session, made, planned, last } = begin();
  session.setWanted(true);
  last().breakDown();
  session.retryNow();
  expect(made).toHaveLength(2);
  expect(planned).toHaveLength(0);
});

test('a closed session tells nobody anything and connects no more', () => {
  const { session, made, last } = begin();
  let told = 0;
  session.subscribe(() => told++);
  session.setWanted(true);
  const before = told;
  session.close();
  last().becomeLive();
  session.setWanted(true);
  expect(made).toHaveLength(1);
  expect(told).toBe(before + 1);
});

test('figures change nothing of the view, and end with their console', () => {
  const { session, planned, last } = begin();
  const told: number[] = [];
  session.subscribeToStats(() => told.push(session.getStats().framesPerSecond));
  session.setWanted(true);
  last().becomeLive();
  const { view } = session;
  last().measure({ ...noStats, framesPerSecond: 30, bytesInPerSecond: 1e6 });
  // As good as the same.
  last().measure({ ...noStats, framesPerSecond: 30.5, bytesInPerSecond: 1.01e6 });
  expect(session.view).toBe(view);
  expect(told).toEqual([30]);
  last().breakDown();
  expect(told).toEqual([30, 0]);
  planned.shift()?.();
  last().becomeLive();
  last().measure({ ...noStats, framesPerSecond: 10 });
  session.setWanted(false);
  expect(told).toEqual([30, 0, 10, 0]);
});

test('a console that went along with its guest says so, and one that did not can be left for one where the guest is, with its last picture', () => {
  const { session, made } = begin();
  session.setWanted(true);
  made[0]?.becomeLive();
  made[0]?.goAlong();
  expect(session.view.moved).toBe(true);
  made[0]?.breakDown();
  expect(session.view.moved).toBe(false);
  session.retryNow();
  made[1]?.becomeLive();
  session.setMovedAway(true);
  expect(session.view.moved).toBe(false);
  session.connectAnew();
  expect(session.view.moved).toBe(true);
  expect(made[1]?.state.phase).toBe('closed');
  expect(made).toHaveLength(3);
  expect(session.view).toMatchObject({ phase: 'connecting', frame: { width: 640, height: 480 } });
  session.setWanted(false);
  session.connectAnew();
  expect(made).toHaveLength(3);
});
