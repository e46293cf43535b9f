/** Unpacks LZ4's legacy frames, in which the starter's first root file system is packed (https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md). */

const magic = 0x184c2102;
const blockMaxBytes = 8 * 1024 * 1024;

export function unpackLz4(packed: Buffer): Buffer {
  if (packed.readUInt32LE(0) !== magic) throw new Error('This is no legacy frame of LZ4.');
  const blocks: Buffer[] = [];
  for (let at = 4; at + 4 <= packed.length; ) {
    const size = packed.readUInt32LE(at);
    at += 4;
    if (size === 0 || size === magic) continue;
    blocks.push(unpackBlock(packed.subarray(at, at + size)));
    at += size;
  }
  return Buffer.concat(blocks);
}

function unpackBlock(block: Buffer): Buffer {
  const out = Buffer.alloc(blockMaxBytes);
  let [at, end] = [0, 0];
  const lengthOf = (nibble: number): number => {
    let length = nibble;
    if (nibble === 15) {
      let more: number;
      do {
        more = block.readUInt8(at++);
        length += more;
      } while (more === 255);
    }
    return length;
  };
  while (at < block.length) {
    const token = block.readUInt8(at++);
    const literals = lengthOf(token >> 4);
    block.copy(out, end, at, at + literals);
    at += literals;
    end += literals;
    if (at >= block.length) break;
    const from = end - block.readUInt16LE(at);
    at += 2;
    const length = lengthOf(token & 15) + 4;
    // Byte by byte: what is copied may overlap what is being written.
    for (let index = 0; index < length; index++) out[end + index] = out[from + index] ?? 0;
    end += length;
  }
  return out.subarray(0, end);
}
