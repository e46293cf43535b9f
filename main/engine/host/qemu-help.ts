/** Reads what QEMU prints about itself. Every parser takes any text and answers with what it could find. */

/** "QEMU emulator version 7.2.19 (Debian …)" → "7.2.19"; null when it is not QEMU's. */
export function parseVersion(text: string): string | null {
  return /QEMU emulator version (\d+(?:\.\d+)+)/.exec(text)?.[1] ?? null;
}

/** Machine types with their aliases, as `-machine help` lists them. "none" is left out: it runs nothing. */
export function parseMachines(text: string): string[] {
  return table(text, 'Supported machines are').filter((name) => name !== 'none');
}

/** CPU models of `-cpu help`: "x86 Broadwell …" on x86, "  cortex-a57" on Arm. */
export function parseCpuModels(text: string): string[] {
  const models: string[] = [];
  for (const line of text.split(/\r?\n/)) {
    if (/^Recognized CPUID flags/.test(line)) break;
    const name = /^(?:x86\s+|\s+)([A-Za-z0-9][A-Za-z0-9._+-]*)/.exec(line)?.[1];
    if (name) models.push(name);
  }
  return [...new Set(models)];
}

/** Device names of `-device help`. */
export function parseDevices(text: string): string[] {
  return [...new Set([...text.matchAll(/^name "([^"]+)"/gm)].map((match) => match[1] ?? ''))];
}

/** Accelerators of `-accel help`. */
export function parseAccelerators(text: string): string[] {
  return table(text, 'Accelerators supported');
}

/** Whether `-spice help` knows options: a QEMU without SPICE knows no `-spice`, or says that the module is missing. */
export function parseSpice(text: string): boolean {
  return /^\s*(addr=|disable-ticketing)/m.test(text);
}

/** First words of the lines after the one that begins with `heading`. */
function table(text: string, heading: string): string[] {
  const lines = text.split(/\r?\n/);
  const start = lines.findIndex((line) => line.startsWith(heading));
  return lines
    .slice(start + 1)
    .map((line) => /^([a-z0-9][a-z0-9.-]*)(?:\s|$)/.exec(line)?.[1])
    .filter((name) => name !== undefined);
}
