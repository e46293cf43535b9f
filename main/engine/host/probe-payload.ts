/**
 * The programs that an accelerator has to run to its end before a guest is trusted to it: 64 KiB ROMs that QEMU maps in
 * place of the firmware (`-bios`), so nothing but the accelerator and these bytes takes part.
 *
 * They do what operating systems do first and what broken accelerators were seen to fail at: leave real mode, turn paging and
 * 64-bit mode on, initialise the FPU (`fninit`, where OVMF dies under a KVM that emulates badly) and SSE, read and write model
 * specific registers, touch the local APIC through MMIO, and sleep until a timer interrupts. Every stage writes one letter, so
 * that a probe that stops can say where.
 */

/** What a payload has written when it ran to its end. */
export const probeMagic = 'GUESTHOUSE';

/** The letter that each stage writes when it is reached, and what comes after it: the words for "it stopped while …". */
export const probeStages: Readonly<Record<string, string>> = {
  '': 'executing the first instruction',
  R: 'leaving real mode',
  P: 'entering 64-bit mode',
  L: 'initialising the floating-point unit (fninit)',
  F: 'executing SSE instructions',
  S: 'reading and writing model-specific registers',
  M: 'accessing the local interrupt controller',
  A: 'waiting for a timer interrupt',
  I: 'powering off',
  X: 'handling an unexpected exception',
};

/** I/O port of QEMU's `isa-debugcon`, to which stages are written. */
export const probeConsolePort = 0xe9;
/** I/O port of QEMU's `isa-debug-exit`. */
export const probeExitPort = 0xf4;
const exitValue = 0x2a;
/** QEMU's exit status after the payload wrote `exitValue` to `isa-debug-exit`. */
export const probeExitStatus = (exitValue << 1) | 1;

const romBytes = 64 * 1024;
const romBase = 0x1_0000_0000 - romBytes;

/** Bytes with named places in them. Every width is little-endian. */
class Code {
  private readonly bytes: number[] = [];
  private readonly labels = new Map<string, number>();
  private readonly fixups: { at: number; width: 2 | 4; value: () => number }[] = [];
  private readonly base: number;

  constructor(base: number) {
    this.base = base;
  }

  /** Appends literal bytes. */
  raw(...bytes: number[]): this {
    this.bytes.push(...bytes);
    return this;
  }

  dword(value: number): this {
    return this.raw(value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, (value >>> 24) & 0xff);
  }

  label(name: string): this {
    this.labels.set(name, this.bytes.length);
    return this;
  }

  align(to: number): this {
    while (this.bytes.length % to !== 0) this.bytes.push(0);
    return this;
  }

  /** A 16-bit offset of a label from the start of the ROM's 64 KiB segment. */
  offset16(name: string): this {
    this.fixups.push({ at: this.bytes.length, width: 2, value: () => this.base + this.placeOf(name) - romBase });
    return this.raw(0, 0);
  }

  /** The 32-bit linear address of a label. */
  address32(name: string): this {
    this.fixups.push({ at: this.bytes.length, width: 4, value: () => this.base + this.placeOf(name) });
    return this.raw(0, 0, 0, 0);
  }

  /** A 32-bit distance from the end of this field to a label: the operand of near jumps. */
  relative32(name: string): this {
    const at = this.bytes.length;
    this.fixups.push({ at, width: 4, value: () => this.placeOf(name) - (at + 4) });
    return this.raw(0, 0, 0, 0);
  }

  build(): Uint8Array {
    for (const { at, width, value } of this.fixups) {
      const resolved = value();
      for (let byte = 0; byte < width; byte++) this.bytes[at + byte] = (resolved >>> (8 * byte)) & 0xff;
    }
    return Uint8Array.from(this.bytes);
  }

  private placeOf(name: string): number {
    const place = this.labels.get(name);
    if (place === undefined) throw new Error(`The payload has no label ${name}.`);
    return place;
  }
}

/** `mov al, letter; out 0xe9, al`: the same bytes in 16, 32 and 64-bit code. */
const stage = (letter: string): number[] => [0xb0, letter.charCodeAt(0), 0xe6, probeConsolePort];

/** Where the code stands inside the ROM; the processor starts at 16 bytes before its end and jumps here. */
const codeOffset = 0xf000;

/** RAM that the payload uses, below 640 KiB, where every PC has some. */
const ram = { pageTables: 0x10000, interruptTable: 0x20000, sseArea: 0x21000, timerFlag: 0x21100, stackTop: 0x30000 };

/** A ROM for `-machine pc|q35`. Ends QEMU through `isa-debug-exit` with {@link probeExitStatus}. */
export function buildX86Payload(): Uint8Array {
  const code = new Code(romBase + codeOffset);
  emitRealMode(code);
  emitProtectedMode(code);
  emitLongMode(code);
  emitInterrupts(code);
  emitEnd(code);
  emitTables(code);

  const rom = new Uint8Array(romBytes).fill(0xf4); // hlt
  const program = code.build();
  rom.set(program, codeOffset);
  // The reset vector, F000:FFF0: jmp near to the code. 16-bit offsets wrap, so the distance is negative.
  const distance = codeOffset - (0xfff0 + 3);
  rom.set([0xe9, distance & 0xff, (distance >> 8) & 0xff], 0xfff0);
  return rom;
}

function emitRealMode(code: Code): void {
  code
    .raw(0xfa, 0xfc) // cli; cld
    .raw(...stage('R'))
    .raw(0x2e, 0x66, 0x0f, 0x01, 0x16) // lgdt cs:[gdtPointer], 32-bit base
    .offset16('gdtPointer')
    .raw(0x0f, 0x20, 0xc0) // mov eax, cr0
    .raw(0x0c, 0x01) // or al, PE
    .raw(0x0f, 0x22, 0xc0) // mov cr0, eax
    .raw(0x66, 0xea) // jmp far 32-bit 0x08:protected
    .address32('protected')
    .raw(0x08, 0x00);
}

function emitProtectedMode(code: Code): void {
  const { pageTables } = ram;
  code
    .label('protected')
    .raw(0x66, 0xb8, 0x10, 0x00) // mov ax, 0x10
    .raw(0x8e, 0xd8, 0x8e, 0xc0, 0x8e, 0xd0) // mov ds, ax; mov es, ax; mov ss, ax
    .raw(...stage('P'));

  // Page tables that map the first 4 GiB to themselves in pages of 2 MiB: the ROM, the local APIC and RAM.
  code
    .raw(0xbf)
    .dword(pageTables) // mov edi, pageTables
    .raw(0xb9)
    .dword((6 * 4096) / 4) // mov ecx, dwords of six tables
    .raw(0x31, 0xc0, 0xf3, 0xab); // xor eax, eax; rep stosd
  storeDword(code, pageTables, (pageTables + 0x1000) | 3);
  for (let table = 0; table < 4; table++) storeDword(code, pageTables + 0x1000 + 8 * table, (pageTables + 0x2000 + 0x1000 * table) | 3);
  code
    .raw(0xbf)
    .dword(pageTables + 0x2000) // mov edi, first page directory
    .raw(0xb8)
    .dword(0x83) // mov eax, present | writable | 2 MiB
    .raw(0xb9)
    .dword(2048) // mov ecx, entries
    .label('fillDirectory')
    .raw(0x89, 0x07) // mov [edi], eax
    .raw(0x05)
    .dword(0x200000) // add eax, 2 MiB
    .raw(0x83, 0xc7, 0x08) // add edi, 8
    .raw(0x49) // dec ecx
    .raw(0x0f, 0x85) // jnz fillDirectory
    .relative32('fillDirectory');

  code
    .raw(0x0f, 0x20, 0xe0) // mov eax, cr4
    .raw(0x0d)
    .dword(0x620) // or eax, PAE | OSFXSR | OSXMMEXCPT
    .raw(0x0f, 0x22, 0xe0) // mov cr4, eax
    .raw(0xb8)
    .dword(pageTables) // mov eax, pageTables
    .raw(0x0f, 0x22, 0xd8) // mov cr3, eax
    .raw(0xb9)
    .dword(0xc0000080) // mov ecx, IA32_EFER
    .raw(0x0f, 0x32) // rdmsr
    .raw(0x0d)
    .dword(0x100) // or eax, LME
    .raw(0x0f, 0x30) // wrmsr
    .raw(0xb8)
    .dword(0x80000033) // mov eax, PG | NE | ET | MP | PE
    .raw(0x0f, 0x22, 0xc0) // mov cr0, eax
    .raw(0xea) // jmp far 0x18:long
    .address32('long')
    .raw(0x18, 0x00);
}

/** `mov dword [address], value`, absolute: 32-bit code only. */
function storeDword(code: Code, address: number, value: number): void {
  code.raw(0xc7, 0x05).dword(address).dword(value);
}

/** `mov dword [address], value` in 64-bit code, where an absolute address needs a SIB byte and is sign-extended. */
function storeDword64(code: Code, address: number, value: number): void {
  if (address < 0x8000_0000) code.raw(0xc7, 0x04, 0x25).dword(address).dword(value);
  else
    code
      .raw(0xbf)
      .dword(address) // mov edi, address (zero-extends)
      .raw(0xc7, 0x07)
      .dword(value); // mov dword [rdi], value
}

function emitLongMode(code: Code): void {
  code
    .label('long')
    .raw(...stage('L'))
    .raw(0xbc)
    .dword(ram.stackTop) // mov esp, stackTop (zero-extends)
    .raw(0xdb, 0xe3) // fninit
    .raw(0xd9, 0xe8, 0xd9, 0xeb, 0xde, 0xc9) // fld1; fldpi; fmulp
    .raw(0xdd, 0xd8) // fstp st0
    .raw(...stage('F'));

  code
    .raw(0x48, 0xb8, 0xef, 0xcd, 0xab, 0x89, 0x67, 0x45, 0x23, 0x01) // mov rax, 0x0123456789abcdef
    .raw(0x66, 0x48, 0x0f, 0x6e, 0xc0) // movq xmm0, rax
    .raw(0x66, 0x0f, 0x6c, 0xc0) // punpcklqdq xmm0, xmm0
    .raw(0x0f, 0x29, 0x04, 0x25)
    .dword(ram.sseArea) // movaps [sseArea], xmm0
    .raw(0x48, 0x3b, 0x04, 0x25)
    .dword(ram.sseArea + 8) // cmp rax, [sseArea + 8]
    .raw(0x0f, 0x85) // jne fault
    .relative32('fault')
    .raw(...stage('S'));

  code
    .raw(0x31, 0xc0, 0x0f, 0xa2) // xor eax, eax; cpuid
    .raw(0xb9)
    .dword(0xc0000080) // mov ecx, IA32_EFER
    .raw(0x0f, 0x32) // rdmsr
    .raw(0x0f, 0xba, 0xe0, 0x0a) // bt eax, LMA
    .raw(0x0f, 0x83) // jnc fault
    .relative32('fault')
    .raw(0xb9)
    .dword(0xc0000102) // mov ecx, IA32_KERNEL_GS_BASE
    .raw(0x31, 0xd2, 0xb8)
    .dword(ram.sseArea) // xor edx, edx; mov eax, sseArea
    .raw(0x0f, 0x30) // wrmsr
    .raw(0x0f, 0x01, 0xf8) // swapgs
    .raw(...stage('M'));
}

function emitInterrupts(code: Code): void {
  const { interruptTable, timerFlag } = ram;
  const vector = 0x40;
  // Every vector leads to `fault`, the timer's to `timer`. A gate is 16 bytes; both handlers lie above 2 GiB in the ROM.
  code
    .raw(0xbf)
    .dword(interruptTable) // mov edi, interruptTable
    .raw(0xb9)
    .dword(256) // mov ecx, gates
    .raw(0xb8)
    .address32('fault') // mov eax, fault
    .label('fillGates');
  emitGate(code);
  code
    .raw(0x83, 0xc7, 0x10) // add edi, 16
    .raw(0xff, 0xc9) // dec ecx
    .raw(0x0f, 0x85) // jnz fillGates
    .relative32('fillGates')
    .raw(0xbf)
    .dword(interruptTable + 16 * vector) // mov edi, the timer's gate
    .raw(0xb8)
    .address32('timer'); // mov eax, timer
  emitGate(code);
  code
    .raw(0xb8)
    .address32('idtPointer') // mov eax, idtPointer
    .raw(0x67, 0x0f, 0x01, 0x18) // lidt [eax]
    .raw(0xb0, 0xff, 0xe6, 0x21, 0xe6, 0xa1); // mov al, 0xff; out 0x21, al; out 0xa1, al: no legacy interrupts
  storeDword64(code, timerFlag, 0);

  const apic = 0xfee00000;
  storeDword64(code, apic + 0xf0, 0x1ff); // spurious vector, APIC on
  storeDword64(code, apic + 0x3e0, 0x0b); // divide by one
  storeDword64(code, apic + 0x320, vector); // timer: one shot
  code
    .raw(0xbf)
    .dword(apic + 0x30) // mov edi, version register
    .raw(0x8b, 0x07) // mov eax, [rdi]
    .raw(0x84, 0xc0) // test al, al
    .raw(0x0f, 0x84) // jz fault
    .relative32('fault')
    .raw(...stage('A'));
  storeDword64(code, apic + 0x380, 100_000); // initial count: starts the timer
  code
    .label('sleep')
    .raw(0xfb, 0xf4) // sti; hlt
    .raw(0x80, 0x3c, 0x25)
    .dword(timerFlag)
    .raw(0x00) // cmp byte [timerFlag], 0
    .raw(0x0f, 0x84) // je sleep
    .relative32('sleep')
    .raw(0xfa) // cli
    .raw(...stage('I'))
    .raw(0xe9) // jmp end
    .relative32('end');

  code.label('timer').raw(0x50, 0x57); // push rax; push rdi
  storeDword64(code, timerFlag, 1);
  storeDword64(code, apic + 0xb0, 0); // end of interrupt
  code.raw(0x5f, 0x58, 0x48, 0xcf); // pop rdi; pop rax; iretq
}

/** Writes an interrupt gate to [rdi] that leads to the address in eax; keeps eax, ecx and edi. */
function emitGate(code: Code): void {
  code
    .raw(0x66, 0x89, 0x07) // mov [rdi], ax
    .raw(0x66, 0xc7, 0x47, 0x02, 0x18, 0x00) // mov word [rdi+2], 64-bit code segment
    .raw(0x66, 0xc7, 0x47, 0x04, 0x00, 0x8e) // mov word [rdi+4], present interrupt gate
    .raw(0x89, 0xc2, 0xc1, 0xea, 0x10) // mov edx, eax; shr edx, 16
    .raw(0x66, 0x89, 0x57, 0x06) // mov [rdi+6], dx
    .raw(0x48, 0xc7, 0x47, 0x08, 0x00, 0x00, 0x00, 0x00); // mov qword [rdi+8], 0
}

function emitEnd(code: Code): void {
  code.label('end');
  for (const letter of probeMagic) code.raw(...stage(letter));
  code.raw(0xb0, exitValue, 0xe6, probeExitPort); // mov al, exitValue; out exitPort, al
  code.label('halt').raw(0xfa, 0xf4, 0xe9).relative32('halt'); // cli; hlt; jmp halt
  code
    .label('fault')
    .raw(...stage('X'))
    .raw(0xb0, 0x01, 0xe6, probeExitPort) // mov al, 1; out exitPort, al
    .raw(0xe9)
    .relative32('halt');
}

function emitTables(code: Code): void {
  code
    .align(8)
    .label('gdt')
    .raw(0, 0, 0, 0, 0, 0, 0, 0)
    .raw(0xff, 0xff, 0, 0, 0, 0x9b, 0xcf, 0) // 0x08: 32-bit code, flat
    .raw(0xff, 0xff, 0, 0, 0, 0x93, 0xcf, 0) // 0x10: data, flat
    .raw(0xff, 0xff, 0, 0, 0, 0x9b, 0xaf, 0) // 0x18: 64-bit code
    .label('gdtPointer')
    .raw(0x1f, 0x00)
    .address32('gdt')
    .align(8)
    .label('idtPointer')
    .raw(0xff, 0x0f)
    .dword(ram.interruptTable)
    .dword(0);
}

/**
 * A ROM for `-machine virt` of aarch64: turns floating point on, computes, writes {@link probeMagic} to the PL011 serial port and
 * powers the machine off through PSCI, so that QEMU exits with status 0.
 */
export function buildArmPayload(): Uint8Array {
  const words: number[] = [
    0xd2a12001, // mov x1, #0x09000000: the PL011's data register
    armMove(2, 'R'),
    armStore,
    0xd2a00600, // mov x0, #(3 << 20): CPACR_EL1.FPEN
    0xd5181040, // msr CPACR_EL1, x0
    0xd5033fdf, // isb
    armMove(2, 'L'),
    armStore,
    0x1e6e1000, // fmov d0, #1.0
    0x1e602801, // fadd d1, d0, d0
    0x4e080c02, // dup v2.2d, x0
    armMove(2, 'F'),
    armStore,
  ];
  for (const letter of probeMagic) words.push(armMove(2, letter), armStore);
  words.push(
    0xd2b08000, // mov x0, #0x84000000
    0xf2800100, // movk x0, #8: PSCI SYSTEM_OFF
    0xd4000002, // hvc #0
    0xd503207f, // wfi
    0x17ffffff, // b to the wfi
  );
  const rom = new Uint8Array(romBytes);
  new DataView(rom.buffer).setUint32(0, 0);
  const view = new DataView(rom.buffer);
  for (const [index, word] of words.entries()) view.setUint32(4 * index, word, true);
  return rom;
}

/** `strb w2, [x1]` */
const armStore = 0x39000022;

/** `mov w<register>, #character` */
function armMove(register: number, character: string): number {
  return (0x52800000 | (character.charCodeAt(0) << 5) | register) >>> 0;
}
