/** A set of numbers in few bytes: ascending, each as the distance to the one before, seven bits a byte (LEB128). Pure. */

/** @param numbers positive whole numbers, in any order */
export function packNumbers(numbers: readonly number[]): Buffer {
  const sorted = [...new Set(numbers)].sort((one, other) => one - other);
  const bytes: number[] = [];
  let before = 0;
  for (const number of sorted) {
    let left = number - before;
    before = number;
    for (; left > 0x7f; left = Math.floor(left / 0x80)) bytes.push((left & 0x7f) | 0x80);
    bytes.push(left);
  }
  return Buffer.from(bytes);
}

export function unpackNumbers(bytes: Buffer): number[] {
  const numbers: number[] = [];
  let before = 0;
  let distance = 0;
  let scale = 1;
  for (const byte of bytes) {
    distance += (byte & 0x7f) * scale;
    scale *= 0x80;
    if (byte > 0x7f) continue;
    before += distance;
    numbers.push(before);
    distance = 0;
    scale = 1;
  }
  return numbers;
}
