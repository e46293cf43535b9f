/** Lets a guest that stands still because its disk is full go on once there is room. */
import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';

const everyMs = 1_000;
/** So much more room than when the guest stopped: what another program frees by chance would be full again at once. */
const roomBytes = 16 * 1024 * 1024;
/** A guest that stops again so soon after it was let go did not stop for want of the room that we see (a quota, thin storage). */
const relapseMs = 10_000;

export class RoomWatch {
  #timer: NodeJS.Timeout | null = null;
  #wentAtMs = 0;

  /** Calls `go` once when the file system of `file` has room again. */
  watch(file: string, go: () => void): void {
    this.stop();
    const folder = dirname(file);
    let takenBytes: number | null = Date.now() - this.#wentAtMs < relapseMs ? null : 0;
    const look = async () => {
      const free = await freeBytes(folder);
      if (this.#timer === null) return;
      if (free !== null) {
        takenBytes ??= free;
        if (free >= takenBytes + roomBytes) {
          this.stop();
          this.#wentAtMs = Date.now();
          go();
          return;
        }
      }
      this.#timer = setTimeout(look, everyMs);
    };
    this.#timer = setTimeout(look, everyMs);
  }

  stop(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }
}

async function freeBytes(folder: string): Promise<number | null> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch {
    return null;
  }
}
