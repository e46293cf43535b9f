/**
 * One file in a "newc" cpio archive (Linux: Documentation/driver-api/early-userspace/buffer-format.rst). The kernel unpacks archives that
 * follow one another over each other, so this can be put behind any first root file system, packed or not.
 */

/** At a multiple of four bytes, with its padding. `path` is relative to the root: "preseed.cfg". */
export function buildCpioOf(path: string, content: string): Buffer {
  return Buffer.concat([member(path, 0o100600, Buffer.from(content)), member('TRAILER!!!', 0, Buffer.alloc(0))]);
}

function member(path: string, mode: number, content: Buffer): Buffer {
  const name = Buffer.from(`${path}\0`);
  const fields = [mode === 0 ? 0 : 1, mode, 0, 0, 1, 0, content.length, 0, 0, 0, 0, name.length, 0];
  const header = Buffer.from(`070701${fields.map((value) => value.toString(16).padStart(8, '0')).join('')}`);
  return Buffer.concat([header, name, paddingOf(header.length + name.length), content, paddingOf(content.length)]);
}

export function paddingOf(bytes: number): Buffer {
  return Buffer.alloc((4 - (bytes % 4)) % 4);
}
