/** Writes what this side sends: messages with the mini header, 2 bytes of type and 4 of size. */

const headerBytes = 6;

/** The same memory. */
export function asBytes(body: DataView): Uint8Array {
  return new Uint8Array(body.buffer, body.byteOffset, body.byteLength);
}

/** Of exactly its size: a port would copy the whole of a larger buffer along. */
export function buildMessage(type: number, bodyBytes: number, write?: (body: DataView) => void): Uint8Array {
  const bytes = new Uint8Array(headerBytes + bodyBytes);
  const header = new DataView(bytes.buffer, 0, headerBytes);
  header.setUint16(0, type, true);
  header.setUint32(2, bodyBytes, true);
  write?.(new DataView(bytes.buffer, headerBytes));
  return bytes;
}
