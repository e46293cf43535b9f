/** Writes the "newc" cpio archives that Linux unpacks as its first root file system (Documentation/driver-api/early-userspace/buffer-format.rst). */

export type CpioEntry =
  | { kind: 'file'; path: string; mode: number; content: Buffer }
  | { kind: 'directory'; path: string; mode: number }
  | { kind: 'symlink'; path: string; target: string }
  | { kind: 'character-device'; path: string; mode: number; major: number; minor: number };

const typeBits = { file: 0o100000, directory: 0o040000, symlink: 0o120000, 'character-device': 0o020000 } as const;

function padTo4(length: number): Buffer {
  return Buffer.alloc((4 - (length % 4)) % 4);
}

function buildMember(path: string, inode: number, fields: { mode: number; content: Buffer; major?: number; minor?: number }): Buffer {
  const name = Buffer.from(`${path}\0`);
  const hex = (value: number) => value.toString(16).padStart(8, '0');
  const numbers = [inode, fields.mode, 0, 0, 1, 0, fields.content.length, 0, 0, fields.major ?? 0, fields.minor ?? 0, name.length, 0];
  const header = Buffer.from(`070701${numbers.map(hex).join('')}`);
  return Buffer.concat([header, name, padTo4(header.length + name.length), fields.content, padTo4(fields.content.length)]);
}

/** Paths are relative ("bin/busybox"); a folder must come before what it holds. Owner is root and times are zero: equal input, equal bytes. */
export function buildCpio(entries: readonly CpioEntry[]): Buffer {
  const members = entries.map((entry, index) => {
    const mode = typeBits[entry.kind] | (entry.kind === 'symlink' ? 0o777 : entry.mode);
    const content = entry.kind === 'file' ? entry.content : Buffer.from(entry.kind === 'symlink' ? entry.target : '');
    const device = entry.kind === 'character-device' ? { major: entry.major, minor: entry.minor } : {};
    return buildMember(entry.path, index + 1, { mode, content, ...device });
  });
  return Buffer.concat([...members, buildMember('TRAILER!!!', 0, { mode: 0, content: Buffer.alloc(0) })]);
}
