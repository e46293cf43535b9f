/** What spice-webdavd in a guest says on its port, and hears: `client (int64) · size (uint16) · data`, little-endian. */

export function webdavdMessage(client: bigint, data: string | Uint8Array): Buffer {
  const bytes = Buffer.from(data);
  const head = Buffer.alloc(10);
  head.writeBigInt64LE(client, 0);
  head.writeUInt16LE(bytes.length, 8);
  return Buffer.concat([head, bytes]);
}

/** The whole messages that `bytes` begin with. */
export function webdavdMessages(bytes: Buffer): { client: bigint; data: Buffer }[] {
  const messages: { client: bigint; data: Buffer }[] = [];
  for (let at = 0; at + 10 <= bytes.length; ) {
    const size = bytes.readUInt16LE(at + 8);
    if (at + 10 + size > bytes.length) break;
    messages.push({ client: bytes.readBigInt64LE(at), data: bytes.subarray(at + 10, at + 10 + size) });
    at += 10 + size;
  }
  return messages;
}
