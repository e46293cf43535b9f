/** The decoders of spice-html5, which has no types of its own. */

declare module '@spice-project/spice-html5/src/quic.js' {
  /** Of a canvas, what is used of it. */
  export type ImageMaker = { createImageData(width: number, height: number): ImageData };
  export class SpiceQuic {
    /** Reads `size (32 bits) · stream` at `at`. */
    from_dv(view: DataView, at: number, memory: ArrayBuffer): number;
  }
  export function convert_spice_quic_to_web(context: ImageMaker, quic: SpiceQuic): ImageData;
}

declare module '@spice-project/spice-html5/src/lz.js' {
  import type { ImageMaker } from '@spice-project/spice-html5/src/quic.js';
  export type SpiceLz = { type: number; width: number; height: number; top_down: boolean; data: ArrayBuffer };
  /** `data` are the commands alone. */
  export function convert_spice_lz_to_web(context: ImageMaker, lz: SpiceLz): ImageData;
}
