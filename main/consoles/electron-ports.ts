/** The one place where consoles meet Electron: the two ends of a channel, one for a page, one for us. */
import { MessageChannelMain, type WebFrameMain } from 'electron';
import type { Port } from './console-port.ts';

/** Sends one end of a new channel to the page in `frame`, together with the token by which the page knows it; returns the other end. */
export function openPortToFrame(frame: WebFrameMain, token: string): Port {
  const { port1, port2 } = new MessageChannelMain();
  frame.postMessage('guesthouse:console-port', { token }, [port2]);
  return {
    post: (message) => port1.postMessage(message),
    listen({ message, closed }) {
      port1.on('message', (event) => message(event.data));
      port1.on('close', closed);
      port1.start();
    },
    close: () => port1.close(),
  };
}
