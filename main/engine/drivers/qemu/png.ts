const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/** Width and height from a PNG's first chunk (https://www.w3.org/TR/png/#11IHDR); null when it is not a PNG. */
export function pngSize(png: Buffer): { widthPx: number; heightPx: number } | null {
  if (png.length < 24 || !png.subarray(0, 8).equals(signature) || png.toString('latin1', 12, 16) !== 'IHDR') return null;
  return { widthPx: png.readUInt32BE(16), heightPx: png.readUInt32BE(20) };
}
