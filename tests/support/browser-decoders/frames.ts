/** What a test and the page that decodes for it tell each other: length (32 bits) · id (32) · word (8) · payload. Little-endian. */
export const decoderWord = {
  codecs: 0,
  jpeg: 1,
  openVideo: 2,
  videoPicture: 3,
  closeVideo: 4,
  picture: 5,
  nothing: 6,
  failed: 7,
  packJpeg: 8,
} as const;

export type DecoderFrame = { id: number; word: number; payload: Buffer };

const headBytes = 9;

export function buildFrame(id: number, word: number, payload: Uint8Array = new Uint8Array(0)): Buffer {
  const frame = Buffer.alloc(headBytes + payload.byteLength);
  frame.writeUInt32LE(payload.byteLength, 0);
  frame.writeUInt32LE(id, 4);
  frame.writeUInt8(word, 8);
  frame.set(payload, headBytes);
  return frame;
}

/** Calls back with each frame of a stream of bytes that comes in pieces. */
export function frameReader(take: (frame: DecoderFrame) => void): (chunk: Buffer) => void {
  let held: Buffer[] = [];
  let heldBytes = 0;
  return (chunk) => {
    held.push(chunk);
    heldBytes += chunk.byteLength;
    for (;;) {
      if (heldBytes < headBytes) return;
      const [first] = held;
      if (first === undefined || first.byteLength < headBytes) held = [Buffer.concat(held)];
      const length = (held[0] as Buffer).readUInt32LE(0);
      if (heldBytes < headBytes + length) return;
      const all = held.length === 1 ? (held[0] as Buffer) : Buffer.concat(held);
      take({ id: all.readUInt32LE(4), word: all.readUInt8(8), payload: all.subarray(headBytes, headBytes + length) });
      const rest = all.subarray(headBytes + length);
      held = [rest];
      heldBytes = rest.byteLength;
    }
  };
}
