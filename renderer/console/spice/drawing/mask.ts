/** One bit a pixel that says where something is drawn. */

export interface Mask {
  readonly width: number;
  readonly height: number;
  /** One byte a pixel, 0 or 1, in rows from the top. */
  readonly bits: Uint8Array;
}

/** SPICE_MASK_FLAGS_INVERS */
export const maskInverse = 1;
