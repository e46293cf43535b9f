/** A guest's SPICE agent as a test plays it: in a real guest, on the real port, saying whatever the test says. */
import type { GuestId } from '../../contract/ids.ts';
import type { EngineClient } from '../../main/client/engine-client.ts';
import { agentMessage } from '../../renderer/console/spice/agent/agent-messages.ts';
import { runInGuest } from './console-page.ts';
import { bytesOf } from './scripted-spice.ts';
import { readsPort } from './starter-guest.ts';
import { until } from './until.ts';

/** A message of the client: its type, and what comes after selection and reserved bytes; of files after their number. */
export type Heard = { type: number; selection: number; words: Buffer };

const followed: readonly number[] = [
  agentMessage.CLIPBOARD,
  agentMessage.CLIPBOARD_GRAB,
  agentMessage.CLIPBOARD_REQUEST,
  agentMessage.CLIPBOARD_RELEASE,
  agentMessage.FILE_XFER_START,
  agentMessage.FILE_XFER_STATUS,
  agentMessage.FILE_XFER_DATA,
];

export class FakeVdagent {
  #run: (script: string) => Promise<string>;
  #read = 0;

  constructor(client: EngineClient, guest: GuestId) {
    this.#run = (script) => runInGuest(client, guest, script);
  }

  /** The guest is in another QEMU now, where commands in it are run so. */
  goAlong(run: (script: string) => Promise<string>): void {
    this.#run = run;
  }

  /** Reads nothing of what the client says until it is told to go on. */
  async holdBack(on: boolean): Promise<void> {
    await this.#run(
      `for each in /proc/[0-9]*; do
        [ "$(readlink $each/fd/1)" = /tmp/agent-heard ] && kill -${on ? 'STOP' : 'CONT'} \${each#/proc/}
      done; true`,
    );
  }

  /** Opens the port, which lets only one in, and says what it can do. */
  async start(capabilities: number): Promise<void> {
    await this.#run(
      `port=$(grep -lx com.redhat.spice.0 /sys/class/virtio-ports/*/name | head -1); port=/dev/$(basename $(dirname $port));
      mkfifo /tmp/agent-says; (exec 3<>$port; (${readsPort}) >/tmp/agent-heard & exec cat <>/tmp/agent-says >&3) >/dev/null 2>&1 &`,
    );
    // What is said before the client has begun to listen is lost: an agent answers it.
    await until('the client speaks to the agent', async () => Number(await this.#run('wc -c < /tmp/agent-heard')) > 0);
    await this.say(agentMessage.ANNOUNCE_CAPABILITIES, bytesOf(['u32', 0], ['u32', capabilities]));
  }

  /** `times` says the same again and again. */
  async say(type: number, body: Uint8Array, times = 1): Promise<void> {
    const message = bytesOf(['u32', 1], ['u32', type], ['u64', 0n], ['u32', body.byteLength], body);
    const chunks: Uint8Array[] = [];
    for (let at = 0; at < message.byteLength; at += 2048) {
      const piece = message.subarray(at, at + 2048);
      chunks.push(bytesOf(['u32', 1], ['u32', piece.byteLength], piece));
    }
    const said = Buffer.concat(Array.from({ length: times }, () => chunks).flat());
    await this.#run(`echo ${said.toString('base64')} | base64 -d > /tmp/agent-says`);
  }

  grab(...types: number[]): Promise<void> {
    return this.say(agentMessage.CLIPBOARD_GRAB, clipboardBody(...types));
  }

  ask(type: number, times = 1): Promise<void> {
    return this.say(agentMessage.CLIPBOARD_REQUEST, clipboardBody(type), times);
  }

  give(type: number, bytes: Uint8Array): Promise<void> {
    return this.say(agentMessage.CLIPBOARD, Buffer.concat([clipboardBody(type), bytes]));
  }

  /** Says how a file of the client's stands: its number, the result, and what there is to say of it. */
  file(number: number, result: number, more: Uint8Array = new Uint8Array(0)): Promise<void> {
    return this.say(agentMessage.FILE_XFER_STATUS, bytesOf(['u32', number], ['u32', result], more));
  }

  /** All that the client said of clipboards and files since this was asked last. */
  async heard(): Promise<Heard[]> {
    const stream = heardByAgent(Buffer.from(await this.#run('base64 /tmp/agent-heard'), 'base64'));
    const messages: Heard[] = [];
    while (this.#read + 20 <= stream.byteLength && this.#read + 20 + stream.readUInt32LE(this.#read + 16) <= stream.byteLength) {
      const type = stream.readUInt32LE(this.#read + 4);
      const body = stream.subarray(this.#read + 20, this.#read + 20 + stream.readUInt32LE(this.#read + 16));
      this.#read += 20 + body.byteLength;
      if (followed.includes(type)) messages.push({ type, selection: body[0] ?? 0, words: body.subarray(4) });
    }
    return messages;
  }
}

/** The agent's messages in what arrived at its port, which comes in pieces. */
export function heardByAgent(all: Buffer): Buffer {
  const pieces: Buffer[] = [];
  for (let at = 0; at + 8 <= all.byteLength; at += 8 + all.readUInt32LE(at + 4))
    pieces.push(all.subarray(at + 8, at + 8 + all.readUInt32LE(at + 4)));
  return Buffer.concat(pieces);
}

/** Of the selection that Ctrl+C copies to. */
function clipboardBody(...words: number[]): Uint8Array {
  return bytesOf(['u32', 0], ...words.map((word): ['u32', number] => ['u32', word]));
}
