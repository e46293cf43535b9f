/** Keeps the store equal to the engine: subscribes, applies, and begins anew after a gap. */
import type { GuestId } from '../../contract/ids.ts';
import { bridge } from './bridge.ts';
import { takeFullScreen, takeMessage, useEngineStore } from './store.ts';

/** Follows the engine and the shell until the page is gone. Called once. */
export function followEngine(): void {
  let stop: (() => void) | null = null;
  const subscribe = () => {
    stop?.();
    stop = bridge.subscribe((message) => {
      if (!takeMessage(message)) subscribe();
      else if (message.type === 'snapshot') sendWatch();
    });
  };
  subscribe();
  bridge.onShellEvent((event) => {
    if (event.type === 'engine') useEngineStore.setState({ connection: event.connection });
    if (event.type === 'fullScreen') takeFullScreen(event);
    if (event.type === 'displays') useEngineStore.setState({ displays: event.displays });
  });
}

const watchers = new Map<string, number>();
let scheduled = false;

/** Asks for a sample a second of a guest while something shows it. Returns how to stop. */
export function watchGuest(id: GuestId): () => void {
  watchers.set(id, (watchers.get(id) ?? 0) + 1);
  schedule();
  return () => {
    const left = (watchers.get(id) ?? 1) - 1;
    if (left > 0) watchers.set(id, left);
    else watchers.delete(id);
    schedule();
  };
}

/** Scrolling a long list starts and ends many watchers; the engine hears of it a few times a second at most. */
function schedule(): void {
  if (scheduled) return;
  scheduled = true;
  setTimeout(() => {
    scheduled = false;
    sendWatch();
  }, 200);
}

function sendWatch(): void {
  bridge.watch({ type: 'watch', guestIds: document.hidden ? [] : ([...watchers.keys()] as GuestId[]) });
}

document.addEventListener('visibilitychange', schedule);
