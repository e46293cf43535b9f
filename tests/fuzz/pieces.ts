/** Several inputs in one, each after its length in two bytes. */

export function* piecesOf(input: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at + 2 <= input.length; ) {
    const length = (input[at] as number) | ((input[at + 1] as number) << 8);
    yield input.subarray(at + 2, at + 2 + length);
    at += 2 + length;
  }
}

export function joinPieces(pieces: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(pieces.flatMap((piece) => [piece.length & 0xff, piece.length >> 8, ...piece]));
}
