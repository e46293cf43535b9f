/** Chromium's JPEG decoder, as the decoders want it. */
import type { PlatformJpeg } from '../decoders/jpeg.ts';

/** Colours as they are in the file: a guest's screen is not converted to the profile of this one. */
export const decodeWithPlatform: PlatformJpeg = async (jpeg) => {
  const image = await createImageBitmap(new Blob([new Uint8Array(jpeg)], { type: 'image/jpeg' }), { colorSpaceConversion: 'none' });
  try {
    const { width, height } = image;
    const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
    if (!context) throw new Error('there is no canvas to decode it on');
    context.drawImage(image, 0, 0);
    const { data } = context.getImageData(0, 0, width, height);
    return { width, height, pixels: new Uint32Array(data.buffer, data.byteOffset, width * height), opaque: true };
  } finally {
    image.close();
  }
};
