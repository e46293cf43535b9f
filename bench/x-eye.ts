/**
 * Hand and eye of somebody before an X display: presses keys, and looks at pixels. The same for every client, so what is measured through it is what
 * a person gets. Speaks as much of X11 (the protocol's manual, and XTEST's) as that takes.
 */
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

const request = { setInputFocus: 42, getImage: 73, queryExtension: 98, queryPointer: 38, getInputFocus: 43 };
const fakeInput = 2;
const event = { keyPress: 2, keyRelease: 3, buttonPress: 4, buttonRelease: 5, motion: 6 };
const zPixmap = 2;
/** Between the rows that are looked at, and between the pixels of each. */
const findRowPx = 24;
const findStepPx = 8;

export type Spot = { xPx: number; yPx: number };

export class XEye {
  readonly #socket: Socket;
  readonly #xtest: number;
  readonly #root: number;
  readonly widthPx: number;
  readonly heightPx: number;
  readonly #answers: Answers;

  private constructor(socket: Socket, answers: Answers, setup: Buffer, xtest: number) {
    this.#socket = socket;
    this.#answers = answers;
    this.#xtest = xtest;
    const { root, widthPx, heightPx } = readScreen(setup);
    this.#root = root;
    this.widthPx = widthPx;
    this.heightPx = heightPx;
  }

  /** @throws Error where the display does not answer, or lacks XTEST */
  static async open({ DISPLAY: display, XAUTHORITY: authority }: { DISPLAY: string; XAUTHORITY: string }): Promise<XEye> {
    const socket = connect(`/tmp/.X11-unix/X${display.replace(/^:/, '')}`);
    const answers = new Answers(socket);
    const name = Buffer.from('MIT-MAGIC-COOKIE-1');
    const cookie = readFileSync(authority).subarray(-16);
    const hello = Buffer.alloc(12);
    hello.write('l', 0);
    hello.writeUInt16LE(11, 2);
    hello.writeUInt16LE(name.length, 6);
    hello.writeUInt16LE(cookie.length, 8);
    socket.write(Buffer.concat([hello, padded(name), padded(cookie)]));
    const setup = await answers.setup();
    const wanted = Buffer.from('XTEST');
    const head = Buffer.alloc(8);
    head.writeUInt8(request.queryExtension, 0);
    head.writeUInt16LE(2 + padded(wanted).length / 4, 2);
    head.writeUInt16LE(wanted.length, 4);
    socket.write(Buffer.concat([head, padded(wanted)]));
    const answer = await answers.next();
    if (answer.readUInt8(8) === 0) throw new Error('This X display has no XTEST.');
    return new XEye(socket, answers, setup, answer.readUInt8(9));
  }

  close(): void {
    this.#socket.destroy();
  }

  /** Moves the pointer there, clicks, and gives the keyboard to the window below it. */
  async click({ xPx, yPx }: Spot): Promise<void> {
    this.#fake(event.motion, 0, xPx, yPx);
    await pause(100);
    const query = Buffer.alloc(8);
    query.writeUInt8(request.queryPointer, 0);
    query.writeUInt16LE(2, 2);
    query.writeUInt32LE(this.#root, 4);
    this.#socket.write(query);
    const window = (await this.#answers.next()).readUInt32LE(12);
    if (window !== 0) {
      const focus = Buffer.alloc(12);
      focus.writeUInt8(request.setInputFocus, 0);
      // It goes back to the pointer's window when this one goes.
      focus.writeUInt8(1, 1);
      focus.writeUInt16LE(3, 2);
      focus.writeUInt32LE(window, 4);
      this.#socket.write(focus);
    }
    this.#fake(event.buttonPress, 1);
    this.#fake(event.buttonRelease, 1);
  }

  /** An X key code: that of the kernel and 8. */
  press(keyCode: number): void {
    this.#fake(event.keyPress, keyCode);
    this.#fake(event.keyRelease, keyCode);
  }

  /** 0xRRGGBB of one pixel. */
  async pixel({ xPx, yPx }: Spot): Promise<number> {
    return (await this.#image(xPx, yPx, 1, 1)).readUInt32LE(0) & 0xffffff;
  }

  /**
   * The middle of what has one of these colours, or null. Looks at a few rows alone: pictures of a whole display would keep it, and a
   * processor, from what is waited for.
   */
  async find(colours: readonly number[]): Promise<Spot | null> {
    const ys = Array.from({ length: Math.ceil(this.heightPx / findRowPx) }, (_, at) => at * findRowPx);
    const rows = await Promise.all(ys.map((y) => this.#image(0, y, this.widthPx, 1)));
    let [left, top, right, bottom] = [this.widthPx, this.heightPx, -1, -1];
    for (const [at, row] of rows.entries())
      for (let x = 0; x < this.widthPx; x += findStepPx) {
        if (!colours.includes(row.readUInt32LE(x * 4) & 0xffffff)) continue;
        const y = at * findRowPx;
        left = Math.min(left, x);
        right = Math.max(right, x);
        top = Math.min(top, y);
        bottom = Math.max(bottom, y);
      }
    // A few pixels of a colour are no patch.
    return right - left < 3 * findStepPx || bottom - top < 3 * findStepPx ? null : { xPx: (left + right) >> 1, yPx: (top + bottom) >> 1 };
  }

  async #image(x: number, y: number, width: number, height: number): Promise<Buffer> {
    const get = Buffer.alloc(20);
    get.writeUInt8(request.getImage, 0);
    get.writeUInt8(zPixmap, 1);
    get.writeUInt16LE(5, 2);
    get.writeUInt32LE(this.#root, 4);
    get.writeInt16LE(x, 8);
    get.writeInt16LE(y, 10);
    get.writeUInt16LE(width, 12);
    get.writeUInt16LE(height, 14);
    get.writeUInt32LE(0xffffffff, 16);
    this.#socket.write(get);
    return (await this.#answers.next()).subarray(32);
  }

  #fake(type: number, detail: number, x = 0, y = 0): void {
    const fake = Buffer.alloc(36);
    fake.writeUInt8(this.#xtest, 0);
    fake.writeUInt8(fakeInput, 1);
    fake.writeUInt16LE(9, 2);
    fake.writeUInt8(type, 4);
    fake.writeUInt8(detail, 5);
    fake.writeUInt32LE(type === event.motion ? this.#root : 0, 12);
    fake.writeInt16LE(x, 24);
    fake.writeInt16LE(y, 26);
    this.#socket.write(fake);
  }
}

/** Cuts what the server says into its set-up and its answers; events are passed over. */
class Answers {
  #held: Buffer = Buffer.alloc(0);
  #pieces: Buffer[] = [];
  #waiting: ((answer: Buffer) => void)[] = [];
  #failed: Error | null = null;
  #greeted = false;

  constructor(socket: Socket) {
    socket.on('data', (chunk) => {
      this.#pieces.push(chunk);
      this.#cut();
    });
    socket.on('error', (error) => {
      this.#failed = error;
    });
  }

  setup(): Promise<Buffer> {
    return this.next();
  }

  next(): Promise<Buffer> {
    if (this.#failed) throw this.#failed;
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #cut(): void {
    for (;;) {
      if (this.#held.length < 32 && this.#pieces.length > 0) this.#join();
      const length = this.#length();
      if (length === null) return;
      const have = this.#held.length + this.#pieces.reduce((sum, piece) => sum + piece.length, 0);
      if (have < length) return;
      this.#join();
      const answer = this.#held.subarray(0, length);
      this.#held = this.#held.subarray(length);
      const kind = answer.readUInt8(0);
      if (!this.#greeted) {
        this.#greeted = true;
        this.#waiting.shift()?.(answer);
      } else if (kind === 1) this.#waiting.shift()?.(answer);
    }
  }

  #join(): void {
    this.#held = Buffer.concat([this.#held, ...this.#pieces]);
    this.#pieces = [];
  }

  /** Of what comes next; null until that is known. */
  #length(): number | null {
    if (this.#held.length < 8) return null;
    if (!this.#greeted) return 8 + this.#held.readUInt16LE(6) * 4;
    if (this.#held.length < 32) return null;
    return this.#held.readUInt8(0) === 1 ? 32 + this.#held.readUInt32LE(4) * 4 : 32;
  }
}

/** The first screen of the set-up's answer. */
function readScreen(setup: Buffer): { root: number; widthPx: number; heightPx: number } {
  if (setup.readUInt8(0) !== 1) throw new Error('The X display refuses.');
  const vendorBytes = setup.readUInt16LE(24);
  const formats = setup.readUInt8(29);
  const at = 40 + Math.ceil(vendorBytes / 4) * 4 + formats * 8;
  return { root: setup.readUInt32LE(at), widthPx: setup.readUInt16LE(at + 20), heightPx: setup.readUInt16LE(at + 22) };
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
}
