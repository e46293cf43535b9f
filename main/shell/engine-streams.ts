/** The engine's events for each page that wants them: a stream of its own, so that every page begins with a snapshot and watches its own guests. */
import type { WebContents } from 'electron';
import type { ServerMessage } from '../../contract/events.ts';
import type { GuestId } from '../../contract/ids.ts';
import { shellChannels } from '../../contract/shell-channels.ts';

type Stream = { watch(guestIds: GuestId[]): void; close(): void };

export class EngineStreams {
  readonly #subscribe: (listener: (message: ServerMessage) => void) => Stream;
  readonly #streams = new Map<WebContents, Stream>();
  readonly #watched = new Map<WebContents, GuestId[]>();

  constructor(subscribe: (listener: (message: ServerMessage) => void) => Stream) {
    this.#subscribe = subscribe;
  }

  /** Begins anew where the page has a stream already. */
  open(contents: WebContents): void {
    this.#streams.get(contents)?.close();
    const stream = this.#subscribe((message) => {
      if (!contents.isDestroyed()) contents.send(shellChannels.event, message);
    });
    stream.watch(this.#watched.get(contents) ?? []);
    this.#streams.set(contents, stream);
  }

  watch(contents: WebContents, guestIds: GuestId[]): void {
    this.#watched.set(contents, guestIds);
    this.#streams.get(contents)?.watch(guestIds);
  }

  close(contents: WebContents): void {
    this.#streams.get(contents)?.close();
    this.#streams.delete(contents);
    this.#watched.delete(contents);
  }
}
