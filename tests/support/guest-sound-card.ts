/**
 * Turns a starter guest's Intel HDA up and down. Linux begins with every amplifier silent, and the guest has no program for it: so a command
 * goes straight to the codec, by a program of a few instructions that is written into the guest.
 */
import type { GuestId } from '../../contract/ids.ts';
import type { EngineClient } from '../../main/client/engine-client.ts';
import { runInGuest } from './console-page.ts';

/** QEMU's hda-duplex: the nodes with amplifiers, and how many steps they have. */
const nodes = { output: 2, input: 4 } as const;
export const amplifierSteps = 0x4a;
/** HDA_IOCTL_VERB_WRITE of the kernel's sound/hda_hwdep.h. */
const verbWrite = 0xc0084811;

/** `step` of 0 to 0x4a; null silences it. */
export async function setAmplifier(client: EngineClient, guest: GuestId, node: keyof typeof nodes, step: number | null): Promise<void> {
  const side = node === 'output' ? 0x8000 : 0x4000;
  // "Set amplifier gain/mute" of the HDA specification: which, both sides, silent or how loud.
  const verb = (nodes[node] << 24) | 0x30000 | side | 0x3000 | (step ?? 0x80);
  const program = ioctlProgram('/dev/snd/hwC0D0', verbWrite, verb).toString('base64');
  const said = await runInGuest(client, guest, `echo ${program} | base64 -d > /tmp/amp && chmod +x /tmp/amp && /tmp/amp && echo done`);
  if (!said.includes('done')) throw new Error(`The guest’s ${node} could not be set: ${said}`);
}

/** An ELF program for x86-64 that opens a file, does one `ioctl` with a pointer to 8 bytes, and ends with its result. */
function ioctlProgram(path: string, request: number, value: number): Buffer {
  const base = 0x400000;
  const headers = 120;
  const codeBytes = 45;
  const valueAt = base + headers + codeBytes;
  const pathAt = valueAt + 8;
  const u32 = (number: number) => [0, 8, 16, 24].map((shift) => (number >>> shift) & 255);
  const systemCall = [0x0f, 0x05];
  const code = [
    ...[0xb8, ...u32(2), 0xbf, ...u32(pathAt), 0xbe, ...u32(2), ...systemCall],
    ...[0x89, 0xc7, 0xbe, ...u32(request), 0xba, ...u32(valueAt), 0xb8, ...u32(16), ...systemCall],
    ...[0x89, 0xc7, 0xb8, ...u32(60), ...systemCall],
  ];
  const body = Buffer.concat([Buffer.from(code), Buffer.from([...u32(value), ...u32(0)]), Buffer.from(`${path}\0`)]);
  const elf = Buffer.alloc(headers);
  elf.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  elf.writeUInt16LE(2, 16);
  elf.writeUInt16LE(62, 18);
  elf.writeUInt32LE(1, 20);
  elf.writeBigUInt64LE(BigInt(base + headers), 24);
  elf.writeBigUInt64LE(64n, 32);
  elf.writeUInt16LE(64, 52);
  elf.writeUInt16LE(56, 54);
  elf.writeUInt16LE(1, 56);
  // One segment, that may be read, written and run: the kernel's answer lands beside the code.
  elf.writeUInt32LE(1, 64);
  elf.writeUInt32LE(7, 68);
  elf.writeBigUInt64LE(BigInt(base), 80);
  elf.writeBigUInt64LE(BigInt(base), 88);
  elf.writeBigUInt64LE(BigInt(headers + body.byteLength), 96);
  elf.writeBigUInt64LE(BigInt(headers + body.byteLength), 104);
  elf.writeBigUInt64LE(0x1000n, 112);
  return Buffer.concat([elf, body]);
}
