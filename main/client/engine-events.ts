/** The engine's events as one stream that outlives the engine: it connects anew by itself and begins again with a snapshot. */
import type { WebSocket } from 'ws';
import type { ClientMessage, ServerMessage } from '../../contract/events.ts';
import type { GuestId } from '../../contract/ids.ts';
import type { EngineClient } from './engine-client.ts';

export type EngineEventsListener = {
  /** The first message after every connection is a snapshot. */
  message(message: ServerMessage): void;
  connected?(): void;
  /** The connection was lost or could not be made; the next try follows after `retryInMs`. */
  lost?(reason: string, retryInMs: number): void;
};

export type EngineEvents = {
  /** Which guests' samples to send; kept over reconnections. */
  watch(guestIds: GuestId[]): void;
  /** Tries at once instead of after the pause. */
  retryNow(): void;
  close(): void;
};

const firstPauseMs = 250;
const longestPauseMs = 5000;
/** The engine pings every 15 s; silence of three pings means that the other end hangs. */
const silenceMs = 45_000;

export function followEngineEvents(client: Pick<EngineClient, 'openEvents'>, listener: EngineEventsListener): EngineEvents {
  let socket: WebSocket | null = null;
  let retry: NodeJS.Timeout | undefined;
  let silence: NodeJS.Timeout | undefined;
  let pauseMs = firstPauseMs;
  let watched: GuestId[] = [];
  let closed = false;

  const sayWatched = () => {
    if (socket?.readyState !== 1) return;
    const message: ClientMessage = { type: 'watch', guestIds: watched };
    socket.send(JSON.stringify(message));
  };

  const open = () => {
    retry = undefined;
    let expectedSeq: number | null = null;
    let reason = '';
    const opened = client.openEvents();
    socket = opened;
    const alive = () => {
      clearTimeout(silence);
      silence = setTimeout(() => {
        reason = 'the engine went silent';
        opened.terminate();
      }, silenceMs);
      silence.unref();
    };
    opened.on('open', () => {
      alive();
      listener.connected?.();
      sayWatched();
    });
    opened.on('ping', alive);
    opened.on('message', (data) => {
      alive();
      const message = JSON.parse(String(data)) as ServerMessage;
      if (expectedSeq !== null && message.seq !== expectedSeq) {
        reason = 'messages were lost';
        opened.terminate();
        return;
      }
      expectedSeq = message.seq + 1;
      pauseMs = firstPauseMs;
      listener.message(message);
    });
    opened.on('error', (error) => {
      reason ||= error.message;
    });
    opened.on('close', (_code, text) => {
      clearTimeout(silence);
      if (closed || socket !== opened) return;
      socket = null;
      const retryInMs = pauseMs;
      pauseMs = Math.min(longestPauseMs, pauseMs * 2);
      retry = setTimeout(open, retryInMs);
      listener.lost?.(reason || String(text) || 'the connection was closed', retryInMs);
    });
  };
  open();

  return {
    watch(guestIds) {
      watched = guestIds;
      sayWatched();
    },
    retryNow() {
      if (retry === undefined) return;
      clearTimeout(retry);
      pauseMs = firstPauseMs;
      open();
    },
    close() {
      closed = true;
      clearTimeout(retry);
      clearTimeout(silence);
      socket?.terminate();
      socket = null;
    },
  };
}
